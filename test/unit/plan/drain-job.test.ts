import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DrainBlueprint } from '../../../src/plan/action.ts';
import { drainBlueprint, drainJob, drainJobName, drainSpecHash, dryRunJob } from '../../../src/plan/drain-job.ts';
import type { PlanEnvironment } from '../../../src/plan/environment.ts';
import { policyFindings } from '../../../src/spec/pod-policy/check.ts';
import { aClaim, aConfigMap, aFile, aJobTemplate, anEnvironment, laxPolicy, aQueueSpec, hours, minutes, seconds, thumbnails } from '../../support/builders.ts';
import type { DrainQueueSpec } from '../../../src/spec/queue.ts';
import { arrayAt, objectAt, stringAt, type Json, type JsonObject } from '../../../src/lib/json.ts';
import type { QueueSource } from '../../../src/spec/queue-source.ts';

function blueprint(spec: DrainQueueSpec = aQueueSpec(), source = aClaim().source, options: { pods?: number; environment?: PlanEnvironment } = {}): DrainBlueprint {
  return drainBlueprint(thumbnails, spec, aClaim(spec, source), { pods: options.pods ?? 1, environment: options.environment ?? anEnvironment() });
}
const metadata = (job: JsonObject): JsonObject => objectAt(job, 'metadata');
const podOf = (job: JsonObject): JsonObject => objectAt(objectAt(objectAt(job, 'spec'), 'template'), 'spec');
const envOf = (job: JsonObject, list = 'containers'): Json | undefined => objectAt({ first: arrayAt(podOf(job), list)[0] }, 'first')['env'];

describe('the Job of a drain Queue', () => {
  it('is what the user wrote, with names, labels, notes, owner and environment', () => {
    const labels = { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'thumbnails', 'job-chief/run': '7', 'job-chief/attempt': '1' };
    const name = drainJobName(blueprint(), 7);
    expect(drainJob(blueprint(), 7)).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        namespace: 'acme',
        name,
        labels,
        annotations: {
          'job-chief/name': 'thumbnails',
          'job-chief/queue': 'thumbnails',
          'job-chief/connection': 'main',
          'job-chief/spec-hash': 'hash-1',
          'job-chief/on-spec-delete': 'delete',
          'job-chief/upkeep': JSON.stringify({ startTimeout: minutes(15), succeeded: { count: 3 }, failed: { count: 10, age: hours(168) } }),
        },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'thumbnails', uid: 'cm-1', controller: true }],
      },
      spec: {
        backoffLimit: 0,
        parallelism: 1,
        template: {
          metadata: { labels, annotations: {} },
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'main',
                image: 'ghcr.io/acme/thumbnailer:3.1',
                env: [
                  { name: 'JOB_CHIEF_RUN', value: '7' },
                  { name: 'JOB_CHIEF_ATTEMPT', value: '1' },
                  { name: 'QUEUE_NAME', value: 'thumbnails' },
                  { name: 'JOB_CHIEF_KIND', value: 'queue' },
                  { name: 'JOB_CHIEF_NAME', value: 'thumbnails' },
                ],
              },
            ],
          },
        },
      },
    });
  });

  it.each([
    ['a re-created ConfigMap', aQueueSpec(), aConfigMap({ uid: 'cm-2', name: 'thumbnails-b' })],
    ['an edited spec', aQueueSpec({ hash: 'hash-2', timeout: minutes(5) }), aConfigMap()],
    ['a file in place of a ConfigMap', aQueueSpec(), aFile()],
  ])('%s meets the Jobs it made before: the name stays', (_sentence, spec, source) => {
    expect(drainJobName(blueprint(spec, source), 7)).toBe(drainJobName(blueprint(), 7));
  });

  it.each([
    ['another instance', blueprint(aQueueSpec(), aConfigMap(), { environment: anEnvironment({ instance: 'blue' }) })],
    ['another queue', blueprint(aQueueSpec({ source: { queue: 'other' } }))],
    ['another schema', blueprint(aQueueSpec({ source: { schema: 'jobs' } }))],
    ['another connection', blueprint(aQueueSpec({ source: { connection: 'other' } }))],
    ['another logical name', blueprint(aQueueSpec({ name: 'Thumbnails' }))],
  ])('%s has other names', (_sentence, other) => {
    expect(drainJobName(other, 7)).not.toBe(drainJobName(blueprint(), 7));
  });

  it('another sequence has another name', () => {
    expect(drainJobName(blueprint(), 8)).not.toBe(drainJobName(blueprint(), 7));
  });

  it('a Job that may finish without its spec is owned by nobody', () => {
    expect(metadata(drainJob(blueprint(aQueueSpec({ onSpecDelete: 'finish' })), 1))['ownerReferences']).toBeUndefined();
  });

  it('a Job of a file is owned by nobody and says so', () => {
    const made = metadata(drainJob(blueprint(aQueueSpec(), aFile()), 1));
    expect(made['ownerReferences']).toBeUndefined();
    expect(objectAt(made, 'annotations')['job-chief/spec-source']).toBe('file');
  });

  it('the deadline of the Job is a backstop behind startTimeout and timeout, in whole seconds', () => {
    const spec = aQueueSpec({ startTimeout: seconds(10), timeout: 1_500 });
    expect(objectAt(drainJob(blueprint(spec), 1), 'spec')['activeDeadlineSeconds']).toBe(42);
    expect(JSON.parse(stringAt(objectAt(metadata(drainJob(blueprint(spec), 1)), 'annotations'), 'job-chief/upkeep') ?? '')).toMatchObject({ startTimeout: seconds(10), timeout: 1_500 });
  });

  it('the labels and annotations of the user stay, ours win', () => {
    const spec = aQueueSpec({
      jobMetadata: { labels: { team: 'media', 'job-chief/name': 'evil' }, annotations: { note: 'job', 'job-chief/spec-hash': 'evil' } },
      podMetadata: { labels: { team: 'media', 'job-chief/instance': 'evil' }, annotations: { note: 'pod' } },
      jobTemplate: { metadata: { labels: { from: 'template', team: 'other' } }, spec: { template: { metadata: { labels: { from: 'template' }, annotations: { scrape: 'true' } }, spec: { containers: [] } } } },
    });
    const job = drainJob(blueprint(spec), 1);
    const pod = metadata(objectAt(objectAt(job, 'spec'), 'template'));
    expect(objectAt(metadata(job), 'labels')).toMatchObject({ from: 'template', team: 'media', 'job-chief/name': 'thumbnails' });
    expect(objectAt(metadata(job), 'annotations')).toMatchObject({ note: 'job', 'job-chief/spec-hash': 'hash-1' });
    expect(objectAt(pod, 'labels')).toMatchObject({ from: 'template', team: 'media', 'job-chief/instance': 'default', 'job-chief/run': '1' });
    expect(pod['annotations']).toEqual({ scrape: 'true', note: 'pod' });
  });

  it('our environment comes first, so that the values of the user can refer to it', () => {
    const spec = aQueueSpec({ jobTemplate: aJobTemplate({ env: [{ name: 'LOG', value: '$(QUEUE_NAME)' }, { name: 'QUEUE_NAME', value: 'evil' }] }, { initContainers: [{ name: 'init', image: 'busybox' }] }) });
    const names = (env: Json | undefined): unknown[] => (env as JsonObject[]).map((entry) => entry['name']);
    const ours = ['JOB_CHIEF_RUN', 'JOB_CHIEF_ATTEMPT', 'QUEUE_NAME', 'JOB_CHIEF_KIND', 'JOB_CHIEF_NAME'];
    expect(names(envOf(drainJob(blueprint(spec), 1)))).toEqual([...ours, 'LOG']);
    expect(names(envOf(drainJob(blueprint(spec), 1), 'initContainers'))).toEqual(ours);
  });

  const injection = { env: [{ name: 'DB_HOST', value: 'db' }], volumes: [{ name: 'certs' }], volumeMounts: [{ name: 'certs', mountPath: '/certs' }] };

  it('a worker is given the connection when the spec asks for it', () => {
    const asked: QueueSource[] = [];
    const environment = anEnvironment({ injection: (source) => (asked.push(source), injection) });
    const spec = aQueueSpec({ injectConnection: true, source: { schema: 'jobs' }, jobTemplate: aJobTemplate({ volumeMounts: [{ name: 'own' }] }, { volumes: [{ name: 'own' }] }) });
    const pod = podOf(drainJob(blueprint(spec, aConfigMap(), { environment }), 1));
    expect(asked).toEqual([spec.source]);
    expect(pod['volumes']).toEqual([{ name: 'own' }, { name: 'certs' }]);
    expect(arrayAt(pod, 'containers')[0]).toMatchObject({ volumeMounts: [{ name: 'own' }, { name: 'certs', mountPath: '/certs' }], env: expect.arrayContaining([{ name: 'DB_HOST', value: 'db' }]) as Json });
  });

  it('the policy lets it pass, in the dry run too, and nothing that looks like it', () => {
    const entry = { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'main-db', key: 'password' } } };
    const certs = { name: 'certs', secret: { secretName: 'main-db' } };
    const policy = { ...laxPolicy, secrets: [], volumeTypes: [], deniedSecrets: ['main-db'] };
    const made = blueprint(aQueueSpec({ injectConnection: true }), aConfigMap(), { environment: anEnvironment({ injection: () => ({ env: [entry], volumes: [certs], volumeMounts: [] }) }) });
    const { manifest, ours = [] } = dryRunJob(made);
    for (const job of [drainJob(made, 1), manifest]) expect(policyFindings(job, policy, { ours })).toEqual([]);
    const imitated = blueprint(aQueueSpec({ jobTemplate: aJobTemplate({ env: [entry] }, { volumes: [certs] }) }));
    expect(imitated.ours).toBeUndefined();
    expect(policyFindings(drainJob(imitated, 1), policy, { ours: [structuredClone(entry), structuredClone(certs)] }).map(({ key }) => key)).toEqual(['volumeTypes', undefined, undefined]);
  });

  it('a connection without certificates adds no volumes', () => {
    const environment = anEnvironment({ injection: () => ({ ...injection, volumes: [], volumeMounts: [] }) });
    const pod = podOf(drainJob(blueprint(aQueueSpec({ injectConnection: true }), aConfigMap(), { environment }), 1));
    expect(pod['volumes']).toBeUndefined();
  });

  it('no worker is given a connection that was not asked for, or that is not injectable', () => {
    const unasked = blueprint(aQueueSpec(), aConfigMap(), { environment: anEnvironment({ injection: () => injection }) });
    const refused = blueprint(aQueueSpec({ injectConnection: true }));
    for (const made of [unasked, refused]) expect(JSON.stringify(made)).not.toContain('DB_HOST');
  });

  it('a dry run has no name, so that it meets no existing Job', () => {
    const { name: _name, ...rest } = metadata(drainJob(blueprint(), 1));
    expect(dryRunJob(blueprint())).toEqual({ what: '', manifest: { ...drainJob(blueprint(), 1), metadata: { ...rest, generateName: 'job-chief-check-' } } });
  });

  it('a blueprint knows the revision it was made from', () => {
    expect(drainSpecHash(blueprint(aQueueSpec({ hash: 'hash-9' })))).toBe('hash-9');
    expect(drainSpecHash({ ...blueprint(), manifest: {} })).toBe('');
  });

  it('any template, garbage included, becomes a Job with our labels and name', () => {
    const json = fc.object({ key: fc.constantFrom('metadata', 'spec', 'template', 'containers', 'env', 'labels', 'name', 'volumes', 'x'), maxDepth: 6 });
    fc.assert(
      fc.property(json, fc.integer({ min: 1 }), (template, sequence) => {
        const spec = aQueueSpec({ jobTemplate: template as JsonObject });
        const job = drainJob(blueprint(spec), sequence);
        expect(metadata(job)['name']).toBe(drainJobName(blueprint(), sequence));
        for (const labelled of [job, objectAt(objectAt(job, 'spec'), 'template')]) expect(objectAt(metadata(labelled), 'labels')).toMatchObject({ 'job-chief/run': String(sequence), 'job-chief/name': 'thumbnails' });
      }),
      { numRuns: 50 },
    );
  });
});
