import { describe, expect, it } from 'vitest';
import { messageJob, messageJobName, payloadSecret, sampleJob, type MessageJobInput } from '../../../../src/plan/messages/message-job.ts';
import { aClaim, aConfigMap, aFile, aJobTemplate, anEnvironment, minutes } from '../../../support/builders.ts';
import { aMessageQueueSpec, aNote, rabbitOrders } from '../../../support/message-builders.ts';

const input = (changes: Parameters<typeof aMessageQueueSpec>[0] = {}, note: Parameters<typeof aNote>[1] = {}, id = 'a'): MessageJobInput => {
  const spec = aMessageQueueSpec({ name: 'orders', ...changes });
  return { key: { kind: 'queue', name: 'orders' }, spec, claim: aClaim(spec), environment: anEnvironment(), note: aNote(id, note) };
};
interface Container {
  readonly name: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly volumeMounts?: readonly unknown[];
}
interface Manifest {
  readonly metadata: { readonly name?: string; readonly generateName?: string; readonly labels: Record<string, string>; readonly annotations: Record<string, string>; readonly ownerReferences?: readonly unknown[] };
  readonly spec: { readonly activeDeadlineSeconds?: number; readonly parallelism?: number; readonly completions?: number; readonly template: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[]; readonly volumes?: readonly unknown[] } } };
}
const jobOf = (of: MessageJobInput): Manifest => messageJob(of).manifest as unknown as Manifest;
const envOf = (of: MessageJobInput) => Object.fromEntries((jobOf(of).spec.template.spec.containers[0]?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));

describe('the name of a Job for a message', () => {
  const name = (changes: Parameters<typeof input>[0] = {}, id = 'a', serial = 1): string => messageJobName(input(changes), id, serial);

  it('is the same for the same message and serial, whatever else the spec says', () => {
    expect(name({ hash: 'hash-2', timeout: 1, concurrency: { max: 1 } })).toBe(name());
    expect(name()).toMatch(/^orders-[a-z2-7]{12}$/);
  });

  it('is another for another message, serial, queue or logical name', () => {
    expect(new Set([name(), name({}, 'b'), name({}, 'a', 2), name({ source: rabbitOrders }), name({ name: 'bills' })]).size).toBe(5);
  });
});

describe('a Job for a message', () => {
  it('carries all that settling needs, and labels by which it is found', () => {
    const { metadata, spec } = jobOf(input({}, { attempt: 2, serial: 3 }));
    expect(JSON.parse(metadata.annotations['job-chief/message'] ?? '')).toEqual(JSON.parse(JSON.stringify(aNote('a', { attempt: 2, serial: 3 }))));
    const labels = { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'orders', 'job-chief/attempt': '2' };
    expect([metadata.labels, spec.template.metadata.labels]).toEqual([labels, labels]);
    expect(metadata.annotations).toMatchObject({ 'job-chief/name': 'orders', 'job-chief/queue': 'orders', 'job-chief/connection': 'main', 'job-chief/spec-hash': 'hash-1', 'job-chief/on-spec-delete': 'delete' });
  });

  it('tells its containers which message it is for; the id is text, and no reference to a variable', () => {
    expect(envOf(input({}, { attempt: 2 }, '$(HOME) $'))).toEqual({ QUEUE_NAME: 'orders', JOB_CHIEF_KIND: 'queue', JOB_CHIEF_NAME: 'orders', JOB_CHIEF_ATTEMPT: '2', JOB_CHIEF_MESSAGE_ID: '$$(HOME) $$', JOB_CHIEF_OUTPUT: '/dev/termination-log' });
  });

  it('mounts the body as a file in every container, from the Secret of its own name', () => {
    const { jobName, manifest } = messageJob(input({ jobTemplate: aJobTemplate({}, { initContainers: [{ name: 'first', image: 'app' }] }) }));
    const { spec } = (manifest as unknown as Manifest).spec.template;
    expect(spec.volumes).toEqual([{ name: 'job-chief-message', secret: { secretName: jobName, items: [{ key: 'message', path: 'message' }] } }]);
    const mount = { name: 'job-chief-message', mountPath: '/job-chief/message', subPath: 'message', readOnly: true };
    expect([...spec.containers, ...(spec.initContainers ?? [])].map(({ volumeMounts }) => volumeMounts)).toEqual([[mount], [mount]]);
    expect(spec.initContainers?.[0]?.env.map(({ name }) => name)).not.toContain('JOB_CHIEF_OUTPUT');
  });

  it('has its variables from that Secret, where nobody expands them', () => {
    const of = input({ perMessage: { payload: { file: undefined, env: 'BODY' }, env: { ORDER: '$(message.body.order)' } } });
    const ref = (key: string) => ({ secretKeyRef: { name: messageJob(of).jobName, key } });
    expect(envOf(of)).toMatchObject({ BODY: ref('env.BODY'), ORDER: ref('env.ORDER') });
    expect(jobOf(of).spec.template.spec.volumes).toBeUndefined();
  });

  it('knows its own parts from those of the user, for the policy', () => {
    const { ours } = messageJob(input({ perMessage: { env: { ORDER: 'x' } } }));
    expect(ours.map((part) => part['name'])).toEqual(['ORDER', 'job-chief-message']);
  });

  it('is injected with the connection where the spec asks for it', () => {
    const environment = anEnvironment({ injection: () => ({ env: [{ name: 'DB_HOST', value: 'db' }], volumes: [], volumeMounts: [] }) });
    expect(envOf({ ...input({ injectConnection: true }), environment })).toMatchObject({ DB_HOST: 'db' });
    expect(envOf({ ...input(), environment })).not.toHaveProperty('DB_HOST');
  });

  it('keeps parallelism and completions as the user has them, and gets a backstop for its timeout', () => {
    const template = aJobTemplate();
    const jobTemplate = { ...template, spec: { ...(template['spec'] as object), parallelism: 2, completions: 4 } };
    expect(jobOf(input({ jobTemplate, startTimeout: minutes(1), timeout: minutes(2) })).spec).toMatchObject({ parallelism: 2, completions: 4, activeDeadlineSeconds: 210 });
    expect(jobOf(input()).spec.activeDeadlineSeconds).toBeUndefined();
  });

  it('belongs to the ConfigMap of its spec, unless it is to outlive it or there is none', () => {
    const of = input();
    expect(jobOf(of).metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', name: 'thumbnails', uid: 'cm-1', controller: true }]);
    expect(jobOf(input({ onSpecDelete: 'finish' })).metadata.ownerReferences).toBeUndefined();
    expect(jobOf({ ...of, claim: aClaim(of.spec, aFile()) }).metadata.ownerReferences).toBeUndefined();
    expect(jobOf({ ...of, claim: aClaim(of.spec, aFile()) }).metadata.annotations['job-chief/spec-source']).toBe('file');
    expect(jobOf({ ...of, claim: aClaim(of.spec, aConfigMap({ uid: 'cm-2' })) }).metadata.ownerReferences).toMatchObject([{ uid: 'cm-2' }]);
  });
});

describe('the Secret of a Job', () => {
  it('has the name of the Job, cannot be changed, and has no owner yet', () => {
    const secret = payloadSecret(input(), 'orders-x', { sha256: '', data: new Map([['message', Buffer.from('hi')]]) });
    expect(secret).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'acme', name: 'orders-x', labels: { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'orders', 'job-chief-record': 'payload' } },
      type: 'Opaque',
      immutable: true,
      data: { message: 'aGk=' },
    });
  });

  it('is not made where nothing is asked for', () => {
    expect(payloadSecret(input(), 'orders-x', { sha256: '', data: new Map() })).toBeUndefined();
  });
});

it('the API server is asked about a Job without a name', () => {
  const { metadata } = sampleJob(input()).manifest as unknown as Manifest;
  expect([metadata.name, metadata.generateName]).toEqual([undefined, 'job-chief-check-']);
});
