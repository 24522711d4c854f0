/**
 * What really happened to each message, seen from outside job-chief: which Jobs there were for it, what their containers
 * did, and what its queue was told. What must never happen is checked with each change.
 */
import type { Verdict } from '../../src/plan/messages/message.ts';
import { isObject, type Json, numberAt, objectAt, parseJson, stringAt } from '../../src/lib/json.ts';
import { asJob, asPod, hasCondition, isFinished, isTerminal, type PodObject } from '../../src/simulation/job-shape.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import { jobs, type KubeObject, pods, secrets } from '../../src/simulation/objects.ts';
import type { Change } from '../../src/simulation/store.ts';
import { messageAnnotation, outcomeAnnotation, settledAnnotation } from '../../src/spec/keys.ts';
import type { SentRequest, Simulation } from './simulation.ts';

/** A Job that was made for a message, with what its pods did. */
export interface MessageJob {
  readonly name: string;
  readonly uid: string;
  readonly id: string;
  readonly serial: number;
  readonly attempt: number;
  /** Within its delivery, and how many of these there may be. */
  readonly tries: number;
  readonly mostTries: number;
  readonly onJobCreated: boolean;
  /** It asks for nothing of the message. */
  readonly bare: boolean;
  /** Milliseconds since 1970. */
  readonly bornAt: number;
  startedAt: number | undefined;
  /** By the containers of its pods: one ended with 0 in all of them; one did not. */
  succeeded: boolean;
  failed: boolean;
  finished: 'Complete' | 'Failed' | undefined;
  settled: string | undefined;
  settledAt: number | undefined;
  gone: boolean;
  /** job-chief asked for its deletion. */
  retired: boolean;
}

/** What is said of a message on its Job before a next Job may be made for it. */
const goesOn: ReadonlySet<string | undefined> = new Set(['returned', 'kept', 'dead']);

export interface TruthOptions {
  /** Messages that cannot become Jobs. */
  readonly invalid?: ((stored: StoredMessage) => boolean) | undefined;
}

/** Less what clocks may differ by, which tell the time of the cluster from the answers of its API server. */
const dedupeWindow = 600_000 - 10_000;

export class MessageTruth {
  readonly violations: string[] = [];
  /** All that there ever were, in order. */
  readonly jobs: MessageJob[] = [];
  readonly #world: Simulation;
  readonly #queues = new Set<SimulatedMessageQueue>();
  /** Ids of what workers completed that fetch for themselves. */
  readonly #drained = new Set<string>();
  #telling: 'job-chief' | 'worker' = 'job-chief';
  readonly #options: TruthOptions;

  constructor(world: Simulation, options: TruthOptions = {}) {
    this.#world = world;
    this.#options = options;
    world.cluster.store.subscribe((change) => {
      if (change.resource === jobs) this.#job(change);
      else if (change.resource === pods) this.#pod(asPod(change.object), change);
    });
    world.onRequest((request) => { this.#request(request); });
  }

  watch(queue: SimulatedMessageQueue): void {
    this.#queues.add(queue);
    queue.onTold((stored, verdict) => { this.#told(queue, stored, verdict); });
  }

  /** Runs what a worker does that fetches for itself: what it tells the queue is its own affair. */
  byWorker(tell: () => void): void {
    this.#telling = 'worker';
    try {
      tell();
    } finally {
      this.#telling = 'job-chief';
    }
  }

  /** Jobs that are there, and do not say what has become of their messages. */
  get unsettled(): MessageJob[] {
    return this.jobs.filter(({ gone, settled }) => !gone && settled === undefined);
  }

  of(id: string): MessageJob[] {
    return this.jobs.filter((job) => job.id === id);
  }

  /** Jobs for a message whose containers started: each of them is an attempt. */
  attempts(id: string): number {
    return this.of(id).filter(({ startedAt }) => startedAt !== undefined).length;
  }

  /** What is wrong when everything has come to rest; empty: nothing. */
  atEnd(): string[] {
    const messages = [...this.#queues].flatMap((queue) => queue.messages.map((stored) => ({ queue, stored })));
    return messages.flatMap(({ queue, stored }) => {
      const { message: { id }, state } = stored;
      const wrong: string[] = [];
      if (state === 'inFlight') wrong.push(`message ${id} of "${queue.name}" is still in flight`);
      if (state === 'dropped') wrong.push(`message ${id} of "${queue.name}" was dropped`);
      if (state === 'completed' && !this.#mayComplete(queue, stored)) wrong.push(`message ${id} of "${queue.name}" is completed, and no Job for it succeeded`);
      return wrong;
    });
  }

  /** One line for each Job, for reports. */
  story(id?: string): string[] {
    return this.jobs.filter((job) => id === undefined || job.id === id).map((job) => `${((job.bornAt - this.#world.clock.now()) / 1000).toFixed(1)} s ${job.name} for ${job.id} serial ${job.serial} attempt ${job.attempt}: ${job.startedAt === undefined ? 'not started' : 'started'} ${job.finished ?? 'unfinished'} ${job.settled ?? 'not settled'}${job.gone ? ' gone' : ''}`);
  }

  #report(text: string): void {
    this.violations.push(`${(this.#world.clock.monotonic() / 1000).toFixed(3)} s: ${text}`);
  }

  #job({ type, object }: Change): void {
    const { name, uid, annotations = {} } = object.metadata;
    const note = parseJson(annotations[messageAnnotation]);
    const id = stringAt(note, 'id');
    if (id === undefined) return;
    if (type === 'ADDED') this.#born({ name, uid, id, ...notedOf(note) });
    const job = this.jobs.find((one) => one.uid === uid);
    if (!job) return;
    job.gone = type === 'DELETED';
    const { status } = asJob(object);
    if (hasCondition(status, 'Complete')) job.finished = 'Complete';
    if (hasCondition(status, 'Failed')) job.finished = 'Failed';
    const settledNote = parseJson(annotations[settledAnnotation]);
    const settled = stringAt(settledNote, 'as');
    if (settled !== undefined && settled !== job.settled) {
      job.settledAt = numberAt(settledNote, 'at');
      this.#checkSettled(job, settled);
    }
    job.settled = settled;
    // Its message is gone from the queue: whoever ends it ends the work.
    if (settled === 'taken' && stringAt(parseJson(annotations[outcomeAnnotation]), 'reason') === 'SpecChanged') this.#report(`Job ${name} is replaced, and is all that is left of message ${id}`);
    this.#checkOneLive(id, `${type} Job ${name}`);
  }

  #born(job: Born): void {
    const earlier = this.of(job.id);
    for (const before of earlier) this.#checkExplained(job, before);
    const attempted = earlier.filter((before) => before.failed || before.finished === 'Failed' || (before.gone && !before.retired)).length;
    if (job.attempt > attempted + 1) this.#report(`Job ${job.name} is attempt ${job.attempt} for message ${job.id}, after ${attempted} that came to nothing`);
    const newest = earlier.at(-1);
    if (newest?.settled === 'returned' && job.tries > Math.max(1, newest.mostTries)) this.#report(`Job ${job.name} is try ${job.tries} within one delivery of message ${job.id}, and there may be ${newest.mostTries}`);
    this.jobs.push({ ...job, bornAt: this.#world.clock.now(), startedAt: undefined, succeeded: false, failed: false, finished: undefined, settled: undefined, settledAt: undefined, gone: false, retired: false });
  }

  /** Each Job but the first follows one that failed, did not start, was buried and sent again, or that somebody deleted. */
  #checkExplained(job: Born, before: MessageJob): void {
    if (before.gone || goesOn.has(before.settled)) return;
    this.#report(`Job ${job.name} was made for message ${job.id}, whose Job ${before.name} is still there and ${before.settled ?? 'not settled'}`);
  }

  /** What a Job says of its message is what its containers did. */
  #checkSettled(job: MessageJob, as: string): void {
    const { name, id, succeeded, failed, finished, onJobCreated, tries, mostTries } = job;
    const wrong = (): string | undefined => {
      switch (as) {
        case 'completed':
        case 'presumed':
          return succeeded || finished === 'Complete' || onJobCreated ? undefined : 'it has not succeeded';
        case 'taken':
          return onJobCreated ? undefined : 'it is to be settled by its outcome';
        case 'returned':
          return failed || finished === 'Failed' ? undefined : 'it has not failed';
        case 'dead':
          if (!failed && finished !== 'Failed') return 'it has not failed';
          return tries >= mostTries ? undefined : `it was try ${tries} of ${mostTries}`;
        case 'kept':
          return finished === 'Complete' ? 'it has succeeded' : undefined;
        default:
          return 'that means nothing';
      }
    };
    const text = wrong();
    if (text !== undefined) this.#report(`Job ${name} says that message ${id} is ${as}, and ${text}`);
  }

  #pod(pod: PodObject, { type }: Change): void {
    const job = this.jobs.find(({ uid }) => uid === pod.metadata.labels?.['batch.kubernetes.io/controller-uid']);
    if (!job) return;
    this.#checkOneLive(job.id, `${type} Pod ${pod.metadata.name}`);
    const states = (pod.status.containerStatuses ?? []).map(({ state }) => state);
    // A container that never started ends too, when its pod is deleted.
    if (states.some(({ running }) => running !== undefined)) job.startedAt ??= this.#world.clock.now();
    if (job.startedAt === undefined) return;
    const codes = states.map(({ terminated }) => numberAt(terminated, 'exitCode'));
    if (codes.length > 0 && codes.every((code) => code === 0)) job.succeeded = true;
    if (codes.some((code) => code !== undefined && code !== 0)) job.failed = true;
  }

  /** Unfinished, or with a living pod, also when the Job itself is gone. */
  #checkOneLive(id: string, after: string): void {
    const mine = new Map(this.of(id).map((job) => [job.uid, job]));
    const live = new Set<string>();
    for (const job of this.#world.jobs()) if (mine.has(job.metadata.uid) && !isFinished(job)) live.add(job.metadata.name);
    for (const pod of this.#world.pods()) {
      const job = mine.get(pod.metadata.labels?.['batch.kubernetes.io/controller-uid'] ?? '');
      if (job && !isTerminal(pod)) live.add(job.name);
    }
    if (live.size > 1) this.#report(`message ${id} has ${live.size} live Jobs (${[...live].join(', ')}) after ${after}`);
  }

  #told(queue: SimulatedMessageQueue, stored: StoredMessage, verdict: Verdict): void {
    const { id } = stored.message;
    if (this.#telling === 'worker') {
      if (verdict.kind === 'complete') this.#drained.add(id);
      return;
    }
    if (verdict.kind === 'complete' && !this.#mayComplete(queue, stored)) this.#report(`message ${id} is acknowledged, and none of its Jobs succeeded: ${this.story(id).join('; ')}`);
    if (verdict.kind === 'fail' && !this.#isInvalid(stored) && !this.of(id).some(({ failed, finished }) => failed || finished === 'Failed')) this.#report(`message ${id} is said to have failed, and none of its Jobs did`);
  }

  #isInvalid(stored: StoredMessage): boolean {
    return this.#options.invalid?.(stored) === true;
  }

  #mayComplete(queue: SimulatedMessageQueue, stored: StoredMessage): boolean {
    const { id } = stored.message;
    const mine = this.of(id);
    if (mine.some(({ succeeded, finished }) => succeeded || finished === 'Complete')) return true;
    if (this.#drained.has(id)) return true;
    if (mine.some((job) => job.onJobCreated && this.#isStored(job))) return true;
    const published = this.#world.broker.all.some((other) => other !== queue && other.find(id) !== undefined);
    return published && (this.#isInvalid(stored) || mine.some(({ failed, finished }) => failed || finished === 'Failed'));
  }

  /** No container starts without its content. Of a Job that is gone its content went along. */
  #isStored({ name, bare, gone, startedAt }: MessageJob): boolean {
    return bare || gone || startedAt !== undefined || this.#world.cluster.store.get(secrets, name) !== undefined;
  }

  /** Retention: only what is settled, and not before redeliveries have had their time to meet it. */
  #request({ method, path, at }: SentRequest): void {
    const name = method === 'DELETE' ? path.split('/jobs/')[1] : undefined;
    const job = this.jobs.find((one) => one.name === name && !one.gone);
    if (!job) return;
    job.retired = true;
    if (job.settledAt === undefined) this.#report(`Job ${job.name} is deleted before its message is settled`);
    else if (at < job.settledAt + dedupeWindow) this.#report(`Job ${job.name} is deleted ${(at - job.settledAt) / 1000} s after its message was settled`);
  }
}

type Born = Pick<MessageJob, 'name' | 'uid' | 'id' | 'serial' | 'attempt' | 'tries' | 'mostTries' | 'onJobCreated' | 'bare'>;

function notedOf(note: Json | undefined): Omit<Born, 'name' | 'uid' | 'id'> {
  return {
    serial: numberAt(note, 'serial') ?? 0,
    attempt: numberAt(note, 'attempt') ?? 0,
    tries: numberAt(note, 'tries') ?? 0,
    mostTries: numberAt(objectAt(note, 'retry'), 'attempts') ?? 1,
    onJobCreated: stringAt(note, 'settle') === 'onJobCreated',
    bare: isObject(note) && note['bare'] === true,
  };
}

/** The message that a pod works on. */
export function workOf(pod: KubeObject): { readonly id: string; readonly attempt: number } {
  return { id: variableOf(pod, 'JOB_CHIEF_MESSAGE_ID') ?? '', attempt: Number(variableOf(pod, 'JOB_CHIEF_ATTEMPT') ?? 0) };
}

/** The queue that it is started for. */
export function queueOf(pod: KubeObject): string {
  return variableOf(pod, 'QUEUE_NAME') ?? '';
}

function variableOf(pod: KubeObject, variable: string): string | undefined {
  const env = (asPod(pod).spec.containers[0]?.env ?? []) as readonly unknown[];
  return stringAt(env.find((one) => stringAt(one, 'name') === variable), 'value');
}
