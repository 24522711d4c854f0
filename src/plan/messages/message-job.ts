/** The manifest of the Job for one message, and the Secret with what it is given of it. */
import { objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import * as keys from '../../spec/keys.ts';
import type { MessageQueueSpec } from '../../spec/queue.ts';
import { queueOf, sourceIdentity } from '../../spec/queue-source.ts';
import type { CheckedManifest, OwnParts } from '../action.ts';
import type { PlanEnvironment } from '../environment.ts';
import { jobName } from '../job-name.ts';
import { dryRunOf, eachContainer, groupLabels, jobLabels, literal, mergedMetadata, prependEnv, withVolumes, type Mounts } from '../manifest.ts';
import type { Claim, SpecKey } from '../observed.ts';
import { queueAnnotations, queueDeadline, queueOwner } from '../queue-job.ts';
import { bodyKey, variablePrefix, variablesOf, type Content } from './content.ts';
import type { MessageNote } from './message.ts';

export interface MessageJobInput {
  readonly key: SpecKey;
  readonly spec: MessageQueueSpec;
  readonly claim: Claim;
  readonly environment: PlanEnvironment;
  readonly note: MessageNote;
}

export interface MessageJob {
  readonly jobName: string;
  readonly manifest: JsonObject;
  readonly ours: OwnParts;
}

/** The lock: whoever starts this serial of this message meets this name (docs/adr/0015-owning-a-message.md). */
export function messageJobName({ key, spec, environment }: Pick<MessageJobInput, 'key' | 'spec' | 'environment'>, id: string, serial: number): string {
  return jobName(spec.name, [environment.instance, key.kind, spec.name, ...sourceIdentity(spec.source), id, serial]);
}

/** The whole Job. */
export function messageJob(input: MessageJobInput): MessageJob {
  const { key, spec, claim, environment, note } = input;
  const name = messageJobName(input, note.id, note.serial);
  const labels = { ...jobLabels(key.kind, key.name, environment.instance), ...groupLabels(spec), [keys.attemptLabel]: String(note.attempt) };
  const jobSpec = objectAt(spec.jobTemplate, 'spec');
  const pod = podTemplate(objectAt(jobSpec, 'template'), input, { name, labels });
  return {
    jobName: name,
    manifest: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        namespace: environment.namespace,
        name,
        ...mergedMetadata(objectAt(spec.jobTemplate, 'metadata'), spec.jobMetadata, { labels, annotations: { ...queueAnnotations(spec, claim), [keys.messageAnnotation]: JSON.stringify(note) } }),
        ...queueOwner(spec, claim),
      },
      spec: { ...jobSpec, ...queueDeadline(spec), template: pod.template },
    },
    ours: pod.ours,
  };
}

interface Named {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

function podTemplate(template: JsonObject, { spec, environment, note }: MessageJobInput, { name, labels }: Named): { readonly template: JsonObject; readonly ours: OwnParts } {
  const user = objectAt(template, 'metadata');
  const injected = spec.injectConnection ? environment.injection(spec.source) : undefined;
  const fromSecret = variablesOf(spec.perMessage).map((variable) => secretVariable(variable, name));
  const env = [...plainVariables(spec, note), ...(injected?.env ?? []), ...fromSecret];
  const mounts = [...(injected ? [injected] : []), ...fileMounts(spec, name)];
  const pod = eachContainer(objectAt(template, 'spec'), (container, regular) => prependEnv(container, regular ? [...env, literal(keys.outputEnv, outputPath(container))] : env));
  return {
    template: { ...template, metadata: { ...user, ...mergedMetadata(user, spec.podMetadata, { labels }) }, spec: mounts.reduce(withVolumes, pod) },
    ours: [...(injected?.env ?? []), ...fromSecret, ...mounts.flatMap(({ volumes }) => volumes)],
  };
}

function plainVariables(spec: MessageQueueSpec, { id, attempt }: MessageNote): JsonObject[] {
  return [
    literal('QUEUE_NAME', queueOf(spec.source)),
    literal('JOB_CHIEF_KIND', 'queue'),
    literal('JOB_CHIEF_NAME', spec.name),
    literal('JOB_CHIEF_ATTEMPT', String(attempt)),
    // Kubernetes would take `$(NAME)` in it for a variable.
    literal('JOB_CHIEF_MESSAGE_ID', id.replaceAll('$', () => '$$')),
  ];
}

/** Values of Secrets are not expanded again: whatever the message says stays what it is. */
function secretVariable(name: string, secret: string): JsonObject {
  return { name, valueFrom: { secretKeyRef: { name: secret, key: `${variablePrefix}${name}` } } };
}

function fileMounts({ perMessage: { payload } }: MessageQueueSpec, secret: string): Mounts[] {
  if (payload.file === undefined) return [];
  const name = 'job-chief-message';
  return [
    {
      volumes: [{ name, secret: { secretName: secret, items: [{ key: bodyKey, path: bodyKey }] } }],
      volumeMounts: [{ name, mountPath: payload.file, subPath: bodyKey, readOnly: true }],
    },
  ];
}

/** Init containers get none: nobody reads what they would write there. */
export function outputPath(container: JsonObject): string {
  return stringAt(container, 'terminationMessagePath') ?? '/dev/termination-log';
}

/** Without its owner, which has no UID before it exists. */
export function payloadSecret({ key, environment }: Pick<MessageJobInput, 'key' | 'environment'>, name: string, { data }: Content): JsonObject | undefined {
  return data.size === 0 ? undefined : secretOf({ key, environment }, name, [...data]);
}

/** An immutable Secret with the role of a payload. */
export function secretOf({ key, environment }: Pick<MessageJobInput, 'key' | 'environment'>, name: string, data: readonly (readonly [string, Uint8Array])[]): JsonObject {
  const encoded = data.map(([field, bytes]): [string, Json] => [field, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: environment.namespace, name, labels: { ...jobLabels(key.kind, key.name, environment.instance), [keys.recordLabel]: 'payload' } },
    type: 'Opaque',
    immutable: true,
    data: Object.fromEntries(encoded),
  };
}

/** What the API server is asked about before any message has come. */
export function sampleJob(input: Omit<MessageJobInput, 'note'>): CheckedManifest {
  const { source, perMessage } = input.spec;
  const note: MessageNote = { id: 'sample', source, receipt: {}, serial: 1, attempt: 1, tries: 1, settle: perMessage.settle, retry: perMessage.retry, sha256: '', leasedAt: 0 };
  const { manifest, ours } = messageJob({ ...input, note });
  return { what: '', manifest: dryRunOf(manifest), ours };
}
