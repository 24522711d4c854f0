/** A burst of messages into one Queue with perMessage, one Job for each; beside it a bare client creates the same Jobs. */
import { isObject, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { kindLabel, messageAnnotation, specKey } from '../../../src/spec/keys.ts';
import { measurePairs, type RatePair } from './bursts.ts';
import { openQueues } from './queues.ts';
import { configMapsPath, createAll, makeNamespace } from './requests.ts';
import { connection, workerJob } from './specs.ts';
import type { World } from './world.ts';

const namespace = 'bench-messages';
const queue = 'messages';

export interface MessagesResult {
  readonly pairs: readonly RatePair[];
  /** Jobs that were there at the end of each burst, for as many messages as there were. */
  readonly messages: number;
}

export async function measureMessages(world: World): Promise<MessagesResult> {
  const { options, say } = world;
  await using queues = await openQueues(world, 'messages');
  say(`messages: ${options.count} into one queue`);
  await queues.create([queue], true);
  await makeNamespace(world.api.transport, namespace);
  await createAll(world.api.transport, configMapsPath(namespace), [messageMap(namespace, { name: queue, runFor: '10m' })]);
  const pairs = await measurePairs('messages', { world, queues, namespace, specs: 1, jobs: options.count, send: () => queues.insert(queue, options.count), manifests: (stored) => manifestsOf(stored, options.count) });
  return { pairs, messages: options.count };
}

/** Without a payload: a Secret for each Job would be a write that the bare client does not have. */
export function messageMap(where: string, { name, runFor }: { readonly name: string; readonly runFor: string }): JsonObject {
  const text = `apiVersion: job-chief/v1
kind: Queue
source:
  pgBoss: {connection: ${connection}, queue: ${name}}
perMessage:
  payload: {file: off}
concurrency: {max: unlimited}
startTimeout: 1m
timeout: 5m
retention:
  succeeded: {count: 100}
podMetadata:
  annotations:
    fake-kubelet/run-for: ${runFor}
${workerJob}`;
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: where, labels: { [kindLabel]: 'queue' } }, data: { [specKey]: text } };
}

/** What the controller created, without what the API server added to it: a message's id is in each, so nobody could say it before. */
function manifestsOf(stored: readonly unknown[], messages: number): JsonObject[] {
  const ids = new Set(stored.map((job) => stringAt(objectAt(objectAt(job, 'metadata'), 'annotations'), messageAnnotation)));
  if (stored.length !== messages || ids.size !== messages) throw new Error(`${stored.length} Jobs for ${ids.size} of ${messages} messages`);
  return stored.filter(isObject).map((job) => {
    const { name, labels, annotations, ownerReferences } = objectAt(job, 'metadata');
    const { selector: _selector, template, ...spec } = objectAt(job, 'spec');
    const { 'batch.kubernetes.io/job-name': _name, 'batch.kubernetes.io/controller-uid': _uid, 'job-name': _oldName, 'controller-uid': _oldUid, ...podLabels } = objectAt(objectAt(template, 'metadata'), 'labels');
    return {
      apiVersion: 'batch/v1', kind: 'Job',
      metadata: { namespace, name: name ?? '', labels: labels ?? {}, annotations: annotations ?? {}, ownerReferences: ownerReferences ?? [] },
      spec: { ...spec, template: { ...objectAt({ template }, 'template'), metadata: { ...objectAt(template, 'metadata'), labels: podLabels } } },
    };
  });
}
