/** A burst of messages into one Queue with perMessage, one Job for each; beside it a bare client creates the same Jobs. */
import { isObject, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { kindLabel, messageAnnotation, nameLabel, specKey } from '../../../src/spec/keys.ts';
import { measurePairs, type RatePair } from './bursts.ts';
import type { ControllerProcess } from './controller.ts';
import { JobWatch } from './job-watch.ts';
import { nameOfKind, openMessageQueues, sourceOf, type MessageQueues, type QueueKind } from './message-queues.ts';
import { configMapsPath, createAll, makeNamespace } from './requests.ts';
import { workerJob } from './specs.ts';
import type { World } from './world.ts';

/** Messages to be counted come into this one. */
const queue = 'messages';
/** A second Queue, whose Jobs end at once: its messages make the controller's code as warm as dry runs make the bare client's. */
const warmUpQueue = 'warm-up';
const warmUps = 300;

export interface MessagesResult {
  readonly kind: QueueKind;
  readonly pairs: readonly RatePair[];
  /** Jobs that were there at the end of each burst, for as many messages as there were. */
  readonly messages: number;
}

export async function measureMessages(world: World, kind: QueueKind): Promise<MessagesResult> {
  const { options, say } = world;
  const namespace = `bench-messages-${kind.toLowerCase()}`;
  await using queues = await openMessageQueues(kind, world, 'messages');
  say(`messages: ${options.count} into one queue (${nameOfKind[kind]})`);
  await queues.create([queue, warmUpQueue], true);
  await makeNamespace(world.api.transport, namespace);
  await createAll(world.api.transport, configMapsPath(namespace), [messageMap(namespace, { kind, queue, runFor: '10m' }), messageMap(namespace, { kind, queue: warmUpQueue, runFor: '0s' })]);
  const pairs = await measurePairs(`messages, ${kind}`, {
    world, queues, namespace, specs: 2, jobs: options.count,
    warmUp: (controller) => warmUp(world, { queues, namespace, controller }),
    send: () => queues.insert(queue, options.count),
    manifests: (stored) => manifestsOf(stored, options.count),
  });
  return { kind, pairs, messages: options.count };
}

/** Leaves finished Jobs whose messages are settled. */
async function warmUp({ api }: World, { queues, namespace, controller }: { readonly queues: MessageQueues; readonly namespace: string; readonly controller: ControllerProcess }): Promise<void> {
  using watch = await JobWatch.open(api.transport, namespace, true);
  await queues.insert(warmUpQueue, warmUps);
  await watch.until('the Jobs of the warm-up', () => watch.finished.size >= warmUps, 300_000);
  await controller.quiet(2);
}

export interface MessageMap {
  readonly kind: QueueKind;
  /** The name of the spec as well. */
  readonly queue: string;
  readonly runFor: string;
}

/** Without a payload: a Secret for each Job would be a write that the bare client does not have. */
export function messageMap(where: string, { kind, queue: name, runFor }: MessageMap): JsonObject {
  const { source, perMessage } = sourceOf(kind, name);
  const text = `apiVersion: job-chief/v1
kind: Queue
source: ${JSON.stringify(source)}
perMessage: ${JSON.stringify({ payload: { file: 'off' }, ...perMessage })}
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
function manifestsOf(all: readonly unknown[], messages: number): JsonObject[] {
  const stored = all.filter((job) => stringAt(objectAt(objectAt(job, 'metadata'), 'labels'), nameLabel) === queue);
  const ids = new Set(stored.map((job) => stringAt(objectAt(objectAt(job, 'metadata'), 'annotations'), messageAnnotation)));
  if (stored.length !== messages || ids.size !== messages) throw new Error(`${stored.length} Jobs for ${ids.size} of ${messages} messages`);
  return stored.filter(isObject).map((job) => {
    const { namespace, name, labels, annotations, ownerReferences } = objectAt(job, 'metadata');
    const { selector: _selector, template, ...spec } = objectAt(job, 'spec');
    const { 'batch.kubernetes.io/job-name': _name, 'batch.kubernetes.io/controller-uid': _uid, 'job-name': _oldName, 'controller-uid': _oldUid, ...podLabels } = objectAt(objectAt(template, 'metadata'), 'labels');
    return {
      apiVersion: 'batch/v1', kind: 'Job',
      metadata: { namespace: namespace ?? '', name: name ?? '', labels: labels ?? {}, annotations: annotations ?? {}, ownerReferences: ownerReferences ?? [] },
      spec: { ...spec, template: { ...objectAt({ template }, 'template'), metadata: { ...objectAt(template, 'metadata'), labels: podLabels } } },
    };
  });
}
