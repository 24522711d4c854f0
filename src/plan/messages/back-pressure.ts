/**
 * No more Jobs than the cluster takes. Jobs that find no node, get no pod (a quota), or are not admitted (Kueue) pile up as
 * Pending while their messages are held for nothing. So what waits for a place in the cluster is never more than what has one
 * there, and at least one: that is the probe, and what a cluster autoscaler looks at; each that gets a place lets another
 * follow, so that Jobs double as long as the cluster takes them. Read from the Jobs alone.
 */
import { whyNotStarted, earliest } from '../give-up.ts';
import type { Stand } from '../draft.ts';
import { isAlive, jobState } from '../job-state.ts';
import type { ObservedJob } from '../observed.ts';
import type { Reason } from '../reason.ts';
import type { MessageRound } from './round.ts';

/** So long a scheduler may take, or an admission controller: milliseconds. */
const grace = 5_000;
/** So long the Job controller may take to make a pod once it has taken the Job up. */
const podGrace = 10_000;

export interface Pressure {
  /** Jobs that may be started beside those that wait for a place in the cluster. */
  readonly starts: number;
  /** Messages that may be leased for such; Infinity: that is no matter of the cluster. */
  readonly leases: number;
  /** What the queue stands at, where it is this that keeps it. */
  readonly stand: Stand | undefined;
  /** When time alone changes the answer. */
  readonly until: number | undefined;
}

const none: Pressure = { starts: Infinity, leases: Infinity, stand: undefined, until: undefined };

/** `inFlight`: creates that are under way, or not in view yet. */
export function pressureOf({ observed: { jobs, explanations }, spec, now }: MessageRound, inFlight: number): Pressure {
  // Runs wait for their places themselves.
  if (spec.run) return none;
  const [placed, waiting] = [jobs.filter(isPlaced).length, jobs.filter(isWaiting)];
  const stuck = waiting.filter((job) => stuckAt(job) <= now).sort((left, right) => left.createdAt - right.createdAt);
  const until = earliest(waiting.map(stuckAt).filter((at) => at > now && at !== Infinity));
  const [first] = stuck;
  // Nothing is known to be wrong: concurrency.max alone bounds a burst.
  if (!first) return { ...none, until };
  // Those of an older text may wait for ever, and the edit may be the mend.
  const ofSpec = waiting.filter(({ specHash }) => specHash === spec.hash).length;
  const starts = Math.max(0, Math.max(1, placed) - ofSpec - inFlight);
  return { starts, leases: starts, stand: starts > 0 ? undefined : standOf(first, explanations), until };
}

/** A node was found for it. */
function isPlaced(job: ObservedJob): boolean {
  const state = jobState(job);
  return state === 'running' || (state === 'starting' && job.pods.some((pod) => isAlive(pod) && pod.node !== undefined));
}

function isWaiting(job: ObservedJob): boolean {
  const state = jobState(job);
  // One that a person holds back waits for that person, and says nothing of the cluster.
  return (state === 'suspended' && job.kueue === true) || state === 'podless' || (state === 'starting' && !isPlaced(job));
}

/** When it has waited for too long; Infinity: nobody has said that there is no place for it. */
function stuckAt(job: ObservedJob): number {
  const { createdAt, startedAt, pods, batch } = job;
  switch (jobState(job)) {
    case 'suspended':
      // That of a batch is let go by its process.
      return batch?.committed === false ? Infinity : createdAt + grace;
    case 'podless':
      // One that the Job controller has not come to waits for that, not for a place.
      return startedAt === undefined ? Infinity : startedAt + podGrace;
    default: {
      const alive = pods.filter(isAlive);
      return alive.length > 0 && alive.every(({ unscheduled }) => unscheduled) ? Math.max(...alive.map((pod) => pod.createdAt)) + grace : Infinity;
    }
  }
}

function standOf(job: ObservedJob, explanations: ReadonlyMap<string, string>): Stand {
  const { reason, what, state } = words(job);
  const why = whyNotStarted(job, explanations);
  return { state: 'Waiting', reason, message: `no more Jobs are started until one ${what}: Job "${job.name}" ${state}${why === undefined ? '' : `: ${why}`}` };
}

function words(job: ObservedJob): { readonly reason: Reason; readonly what: string; readonly state: string } {
  switch (jobState(job)) {
    case 'suspended':
      return { reason: 'JobSuspended', what: 'is admitted', state: 'is suspended' };
    case 'podless':
      return { reason: 'NoPodCreated', what: 'has a pod', state: 'has none' };
    default:
      return { reason: 'Unschedulable', what: 'has a node', state: 'has none' };
  }
}
