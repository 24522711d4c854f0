/** The manifest of the Job for several messages, and the Secret with a file for each of them (docs/adr/0016-owning-a-batch.md). */
import { numberAt, objectAt, type JsonObject } from '../../../lib/json.ts';
import * as keys from '../../../spec/keys.ts';
import type { MessageQueueSpec } from '../../../spec/queue.ts';
import { queueOf, sourceIdentity } from '../../../spec/queue-source.ts';
import type { CheckedManifest, OwnParts } from '../../action.ts';
import type { PlanEnvironment } from '../../environment.ts';
import { jobName } from '../../job-name.ts';
import { dryRunOf, eachContainer, groupLabels, jobLabels, literal, mergedMetadata, prependEnv, withVolumes, type Mounts } from '../../manifest.ts';
import type { Claim, SpecKey } from '../../observed.ts';
import { queueAnnotations, queueDeadline, queueOwner } from '../../queue-job.ts';
import { bodyKey, type Content } from '../content.ts';
import { outputPath, secretOf } from '../message-job.ts';
import type { MessageNote } from '../message.ts';
import { batchNoteText } from './batch-note.ts';

/** As for items of a forEach: Kubernetes puts the index behind the name of the Job, and more behind that for its pods. */
const longestName = 40;

export interface BatchJobInput {
  readonly key: SpecKey;
  readonly spec: MessageQueueSpec;
  readonly claim: Claim;
  readonly environment: PlanEnvironment;
  /** By index. */
  readonly notes: readonly MessageNote[];
  /** Name of the Secret that it mounts. */
  readonly secret: string;
}

/** The same messages in the same order meet this name; that no two batches have one message in common, the task sees to. */
export function batchJobName({ key, spec, environment, notes }: Pick<BatchJobInput, 'key' | 'spec' | 'environment' | 'notes'>): string {
  return jobName(spec.name, [environment.instance, key.kind, spec.name, ...sourceIdentity(spec.source), 'batch', ...notes.flatMap(({ id, serial }) => [id, serial])], longestName);
}

/** The whole Job: suspended, with nothing that says it may run. */
export function batchJob(input: BatchJobInput): { readonly manifest: JsonObject; readonly ours: OwnParts } {
  const { key, spec, claim, environment, notes } = input;
  // Of its messages the one that was tried most often: a label is for people, and for telling its pods from those that drain.
  const attempt = Math.max(...notes.map((note) => note.attempt));
  const labels = { ...jobLabels(key.kind, key.name, environment.instance), ...groupLabels(spec), [keys.attemptLabel]: String(attempt) };
  const jobSpec = objectAt(spec.jobTemplate, 'spec');
  const pod = podTemplate(objectAt(jobSpec, 'template'), input, labels);
  return {
    manifest: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        namespace: environment.namespace,
        name: batchJobName(input),
        ...mergedMetadata(objectAt(spec.jobTemplate, 'metadata'), spec.jobMetadata, { labels, annotations: { ...queueAnnotations(spec, claim), [keys.batchAnnotation]: batchNoteText(notes) } }),
        ...queueOwner(spec, claim),
      },
      spec: { ...indexed(jobSpec, notes.length), ...queueDeadline(spec), suspend: true, template: pod.template },
    },
    ours: pod.ours,
  };
}

/** One pod for each message, each tried once: whether a message is tried again is for `retry`, in another batch. */
function indexed({ backoffLimit: _backoffLimit, ...jobSpec }: JsonObject, count: number): JsonObject {
  const most = numberAt(jobSpec, 'parallelism') ?? count;
  return { ...jobSpec, completionMode: 'Indexed', completions: count, parallelism: Math.min(count, most), backoffLimitPerIndex: 0 };
}

function podTemplate(template: JsonObject, { spec, environment, secret }: BatchJobInput, labels: Readonly<Record<string, string>>): { readonly template: JsonObject; readonly ours: OwnParts } {
  const user = objectAt(template, 'metadata');
  const injected = spec.injectConnection ? environment.injection(spec.source) : undefined;
  const env = [literal('QUEUE_NAME', queueOf(spec.source)), literal('JOB_CHIEF_KIND', 'queue'), literal('JOB_CHIEF_NAME', spec.name), ...(injected?.env ?? [])];
  const mounts = [...(injected ? [injected] : []), fileMounts(spec, secret)];
  const pod = eachContainer(objectAt(template, 'spec'), (container, regular) => prependEnv(container, regular ? [...env, literal(keys.outputEnv, outputPath(container))] : env));
  return {
    template: { ...template, metadata: { ...user, ...mergedMetadata(user, spec.podMetadata, { labels }) }, spec: mounts.reduce(withVolumes, pod) },
    ours: [...(injected?.env ?? []), ...mounts.flatMap(({ volumes }) => volumes)],
  };
}

/** Name of the volume with the payload. */
export const messageVolume = 'job-chief-message';
const indexVariable = '$(JOB_COMPLETION_INDEX)';

/** Of each pod its own: the completion index is in its environment. */
function fileMounts({ perMessage: { payload } }: MessageQueueSpec, secret: string): Mounts {
  const file = (mountPath: string, subPathExpr: string): JsonObject => ({ name: messageVolume, mountPath, subPathExpr, readOnly: true });
  return {
    volumes: [{ name: messageVolume, secret: { secretName: secret } }],
    volumeMounts: [...(payload.file === undefined ? [] : [file(payload.file, indexVariable)]), file(keys.messageIdPath, `${idPrefix}${indexVariable}`)],
  };
}

/** Data keys of ids have this before the index; those of bodies are the index. */
const idPrefix = 'id.';

/** Without its owner, which has no UID before it exists. `contents` by index. */
export function batchSecret(input: Pick<BatchJobInput, 'key' | 'environment' | 'secret'>, messages: readonly { readonly id: string; readonly content: Content }[]): JsonObject {
  const data = messages.flatMap(({ id, content }, index): (readonly [string, Uint8Array])[] => {
    const body = content.data.get(bodyKey);
    return [...(body ? [[String(index), body] as const] : []), [`${idPrefix}${index}`, Buffer.from(id)]];
  });
  return secretOf(input, input.secret, data);
}

/** What the API server is asked about before any message has come. */
export function sampleBatch(input: Omit<BatchJobInput, 'notes' | 'secret'>): CheckedManifest {
  const { source, perMessage } = input.spec;
  const note: MessageNote = { id: 'sample', source, receipt: {}, serial: 1, attempt: 1, tries: 1, settle: perMessage.settle, retry: perMessage.retry, sha256: '', leasedAt: 0 };
  const { manifest, ours } = batchJob({ ...input, notes: [note], secret: 'sample' });
  return { what: '', manifest: dryRunOf(manifest), ours };
}
