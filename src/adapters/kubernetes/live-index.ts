/** Which Jobs are live, by name, kept as Jobs and pods change: what the limits of an instance count. */
import type { LiveJobs, Place } from '../../reconcile/ports.ts';
import type { CachedJob } from './project-job.ts';
import { isLiving, type CachedPod } from './project-pod.ts';
import type { Change } from './store.ts';

export class LiveIndex {
  readonly #sink: LiveJobs;
  readonly #jobs = new Map<string, CachedJob>();
  /** Living pods, by the name of their Job, which may be gone; by their own where nothing names one. */
  readonly #pods = new Map<string, Map<string, Place>>();
  readonly #live = new Map<string, Place>();

  constructor(sink: LiveJobs) {
    this.#sink = sink;
  }

  jobChanged(change: Change<CachedJob>): void {
    const job = change.kind === 'deleted' ? change.before : change.after;
    if (change.kind === 'deleted') this.#jobs.delete(job.name);
    else this.#jobs.set(job.name, job);
    this.#tell(job.name);
    if (change.kind === 'added') this.#sink.appeared(job.name, job.createdAt);
  }

  podChanged(change: Change<CachedPod>): void {
    if (change.kind !== 'added') this.#takePod(change.before);
    if (change.kind !== 'deleted' && isLiving(change.after)) this.#putPod(change.after);
    if (change.kind !== 'added') this.#tell(jobNameOf(change.before));
    if (change.kind !== 'deleted') this.#tell(jobNameOf(change.after));
  }

  #putPod(pod: CachedPod): void {
    const name = jobNameOf(pod);
    const pods = this.#pods.get(name);
    if (pods) pods.set(pod.name, pod.place);
    else this.#pods.set(name, new Map([[pod.name, pod.place]]));
  }

  #takePod(pod: CachedPod): void {
    const name = jobNameOf(pod);
    const pods = this.#pods.get(name);
    pods?.delete(pod.name);
    if (pods?.size === 0) this.#pods.delete(name);
  }

  #tell(name: string): void {
    const place = this.#placeOf(name);
    if (this.#live.get(name) === place) return;
    if (place) this.#live.set(name, place);
    else this.#live.delete(name);
    this.#sink.live(name, place);
  }

  /** Places are shared by all Jobs that have the same: they can be compared. */
  #placeOf(name: string): Place | undefined {
    const job = this.#jobs.get(name);
    if (job && (!job.finished || job.deleting)) return job.place;
    const [place] = this.#pods.get(name)?.values() ?? [];
    return place && (job?.place ?? place);
  }
}

function jobNameOf({ jobName, name }: CachedPod): string {
  return jobName ?? name;
}
