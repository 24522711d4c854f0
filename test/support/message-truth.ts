/**
 * What really happened to each message, seen from outside job-chief: which Jobs, indexes of Jobs and runs there were for it,
 * what their containers did, and what its queue was told. What must never happen is checked with each change.
 */
import type { Verdict } from '../../src/plan/messages/message.ts';
import { numberAt, stringAt } from '../../src/lib/json.ts';
import { asPod, isTerminal, type PodObject } from '../../src/simulation/job-shape.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import { jobs, type KubeObject, pods, secrets } from '../../src/simulation/objects.ts';
import type { Change } from '../../src/simulation/store.ts';
import { runLabel } from '../../src/spec/keys.ts';
import { isBatch, isLetGo, keyOf, type Noted, notedOn } from './message-carriers.ts';
import type { SentRequest, Simulation } from './simulation.ts';
import { indexOf, jobUidOf } from './storm-truth.ts';

/** A Job, an index of one, or a run that was made for a message, with what its pods did. */
export interface MessageJob extends Omit<Noted, 'settled' | 'settledAt' | 'finished'> {
  /** Milliseconds since 1970. */
  readonly bornAt: number;
  startedAt: number | undefined;
  /** By the containers of its pods: one ended with 0 in all of them; one did not. */
  succeeded: boolean;
  failed: boolean;
  finished: 'Complete' | 'Failed' | undefined;
  settled: string | undefined;
  settledAt: number | undefined;
  /** Somebody asked for its deletion. */
  deleting: boolean;
  gone: boolean;
  /** job-chief asked for its deletion. */
  retired: boolean;
  /** UIDs of its pods that are neither Succeeded nor Failed; they may outlive it. */
  readonly livingPods: Set<string>;
}

/** What is said of a message on its Job before a next Job may be made for it. */
const goesOn: ReadonlySet<string | undefined> = new Set(['returned', 'kept', 'dead']);

export interface TruthOptions {
  /** Messages that cannot become Jobs. */
  readonly invalid?: ((stored: StoredMessage) => boolean) | undefined;
  /**
   * True while two controllers may act at once. Names are all that holds then, and not even they once somebody has deleted
   * what carried a message: one of them remembers, and counts on, the other one begins anew.
   */
  readonly racing?: () => boolean;
}

/** Less what clocks may differ by, which tell the time of the cluster from the answers of its API server. */
const dedupeWindow = 600_000 - 10_000;
/** Milliseconds that a request may be under way. */
const longestRequest = 20_000;

export class MessageTruth {
  readonly violations: string[] = [];
  /** All that there ever were, in order. */
  readonly jobs: MessageJob[] = [];
  readonly #byKey = new Map<string, MessageJob>();
  readonly #byMessage = new Map<string, MessageJob[]>();
  /** Runs, by the names of their records; the newest of each. */
  readonly #runs = new Map<string, MessageJob>();
  readonly #world: Simulation;
  readonly #queues = new Set<SimulatedMessageQueue>();
  /** Ids of what workers completed that fetch for themselves. */
  readonly #drained = new Set<string>();
  readonly #options: TruthOptions;
  /** When job-chief last asked for the deletion of what has that name. */
  readonly #deletions = new Map<string, number>();
  /** Ids of messages of which two controllers knew different things. */
  readonly #disputed = new Set<string>();
  #telling: 'job-chief' | 'worker' = 'job-chief';

  constructor(world: Simulation, options: TruthOptions = {}) {
    this.#world = world;
    this.#options = options;
    world.cluster.store.subscribe((change) => {
      for (const noted of notedOn(change.resource, change.object)) this.#carrier(noted, change);
      if (change.resource === pods) this.#pod(asPod(change.object), change);
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

  /** What is there, and does not say what has become of its message. */
  get unsettled(): MessageJob[] {
    return this.jobs.filter(({ gone, settled }) => !gone && settled === undefined);
  }

  of(id: string): MessageJob[] {
    return this.#byMessage.get(id) ?? [];
  }

  /** What the pod works for; undefined: for no message alone. */
  workOf(pod: KubeObject): MessageJob | undefined {
    const run = this.#runs.get(pod.metadata.labels?.[runLabel] ?? '');
    if (run) return run;
    const uid = jobUidOf(asPod(pod));
    return this.#byKey.get(keyOf(uid, undefined)) ?? this.#byKey.get(keyOf(uid, indexOf(asPod(pod))));
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
    return (id === undefined ? this.jobs : this.of(id)).map((job) => `${((job.bornAt - this.#world.clock.now()) / 1000).toFixed(1)} s ${job.name} for ${job.id} serial ${job.serial} attempt ${job.attempt}: ${job.startedAt === undefined ? 'not started' : 'started'} ${job.finished ?? 'unfinished'} ${job.settled ?? 'not settled'}${job.gone ? ' gone' : ''}`);
  }

  #report(text: string): void {
    this.violations.push(`${(this.#world.clock.monotonic() / 1000).toFixed(3)} s: ${text}`);
  }

  #carrier(noted: Noted, { type, object }: Change): void {
    const { key, name, id, settled } = noted;
    const job = this.#byKey.get(key) ?? this.#born(noted);
    const wasDeleted = job.gone || job.deleting;
    job.gone = type === 'DELETED';
    job.finished = noted.finished;
    if (settled !== undefined && settled !== job.settled) {
      job.settledAt = noted.settledAt;
      this.#checkSettled(job, settled, noted);
    }
    job.settled = settled;
    if (!wasDeleted && (job.gone || object.metadata.deletionTimestamp !== undefined)) this.#deleted(job);
    job.deleting ||= object.metadata.deletionTimestamp !== undefined;
    // Its message is gone from the queue: whoever ends it ends the work.
    if (settled === 'taken' && noted.replaced) this.#report(`${name} is replaced, and is all that is left of message ${id}`);
    this.#checkOneLive(id, `${type} ${name}`);
  }

  #born(noted: Noted): MessageJob {
    const { name, id, attempt, tries } = noted;
    const earlier = this.of(id);
    if (this.#options.racing?.() === true && earlier.some(({ gone, retired }) => gone && !retired)) this.#disputed.add(id);
    for (const before of earlier) this.#checkExplained(noted, before);
    const attempted = earlier.filter((before) => before.failed || before.finished === 'Failed' || (before.gone && !before.retired)).length;
    if (attempt > attempted + 1) this.#report(`${name} is attempt ${attempt} for message ${id}, after ${attempted} that came to nothing`);
    const newest = earlier.at(-1);
    if (newest?.settled === 'returned' && tries > Math.max(1, newest.mostTries)) this.#report(`${name} is try ${tries} within one delivery of message ${id}, and there may be ${newest.mostTries}`);
    const job: MessageJob = { ...noted, bornAt: this.#world.clock.now(), startedAt: undefined, succeeded: false, failed: false, finished: undefined, settled: undefined, settledAt: undefined, deleting: false, gone: false, retired: false, livingPods: new Set() };
    this.jobs.push(job);
    this.#byKey.set(job.key, job);
    this.#byMessage.set(id, [...earlier, job]);
    if (job.kind === 'run') this.#runs.set(name, job);
    return job;
  }

  /** Each Job but the first follows one that failed, did not start, was buried and sent again, or that somebody deleted. */
  #checkExplained({ name, id }: Noted, before: MessageJob): void {
    if (before.gone || goesOn.has(before.settled) || this.#disputed.has(id)) return;
    this.#report(`${name} was made for message ${id}, and ${before.name} is still there and ${before.settled ?? 'not settled'}`);
  }

  /** What a Job says of its message is what its containers did. */
  #checkSettled(job: MessageJob, as: string, { cancelled }: Noted): void {
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
          return tries >= mostTries || cancelled ? undefined : `it was try ${tries} of ${mostTries}`;
        case 'kept':
          return finished === 'Complete' ? 'it has succeeded' : undefined;
        default:
          return 'that means nothing';
      }
    };
    const text = wrong();
    if (text !== undefined) this.#report(`${name} says that message ${id} is ${as}, and ${text}`);
  }

  #pod(pod: PodObject, { type }: Change): void {
    const job = this.workOf(pod);
    const states = (pod.status.containerStatuses ?? []).map(({ state }) => state);
    const runs = states.some(({ running }) => running !== undefined);
    if (!job) {
      if (runs) this.#checkLetGo(pod);
      return;
    }
    if (type === 'DELETED' || isTerminal(pod)) job.livingPods.delete(pod.metadata.uid);
    else job.livingPods.add(pod.metadata.uid);
    this.#checkOneLive(job.id, `${type} Pod ${pod.metadata.name}`);
    // A container that never started ends too, when its pod is deleted.
    if (runs) job.startedAt ??= this.#world.clock.now();
    if (job.startedAt === undefined) return;
    const codes = states.map(({ terminated }) => numberAt(terminated, 'exitCode'));
    if (codes.length > 0 && codes.every((code) => code === 0)) job.succeeded = true;
    if (codes.some((code) => code !== undefined && code !== 0)) job.failed = true;
  }

  /** Until all leases of its messages were in hand at once nothing of a batch may run. */
  #checkLetGo(pod: PodObject): void {
    const uid = jobUidOf(pod);
    const batch = this.#world.cluster.store.list(jobs).find(({ metadata }) => metadata.uid === uid);
    if (batch && isBatch(batch) && !isLetGo(batch)) this.#report(`Pod ${pod.metadata.name} runs, and its batch was never let go`);
  }

  /** Unfinished, or with a living pod, also when the Job itself is gone. */
  #checkOneLive(id: string, after: string): void {
    if (this.#disputed.has(id)) return;
    const live = this.of(id).filter(({ gone, finished, livingPods }) => livingPods.size > 0 || (!gone && finished === undefined));
    if (live.length > 1) this.#report(`message ${id} has ${live.length} live Jobs (${live.map(({ name }) => name).join(', ')}) after ${after}`);
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

  /** No container starts without its content. Of a Job that is gone its content went along; batches are let go with it, runs hold it themselves. */
  #isStored({ kind, name, bare, gone, startedAt }: MessageJob): boolean {
    return kind !== 'Job' || bare || gone || startedAt !== undefined || this.#world.cluster.store.get(secrets, name) !== undefined;
  }

  #request({ method, path, at }: SentRequest): void {
    const name = method === 'DELETE' ? /\/(?:jobs|configmaps)\/([^/]+)$/u.exec(path)?.[1] : undefined;
    if (name !== undefined) this.#deletions.set(name, at);
  }

  /** Retention: only what is settled, and not before redeliveries have had their time to meet it. What was refused, since somebody had written meanwhile, is none. */
  #deleted(job: MessageJob): void {
    const at = this.#deletions.get(job.name);
    if (job.retired || at === undefined || at < this.#world.clock.now() - longestRequest) return;
    job.retired = true;
    if (job.settledAt === undefined) this.#report(`${job.name} is deleted before its message ${job.id} is settled`);
    else if (at < job.settledAt + dedupeWindow) this.#report(`${job.name} is deleted ${(at - job.settledAt) / 1000} s after its message ${job.id} was settled`);
  }
}

/** The message that a pod of a Job for one works on. */
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
