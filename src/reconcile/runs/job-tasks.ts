/**
 * Creates and looks up the Jobs of runs, beside the rounds: a round that starts a thousand Jobs must not hold up the edges
 * of the steps that end meanwhile. What is asked about one name is one task at a time, and while it is under way plans see
 * the name as created. A task that came to nothing keeps its name for a growing pause, so that no round can spin on it.
 */
import { growingPause } from '../../lib/growing-pause.ts';
import PQueue from 'p-queue';
import { asError, sleep, type Clock } from '../../lib/clock.ts';
import { objectAt, stringAt } from '../../lib/json.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { CreateStepJob, LookUpJob } from '../../plan/run/action.ts';
import { entryOf } from '../../plan/run/standing.ts';
import type { RunState } from '../../plan/run/state.ts';
import * as keys from '../../spec/keys.ts';
import { createNamed, lookUpNamed, type CreateDeps, type NamedResult } from '../create-named.ts';
import { specText } from '../key.ts';
import type { Leadership } from '../leadership.ts';
import type { ClusterCache, LiveJob, Log, WriteResult } from '../ports.ts';
import type { RecordStore } from '../record-ports.ts';
import { noteRefusal, type LoadedRun } from './run-memory.ts';

/** Requests of one run at once. */
const width = 64;
const firstPause = 10;
const longestPause = 30_000;

export interface JobTasksDeps extends CreateDeps {
  readonly clock: Clock;
  readonly cache: Pick<ClusterCache, 'orphans' | 'hasSeen'>;
  readonly store: RecordStore;
  readonly leadership: Leadership;
  readonly log: Log;
  /** What an action came to. */
  readonly told: (key: SpecKey, told: TaskNews) => void;
  /** Nobody works on the create of that name for now. */
  readonly settled?: (jobName: string) => void;
  /** The plan of the key may differ now. */
  readonly changed: (key: SpecKey) => void;
}

export interface TaskNews {
  readonly action: CreateStepJob | LookUpJob;
  /** `done`, or why not, as the metrics have it. */
  readonly result: string;
  readonly message: string;
  readonly job: { readonly name: string; readonly uid: string } | undefined;
  /** Milliseconds since a round decided on it. */
  readonly took: number;
}

interface Task {
  readonly key: SpecKey;
  readonly action: CreateStepJob | LookUpJob;
  readonly run: LoadedRun;
  /** Monotonic time of the round. */
  readonly since: number;
}

/** What a task leads to: nothing more, another round, or another round after a pause. */
type Next = 'wait' | 'round' | 'pause';

export class JobTasks {
  readonly #deps: JobTasksDeps;
  /** Names under way, by key. */
  readonly #underWay = new Map<string, Set<string>>();
  readonly #queues = new Map<string, PQueue>();
  readonly #stop = new AbortController();

  constructor(deps: JobTasksDeps) {
    this.#deps = deps;
  }

  /** Names of Jobs that something is asked about just now. */
  underWay(key: SpecKey): ReadonlySet<string> {
    return this.#underWay.get(specText(key)) ?? none;
  }

  /** Returns at once. A name that is under way already is left alone. */
  start(key: SpecKey, run: LoadedRun, action: CreateStepJob | LookUpJob): void {
    const text = specText(key);
    const names = this.#underWay.get(text) ?? new Set<string>();
    if (names.has(action.jobName) || this.#stop.signal.aborted) return;
    this.#underWay.set(text, names.add(action.jobName));
    const queue = this.#queues.get(text) ?? new PQueue({ concurrency: width });
    this.#queues.set(text, queue);
    const task = { key, run, action, since: this.#deps.clock.monotonic() };
    void queue.add(() => this.#task(task));
  }

  /** Sends nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await Promise.all([...this.#queues.values()].map((queue) => queue.onIdle()));
  }

  async #task(task: Task): Promise<void> {
    const next = await this.#attempt(task);
    this.#deps.settled?.(task.action.jobName);
    if (next === 'pause') {
      // Others of the run go on meanwhile.
      void this.#pause(task).then(() => { this.#end(task, true); });
    } else {
      task.run.failures.delete(task.action.jobName);
      this.#end(task, next === 'round');
    }
  }

  /** Never rejects. */
  async #attempt(task: Task): Promise<Next> {
    const { leadership, log } = this.#deps;
    // Another process decides from here on, or soon this one decides anew.
    if (!leadership.leading || this.#stop.signal.aborted) return 'wait';
    // It waited for others of its run, and nobody wants it any more.
    if (task.action.kind === 'createStepJob' && isCancelled(task.run.state, task.action)) return 'round';
    try {
      return task.action.kind === 'createStepJob' ? await this.#create(task, task.action) : await this.#lookUp(task);
    } catch (thrown) {
      log.error({ key: specText(task.key), job: task.action.jobName, err: asError(thrown) }, 'a create failed unexpectedly');
      return 'pause';
    }
  }

  async #create(task: Task, action: CreateStepJob): Promise<Next> {
    const { gate, store } = this.#deps;
    return gate.during(async () => {
      const map = action.map && (await store.createMap(action.map));
      if (map && map.kind !== 'done') return this.#mapFailed(task, { name: stringAt(objectAt(action.map, 'metadata'), 'name') ?? '', result: map });
      return this.#settle(task, await createNamed(this.#deps, task.key, { jobName: action.jobName, manifest: action.manifest, ours: action.ours }));
    });
  }

  /** Nothing of its Job was sent. */
  #mapFailed(task: Task, { name, result }: { readonly name: string; readonly result: Exclude<WriteResult, { kind: 'done' }> }): Next {
    if (result.kind === 'exists') return this.#refused(task, 'taken', `the ConfigMap "${name}", in which its items would be, is somebody else's: delete it`);
    const message = `the ConfigMap of its items: ${'message' in result ? result.message : 'something else of its name was there'}`;
    return result.kind === 'refused' || result.kind === 'quota' || result.kind === 'forbidden' ? this.#refused(task, result.kind, message) : this.#nothing(task, message);
  }

  async #lookUp(task: Task): Promise<Next> {
    const { memory } = this.#deps;
    const { key, action } = task;
    const doubted = memory.reservations(key).some(({ jobName }) => jobName === action.jobName);
    const result = await lookUpNamed(this.#deps, key, action.jobName);
    if (doubted) return this.#settle(task, result);
    // It had been seen and the cache does not show it any more: this GET tells whether it is gone.
    if (result.kind === 'unclear') return this.#nothing(task, result.message);
    if (result.kind === 'found' && isOurs(task, result.job)) {
      if (!result.job.deleting) memory.reserve(key, action.jobName);
      return this.#settle(task, result);
    }
    return this.#gone(task);
  }

  /** Plans wait for living pods that they see; the watch of pods may be behind, and another attempt must not run beside them. */
  async #gone(task: Task): Promise<Next> {
    const { cache, jobs } = this.#deps;
    const { key, action: { jobName }, run } = task;
    if (!cache.orphans(key).some((pod) => pod.jobName === jobName)) {
      const live = await jobs.live(key);
      if (live.kind !== 'found') return this.#nothing(task, `whether pods of Job "${jobName}" live is not known${live.kind === 'failed' ? `: ${live.message}` : ''}`);
      const left = live.value.livePods.filter((pod) => pod.startsWith(`${jobName}-`));
      if (left.length > 0) return this.#nothing(task, `Job "${jobName}" is gone, and ${left.length} of its pods still live`);
    }
    run.absent.add(jobName);
    return 'round';
  }

  #settle(task: Task, result: NamedResult): Next {
    switch (result.kind) {
      case 'created':
        return this.#confirmed(task, result.job);
      case 'found':
        return this.#identify(task, result.job);
      case 'refused':
        return this.#refused(task, result.refusal, result.message);
      case 'absent':
      case 'unclear':
        return this.#nothing(task, result.message);
    }
  }

  #confirmed(task: Task, job: { readonly name: string; readonly uid: string; readonly resourceVersion: string }): Next {
    const { memory } = this.#deps;
    memory.confirm(task.key, job.name, job.resourceVersion);
    task.run.confirmed.add(job.name);
    task.run.refusals.delete(job.name);
    this.#tell(task, 'done', task.action.because, job);
    // Its event brings the next round. It may have come before this answer, and the Job may even be gone again by now.
    return this.#deps.cache.hasSeen(job.resourceVersion) ? 'round' : 'wait';
  }

  /** One that is being deleted is still in the way, and no attempt of ours any more: it is looked up until it is gone. */
  #identify(task: Task, job: LiveJob): Next {
    if (!isOurs(task, job)) {
      this.#deps.memory.release(task.key, job.name);
      return this.#refused(task, 'taken', `the name "${job.name}" is taken by a Job that is not ours`);
    }
    return job.deleting ? this.#nothing(task, `Job "${job.name}" is being deleted`) : this.#confirmed(task, job);
  }

  #refused(task: Task, kind: Extract<NamedResult, { kind: 'refused' }>['refusal'], message: string): Next {
    noteRefusal(task.run, task.action.jobName, { kind, message, at: this.#deps.clock.now() });
    this.#tell(task, kind, message);
    return 'round';
  }

  #nothing(task: Task, message: string): Next {
    this.#tell(task, 'unknown', message);
    return 'pause';
  }

  #tell({ key, action, since }: Task, result: string, message: string, job?: TaskNews['job']): void {
    this.#deps.told(key, { action, result, message, job, took: this.#deps.clock.monotonic() - since });
  }

  async #pause({ run, action }: Task): Promise<void> {
    const failures = run.failures.get(action.jobName) ?? 0;
    run.failures.set(action.jobName, failures + 1);
    await sleep(this.#deps.clock, growingPause(failures + 1, firstPause, longestPause), this.#stop.signal).catch(() => undefined);
  }

  #end({ key, action }: Task, again: boolean): void {
    const text = specText(key);
    const names = this.#underWay.get(text);
    names?.delete(action.jobName);
    if (names?.size === 0) {
      this.#underWay.delete(text);
      this.#queues.delete(text);
    }
    if (again && !this.#stop.signal.aborted) this.#deps.changed(key);
  }
}

const none: ReadonlySet<string> = new Set();

/** The run was cancelled, and with it the attempt that the Job is for. */
function isCancelled({ stopping, steps, undo }: RunState, { step, jobName }: CreateStepJob): boolean {
  if (stopping?.mode !== 'cancel') return false;
  return [entryOf(steps, step), entryOf(undo, step)].some((state) => [...(state?.attempts ?? []), ...(state?.items ?? []).flatMap(({ attempts }) => attempts)].some(({ job, outcome }) => job === jobName && outcome !== undefined));
}

/** By the labels that the manifest has; where it is only looked up, its name, which holds the record's UID, and its run tell enough. */
function isOurs({ key, action }: Task, { labels }: LiveJob): boolean {
  if (labels[keys.managedByLabel] !== keys.managedBy || labels[keys.runLabel] !== key.name) return false;
  if (action.kind === 'lookUp') return true;
  const wanted = objectAt(objectAt(action.manifest, 'metadata'), 'labels');
  return [keys.stepLabel, keys.attemptLabel, keys.indexLabel].every((label) => labels[label] === stringAt(wanted, label));
}
