/**
 * What really happened to each message of batches, seen from outside job-chief: which index of which Job was made for it,
 * what its containers did, and what its queue was told. What must never happen is checked with each change.
 */
import { parseIndexes } from '../../src/lib/index-ranges.ts';
import { arrayAt, numberAt, objectAt, parseJson, stringAt } from '../../src/lib/json.ts';
import type { Verdict } from '../../src/plan/messages/message.ts';
import { asJob, asPod, hasCondition, isTerminal, type PodObject } from '../../src/simulation/job-shape.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import { jobs, pods } from '../../src/simulation/objects.ts';
import type { Change } from '../../src/simulation/store.ts';
import { batchAnnotation, committedAnnotation, settledIndexAnnotation } from '../../src/spec/keys.ts';
import type { SentRequest, Simulation } from './simulation.ts';

/** One index of a Job. */
export interface BatchItem {
  readonly name: string;
  readonly uid: string;
  readonly index: number;
  readonly id: string;
  readonly serial: number;
  readonly attempt: number;
  readonly onJobCreated: boolean;
  committed: boolean;
  startedAt: number | undefined;
  /** By the containers of its pods. */
  succeeded: boolean;
  failed: boolean;
  /** By the Job controller's word for the index, or for the whole Job. */
  over: 'Complete' | 'Failed' | undefined;
  settled: string | undefined;
  settledAt: number | undefined;
  gone: boolean;
}

const indexKey = 'batch.kubernetes.io/job-completion-index';
/** Less what clocks may differ by. */
const dedupeWindow = 600_000 - 10_000;

export class BatchTruth {
  readonly violations: string[] = [];
  /** Of all Jobs that there ever were, in order. */
  readonly items: BatchItem[] = [];
  readonly #world: Simulation;
  readonly #queues = new Set<SimulatedMessageQueue>();
  readonly #isInvalid: (stored: StoredMessage) => boolean;

  constructor(world: Simulation, isInvalid: (stored: StoredMessage) => boolean = () => false) {
    this.#world = world;
    this.#isInvalid = isInvalid;
    world.cluster.store.subscribe((change) => {
      if (change.resource === jobs) this.#job(change);
      else if (change.resource === pods) this.#pod(asPod(change.object));
    });
    world.onRequest((request) => { this.#request(request); });
  }

  watch(queue: SimulatedMessageQueue): void {
    this.#queues.add(queue);
    queue.onTold((stored, verdict) => { this.#told(queue, stored, verdict); });
  }

  of(id: string): BatchItem[] {
    return this.items.filter((item) => item.id === id);
  }

  /** Of those that were let go, by Job. */
  batches(): string[][] {
    return [...Map.groupBy(this.items.filter(({ committed }) => committed), ({ uid }) => uid).values()].map((items) => items.map(({ id }) => id));
  }

  attempts(id: string): number {
    return this.of(id).filter(({ startedAt }) => startedAt !== undefined).length;
  }

  /** What is wrong when everything has come to rest; empty: nothing. */
  atEnd(): string[] {
    const left = this.items.filter(({ gone, committed }) => !gone && !committed).map(({ name, id }) => `Job ${name} of message ${id} was never let go, and is still there`);
    const messages = [...this.#queues].flatMap((queue) => queue.messages.map((stored) => ({ queue, stored })));
    return [...left, ...messages.flatMap(({ queue, stored }) => {
      const { message: { id }, state } = stored;
      const wrong: string[] = [];
      if (state === 'inFlight') wrong.push(`message ${id} of "${queue.name}" is still in flight`);
      if (state === 'dropped') wrong.push(`message ${id} of "${queue.name}" was dropped`);
      if (state === 'completed' && !this.#mayComplete(queue, stored)) wrong.push(`message ${id} of "${queue.name}" is completed, and no index for it succeeded`);
      return wrong;
    })];
  }

  /** One line for each, for reports. */
  story(): string[] {
    return this.items.map((one) => `${one.name}/${one.index} for ${one.id} serial ${one.serial} attempt ${one.attempt}: ${one.committed ? 'let go' : 'never let go'} ${one.startedAt === undefined ? 'not started' : 'started'} ${one.over ?? 'not over'} ${one.settled ?? 'not settled'}${one.gone ? ' gone' : ''}`);
  }

  #report(text: string): void {
    this.violations.push(`${(this.#world.clock.monotonic() / 1000).toFixed(3)} s: ${text}`);
  }

  #job({ type, object }: Change): void {
    const { name, uid, annotations = {} } = object.metadata;
    const notes = parseJson(annotations[batchAnnotation]);
    if (!Array.isArray(notes)) return;
    if (type === 'ADDED') {
      for (const [index, note] of notes.entries()) {
        const onJobCreated = stringAt(notes[0], 'settle') === 'onJobCreated';
        const counts = { serial: numberAt(note, 'serial') ?? 0, attempt: numberAt(note, 'attempt') ?? 0 };
        this.items.push({ name, uid, index, id: stringAt(note, 'id') ?? '', ...counts, onJobCreated, committed: false, startedAt: undefined, succeeded: false, failed: false, over: undefined, settled: undefined, settledAt: undefined, gone: false });
      }
    }
    for (const item of this.items.filter((one) => one.uid === uid)) this.#update(item, { type, object });
  }

  #update(item: BatchItem, { type, object }: Pick<Change, 'type' | 'object'>): void {
    const { annotations = {} } = object.metadata;
    const { status } = asJob(object);
    item.gone = type === 'DELETED';
    if (parseIndexes(status.completedIndexes).has(item.index) || hasCondition(status, 'Complete')) item.over ??= 'Complete';
    if (parseIndexes(status.failedIndexes).has(item.index) || hasCondition(status, 'Failed')) item.over ??= 'Failed';
    const settled = parseJson(annotations[settledIndexAnnotation(item.index)]);
    item.settled = stringAt(settled, 'as');
    item.settledAt = numberAt(settled, 'at');
    if (annotations[committedAnnotation] === 'true' && !item.committed) this.#committed(item);
    item.committed ||= annotations[committedAnnotation] === 'true';
    this.#checkSettled(item);
    this.#checkOneLive(item.id, `${type} Job ${item.name}`);
  }

  #committed(item: BatchItem): void {
    for (const before of this.of(item.id)) {
      if (before.uid === item.uid || before.gone || !before.committed) continue;
      if (before.settled === undefined) this.#report(`Job ${item.name} was let go for message ${item.id}, of which Job ${before.name} says nothing yet`);
      if (before.succeeded || before.over === 'Complete') this.#report(`Job ${item.name} was let go for message ${item.id}, whose index of Job ${before.name} has succeeded`);
    }
  }

  /** What is said of a message is what its own pods did. */
  #checkSettled({ name, index, id, settled, succeeded, failed, over, onJobCreated }: BatchItem): void {
    const worked = succeeded || over === 'Complete';
    const didNot = failed || over === 'Failed';
    const right: Readonly<Record<string, boolean>> = { completed: worked && !onJobCreated, presumed: worked || onJobCreated, returned: didNot && !onJobCreated, dead: didNot && !onJobCreated, kept: over === 'Failed', taken: onJobCreated };
    if (settled !== undefined && right[settled] !== true) this.#report(`index ${index} of Job ${name} says that message ${id} is ${settled}, and it is not`);
  }

  #pod(pod: PodObject): void {
    const index = Number(pod.metadata.annotations?.[indexKey] ?? -1);
    const item = this.items.find((one) => one.uid === pod.metadata.labels?.['batch.kubernetes.io/controller-uid'] && one.index === index);
    if (!item) return;
    this.#checkOneLive(item.id, `Pod ${pod.metadata.name}`);
    const states = (pod.status.containerStatuses ?? []).map(({ state }) => state);
    if (states.some(({ running }) => running !== undefined)) item.startedAt ??= this.#world.clock.now();
    if (item.startedAt === undefined) return;
    if (!item.committed) this.#report(`a container of Job ${item.name} has started, which was never let go`);
    const codes = states.map(({ terminated }) => numberAt(terminated, 'exitCode'));
    if (codes.length > 0 && codes.every((code) => code === 0)) item.succeeded = true;
    if (codes.some((code) => code !== undefined && code !== 0)) item.failed = true;
  }

  /** Let go and not over, or with a living pod, also when the Job itself is gone. */
  #checkOneLive(id: string, after: string): void {
    const live = new Set<string>();
    for (const item of this.of(id)) {
      const unfinished = item.committed && !item.gone && item.over === undefined && !item.succeeded;
      if (unfinished || this.#podsOf(item).some((pod) => !isTerminal(pod) && !item.succeeded)) live.add(`${item.name}/${item.index}`);
    }
    if (live.size > 1) this.#report(`message ${id} has ${live.size} live indexes (${[...live].join(', ')}) after ${after}`);
  }

  #podsOf({ uid, index }: BatchItem): PodObject[] {
    return this.#world.pods().filter(({ metadata: { labels, annotations } }) => labels?.['batch.kubernetes.io/controller-uid'] === uid && annotations?.[indexKey] === String(index));
  }

  #told(queue: SimulatedMessageQueue, stored: StoredMessage, verdict: Verdict): void {
    const { id } = stored.message;
    if (verdict.kind === 'complete' && !this.#mayComplete(queue, stored)) this.#report(`message ${id} is acknowledged, and none of its indexes succeeded: ${this.story().join('; ')}`);
    if (verdict.kind === 'fail' && !this.#isInvalid(stored) && !this.of(id).some(({ failed, over }) => failed || over === 'Failed')) this.#report(`message ${id} is said to have failed, and none of its indexes did`);
  }

  #mayComplete(queue: SimulatedMessageQueue, stored: StoredMessage): boolean {
    const { id } = stored.message;
    const mine = this.of(id);
    if (mine.some(({ succeeded, over, onJobCreated, committed }) => succeeded || over === 'Complete' || (onJobCreated && committed))) return true;
    const published = this.#world.broker.all.some((other) => other !== queue && other.find(id) !== undefined);
    return published && (this.#isInvalid(stored) || mine.some(({ failed, over }) => failed || over === 'Failed'));
  }

  /** What was let go goes only when all its messages are settled, and not before redeliveries have had their time to meet it. */
  #request({ method, path, at }: SentRequest): void {
    const name = method === 'DELETE' ? path.split('/jobs/')[1] : undefined;
    for (const { committed, settledAt, id } of this.items.filter((one) => one.name === name && !one.gone)) {
      if (!committed) continue;
      if (settledAt === undefined) this.#report(`Job ${name ?? ''} is to be deleted before message ${id} is settled`);
      else if (at < settledAt + dedupeWindow) this.#report(`Job ${name ?? ''} is to be deleted ${(at - settledAt) / 1000} s after message ${id} was settled`);
    }
  }
}

/** The message that a pod of a batch works on, by what its Job says and its own index. */
export function batchWorkOf(world: Simulation, pod: PodObject): { readonly id: string; readonly attempt: number } {
  const uid = pod.metadata.labels?.['batch.kubernetes.io/controller-uid'];
  const job = world.jobs().find(({ metadata }) => metadata.uid === uid);
  const note = arrayAt({ notes: parseJson(job?.metadata.annotations?.[batchAnnotation]) }, 'notes')[Number(pod.metadata.annotations?.[indexKey] ?? -1)];
  return { id: stringAt(note, 'id') ?? '', attempt: numberAt(objectAt({ note }, 'note'), 'attempt') ?? 0 };
}
