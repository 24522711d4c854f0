/**
 * The Job controller. Each sync reads the Job and its pods afresh; pod changes are batched for a second, changes of the
 * Job are taken up at once. Conditions come in their real order: FailureTarget or SuccessCriteriaMet first, Failed or
 * Complete when no pod lives any more.
 */
import type { Timer } from '../lib/clock.ts';
import type { VirtualClock } from './clock.ts';
import type { EventRecorder } from './cluster-events.ts';
import { ApiFailure } from './failure.ts';
import { podOf, podsNeeded } from './job-pods.ts';
import { asJob, asPod, conditionOf, hasCondition, isFinished, type JobObject, type JobStatus, type PodObject } from './job-shape.ts';
import { deadlineOf, finalStatus, interimStatus, type JobEnd, judgeJob, runningStatus } from './job-verdict.ts';
import { type JobMemory, newMemory, tally, type Tally } from './job-tally.ts';
import { jobs, pods } from './objects.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';
import type { Change } from './store.ts';

/** syncJobBatchPeriod of the real controller. */
const batchPeriod = 1000;
const component = 'job-controller';
/** What managedBy says of Jobs that are this controller's, where it says anything. */
const ownName = 'kubernetes.io/job-controller';

export interface JobControllerDeps {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly registry: Registry;
  readonly events: EventRecorder;
}

export class JobController {
  readonly #deps: JobControllerDeps;
  readonly #random: Random;
  readonly #due = new Map<string, { at: number; timer: Timer }>();
  readonly #memories = new Map<string, JobMemory>();
  /** Pods by the UID of the Job that controls them, then by name. */
  readonly #pods = new Map<string, Map<string, PodObject>>();

  constructor(deps: JobControllerDeps) {
    this.#deps = deps;
    this.#random = deps.random.split(component);
    deps.registry.store.subscribe((change) => {
      if (change.resource === jobs) this.#noticeJob(change);
      else if (change.resource === pods) this.#noticePod(change);
    });
  }

  #noticeJob({ type, object, previous }: Change): void {
    const { uid } = object.metadata;
    if (type === 'DELETED') {
      this.#memories.delete(uid);
      this.#due.get(uid)?.timer.cancel();
      this.#due.delete(uid);
      return;
    }
    const changed = previous?.metadata.generation !== object.metadata.generation || previous?.metadata.deletionTimestamp !== object.metadata.deletionTimestamp;
    if (changed) this.#enqueue(uid, this.#random.between(5, 25));
  }

  #noticePod({ type, object }: Change): void {
    const pod = asPod(object);
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === 'Job');
    if (!owner) return;
    const siblings = this.#podsOf(owner.uid);
    siblings.delete(pod.metadata.name);
    if (type !== 'DELETED') siblings.set(pod.metadata.name, pod);
    else this.#noticeLoss(owner.uid, pod);
    if (this.#deps.registry.store.byUid(owner.uid)) this.#enqueue(owner.uid, batchPeriod);
    else if (siblings.size === 0) this.#pods.delete(owner.uid);
  }

  #noticeLoss(uid: string, pod: PodObject): void {
    const memory = this.#memories.get(uid);
    if (memory && !memory.counted.has(pod.metadata.uid)) memory.lost.push(pod);
  }

  #podsOf(uid: string): Map<string, PodObject> {
    const known = this.#pods.get(uid);
    if (known) return known;
    const made = new Map<string, PodObject>();
    this.#pods.set(uid, made);
    return made;
  }

  /** A sync that is due earlier stays as it is. */
  #enqueue(uid: string, delay: number): void {
    const at = this.#deps.clock.now() + delay;
    const known = this.#due.get(uid);
    if (known && known.at <= at) return;
    known?.timer.cancel();
    const timer = this.#deps.clock.quietTimer(delay, () => {
      this.#due.delete(uid);
      const found = this.#deps.registry.store.byUid(uid);
      if (found) this.#sync(asJob(found.object));
    });
    this.#due.set(uid, { at, timer });
  }

  #sync(job: JobObject): void {
    const { uid } = job.metadata;
    if ((job.spec.managedBy ?? ownName) !== ownName) return;
    if (isFinished(job)) {
      this.#expire(job);
      return;
    }
    const memory = this.#memories.get(uid) ?? newMemory();
    this.#memories.set(uid, memory);
    const now = this.#deps.clock.now();
    const count = tally(job, [...this.#podsOf(uid).values()], memory, now);
    const end = judgeJob(job, count, this.#podsOf(uid), now);
    if (end) this.#finish(job, end, count);
    else this.#manage(job, count, memory);
  }

  #finish(job: JobObject, end: JobEnd, count: Tally): void {
    const { clock } = this.#deps;
    const announced = conditionOf(job.status, end.interim) !== undefined;
    this.#remove(count.active);
    const living = count.terminating.length + count.active.filter((pod) => this.#podsOf(job.metadata.uid).has(pod.metadata.name)).length;
    if (!announced || living > 0) {
      this.#write(job, interimStatus({ job, end, count, now: clock.now() }, living));
      if (living === 0) this.#enqueue(job.metadata.uid, this.#random.between(5, 20));
      return;
    }
    const finished = this.#write(job, finalStatus({ job, end, count, now: clock.now() }));
    const type = end.final === 'Complete' ? 'Normal' : 'Warning';
    this.#deps.events.record(finished, component, { type, reason: end.final === 'Complete' ? 'Completed' : end.reason, message: end.final === 'Complete' ? 'Job completed' : end.message });
    this.#expire(finished);
  }

  #manage(job: JobObject, count: Tally, memory: JobMemory): void {
    const { clock, events } = this.#deps;
    const now = clock.now();
    let made = 0;
    let removed = 0;
    if (job.metadata.deletionTimestamp === undefined) {
      const need = podsNeeded(job, count, memory, now);
      removed = need.remove.length;
      // Pods that go because of suspend or a lower parallelism are no failures.
      for (const pod of need.remove) memory.counted.add(pod.metadata.uid);
      this.#remove(need.remove);
      made = this.#create(job, need.create, memory);
      if (need.at !== undefined) this.#enqueue(job.metadata.uid, need.at - now);
    }
    const wasSuspended = hasCondition(job.status, 'Suspended');
    const written = this.#write(job, runningStatus(job, count, now, made - removed));
    if (job.spec.suspend !== wasSuspended) {
      events.record(written, component, job.spec.suspend ? { type: 'Normal', reason: 'Suspended', message: 'Job suspended' } : { type: 'Normal', reason: 'Resumed', message: 'Job resumed' });
    }
    const deadline = deadlineOf(written);
    if (deadline !== undefined) this.#enqueue(job.metadata.uid, Math.max(deadline - now, 1));
  }

  #create(job: JobObject, indexes: readonly (number | undefined)[], memory: JobMemory): number {
    let made = 0;
    for (const index of indexes) {
      try {
        const pod = this.#deps.registry.create(pods, podOf(job, index, this.#random));
        this.#deps.events.record(job, component, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` });
        made += 1;
        memory.createFailures = 0;
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        this.#deps.events.record(job, component, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${error.message}` });
        memory.createFailures += 1;
        this.#enqueue(job.metadata.uid, Math.min(1000 * 2 ** (memory.createFailures - 1), 60_000));
        return made;
      }
    }
    return made;
  }

  #remove(doomed: readonly PodObject[]): void {
    for (const pod of doomed) this.#deps.registry.delete(pods, pod.metadata.name, { propagation: 'Background', uid: pod.metadata.uid });
  }

  #write(job: JobObject, status: JobStatus): JobObject {
    return asJob(this.#deps.registry.update(jobs, job.metadata.name, (current) => ({ ...current, status })));
  }

  /** ttlSecondsAfterFinished: in the foreground, 0.1 s after the end with a TTL of 0. */
  #expire(job: JobObject): void {
    const ttl = job.spec.ttlSecondsAfterFinished;
    if (ttl === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const { clock, registry } = this.#deps;
    const { name, uid } = job.metadata;
    clock.quietTimer(ttl * 1000 + this.#random.between(10, 40), () => {
      const current = registry.store.byUid(uid)?.object;
      if (current && asJob(current).spec.ttlSecondsAfterFinished === ttl) registry.delete(jobs, name, { propagation: 'Foreground', uid });
    });
  }
}
