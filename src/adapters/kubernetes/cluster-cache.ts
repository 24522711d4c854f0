/** The instance's Jobs and Pods as the watches show them, by spec. */
import type { Clock } from '../../lib/clock.ts';
import type { MessageNote } from '../../plan/messages/message.ts';
import type { ObservedJob, ObservedPod, SpecKey } from '../../plan/observed.ts';
import type { ClusterCache, LiveJobs, Log } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { KeyIndex } from './key-index.ts';
import { instanceSelector } from './labels.ts';
import { LiveIndex } from './live-index.ts';
import { unreadKeep } from './notes.ts';
import { newShared, projectJob } from './project-job.ts';
import type { CachedJob } from './project-job.ts';
import { isLiving, projectPod } from './project-pod.ts';
import type { CachedPod } from './project-pod.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorMeter } from './reflector.ts';
import { jobs, pods } from './resources.ts';
import { hasReached } from './resource-version.ts';
import type { Change } from './store.ts';

export interface ClusterCacheOptions {
  readonly client: Pick<KubernetesClient, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly instance: string;
  readonly log: Log;
  /** Something about the key's Jobs or Pods is different now. `appeared`: only that an unfinished Job is there. */
  readonly onChange: (key: SpecKey, appeared?: boolean) => void;
  /** A Job went without having finished: somebody deleted it, or its owner. */
  readonly onVanished: (key: SpecKey, job: Pick<ObservedJob, 'name' | 'uid' | 'ownerUid'>) => void;
  /** A Job went whose message nobody had settled. */
  readonly onUnsettled?: (key: SpecKey, note: MessageNote) => void;
  /** Is told which Jobs are live. */
  readonly live?: LiveJobs;
  /** Hooks for one watch; `resource` is the plural. */
  readonly meter?: (resource: string) => ReflectorMeter;
}

/** Start it once, stop it once; reading it never waits and never fails. */
export class KubernetesClusterCache implements ClusterCache {
  readonly jobReflector: Reflector<CachedJob>;
  readonly podReflector: Reflector<CachedPod>;
  readonly #options: ClusterCacheOptions;
  readonly #live: LiveIndex | undefined;
  readonly #jobs = new KeyIndex<CachedJob>();
  readonly #pods = new KeyIndex<CachedPod>();
  /** What is known of Jobs by pods that are gone, by UID. */
  readonly #gone = new Map<string, { readonly pods: NonNullable<ObservedJob['gone']>; readonly ranAt: number | undefined }>();

  /** Until when Jobs are to stay, by key and UID: the few on which somebody wrote that. */
  readonly #kept = new Map<string, Map<string, number>>();

  constructor(options: ClusterCacheOptions) {
    this.#options = options;
    this.#live = options.live && new LiveIndex(options.live);
    const { clock, meter } = options;
    const shared = newShared();
    const common = { client: options.client, clock, random: options.random, labelSelector: instanceSelector(options.instance), log: options.log };
    this.jobReflector = new Reflector<CachedJob>({
      ...common,
      resource: jobs,
      meter: meter?.(jobs.plural),
      project: (raw) => projectJob(raw, shared),
      onChange: (change) => {
        this.#jobChanged(change);
      },
    });
    this.podReflector = new Reflector<CachedPod>({
      ...common,
      resource: pods,
      meter: meter?.(pods.plural),
      project: (raw, before) => projectPod(raw, before, { now: clock.now(), shared }),
      // The kubelet writes a pod's status several times for each step that matters here.
      same: (before, after) => JSON.stringify(before) === JSON.stringify(after),
      onChange: (change) => {
        this.#live?.podChanged(change);
        if (change.kind === 'deleted') this.#podLost(change.before);
        for (const key of this.#pods.apply(change)) options.onChange(key);
      },
    });
  }

  start(): void {
    this.jobReflector.start();
    this.podReflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.jobReflector.stop(), this.podReflector.stop()]);
  }

  /** Resolves when all that is there this moment has been taken in, however far behind the watches were. */
  async refresh(): Promise<void> {
    await Promise.all([this.jobReflector.refresh(), this.podReflector.refresh()]);
  }

  get synced(): boolean {
    return this.jobReflector.synced && this.podReflector.synced;
  }

  get whenSynced(): Promise<undefined> {
    return Promise.all([this.jobReflector.whenSynced, this.podReflector.whenSynced]).then(() => undefined);
  }

  jobs(key: SpecKey): readonly ObservedJob[] {
    const byJob = this.#podsByJob(key);
    return [...this.#jobs.of(key)].map(({ key: _key, place: _place, unreadKeep: _unread, ...job }) => ({ ...job, ...this.#memoryOf(job.uid), pods: byJob.get(job.uid) ?? none }));
  }

  keptUntil(key: SpecKey): number | undefined {
    const kept = [...(this.#kept.get(`${key.kind}/${key.name}`)?.values() ?? [])];
    return kept.length === 0 ? undefined : Math.max(...kept);
  }

  orphans(key: SpecKey): readonly ObservedPod[] {
    return [...this.#pods.of(key)].filter((pod) => isLiving(pod) && this.#jobOf(pod) === undefined);
  }

  keys(): readonly SpecKey[] {
    const found = new Map<string, SpecKey>();
    const add = (key: SpecKey): unknown => found.set(`${key.kind}/${key.name}`, key);
    for (const { key } of this.#jobs.groups()) add(key);
    for (const { key, objects } of this.#pods.groups()) if (objects.values().some(isLiving)) add(key);
    return [...found.values()];
  }

  hasSeen(resourceVersion: string): boolean {
    return hasReached(this.jobReflector.resourceVersion, resourceVersion);
  }

  #jobChanged(change: Change<CachedJob>): void {
    this.#keepChanged(change);
    this.#live?.jobChanged(change);
    const appeared = change.kind === 'added' && !change.after.finished;
    for (const key of this.#jobs.apply(change)) this.#options.onChange(key, appeared);
    if (change.kind === 'deleted') this.#gone.delete(change.before.uid);
    else if (change.after.readyPods !== undefined) this.#sawReady(change.after.uid);
    if (change.kind !== 'deleted') return;
    const { key: spec } = change.before;
    for (const note of unsettledIn(change.before)) this.#options.onUnsettled?.(spec, note);
    if (change.before.finished || change.before.batch?.committed === false) return;
    this.#options.onVanished(change.before.key, change.before);
  }

  #keepChanged(change: Change<CachedJob>): void {
    if (change.kind !== 'added') this.#noteKept(change.before, undefined);
    if (change.kind === 'deleted') return;
    this.#noteKept(change.after, change.after.keepUntil);
    const { name, key, unreadKeep: text } = change.after;
    const isNew = change.kind === 'added' || change.before.unreadKeep !== text;
    if (text !== undefined && isNew) this.#options.log.warn({ key: key.name, job: name, text }, unreadKeep);
  }

  #noteKept({ key, uid }: CachedJob, until: number | undefined): void {
    const text = `${key.kind}/${key.name}`;
    const kept = this.#kept.get(text) ?? new Map<string, number>();
    if (until === undefined) kept.delete(uid);
    else kept.set(uid, until);
    if (kept.size === 0) this.#kept.delete(text);
    else this.#kept.set(text, kept);
  }

  /** Its Job has run all the same, whatever becomes of the pod that follows; and nobody waits for this one to come into view. */
  #podLost(pod: CachedPod): void {
    const job = this.#jobOf(pod);
    if (!job) return;
    const { pods = noPods, ranAt } = this.#gone.get(job.uid) ?? {};
    const succeeded = pod.phase === 'Succeeded' || pod.step?.done === 'succeeded';
    const counted = succeeded ? { ...pods, succeeded: pods.succeeded + 1 } : pod.disrupted ? pods : { ...pods, failed: pods.failed + 1 };
    this.#gone.set(job.uid, { pods: counted, ranAt: pod.started ? Math.min(ranAt ?? Infinity, pod.startedAt ?? pod.createdAt) : ranAt });
  }

  /** By the Job controller's word, which it takes back when the pod is lost: the watch of pods may never show it. */
  #sawReady(uid: string): void {
    const before = this.#gone.get(uid);
    if (before?.ranAt === undefined) this.#gone.set(uid, { pods: before?.pods ?? noPods, ranAt: this.#options.clock.now() });
  }

  #memoryOf(uid: string): Pick<ObservedJob, 'ranAt' | 'gone'> {
    const { pods = noPods, ranAt } = this.#gone.get(uid) ?? {};
    return { ...(pods !== noPods && { gone: pods }), ...(ranAt !== undefined && { ranAt }) };
  }

  #podsByJob(key: SpecKey): ReadonlyMap<string, readonly ObservedPod[]> {
    const byJob = new Map<string, ObservedPod[]>();
    for (const pod of this.#pods.of(key)) {
      const uid = this.#jobOf(pod)?.uid;
      if (uid === undefined) continue;
      const known = byJob.get(uid);
      if (known) known.push(pod);
      else byJob.set(uid, [pod]);
    }
    return byJob;
  }

  /** By UID, so that a pod of an earlier Job of that name stays an orphan; by name only where nothing tells the UID. */
  #jobOf(pod: CachedPod): CachedJob | undefined {
    const job = pod.jobName === undefined ? undefined : this.jobReflector.get(pod.jobName);
    if (!job || job.key.name !== pod.key.name || job.key.kind !== pod.key.kind) return undefined;
    return pod.jobUid === undefined || pod.jobUid === job.uid ? job : undefined;
  }
}

const none: readonly ObservedPod[] = [];
const noPods: NonNullable<ObservedJob['gone']> = { succeeded: 0, failed: 0 };

/** Notes of its messages that nobody has settled. What was never let go has not run. */
function unsettledIn({ message, batch }: CachedJob): readonly MessageNote[] {
  if (batch) return batch.committed ? batch.notes.filter((_, index) => !batch.settled.has(index)) : [];
  return message && !message.settled ? [message.note] : [];
}
