/** Places under `concurrency.max`, and messages that wait for one. */
import type { ObservedJob } from '../observed.ts';
import { isAlive, isLive, jobState } from '../job-state.ts';
import { unlimited } from '../limits/room.ts';
import type { MessageRound } from './round.ts';
import { pressureOf, type Pressure } from './back-pressure.ts';
import { runViews } from './runs/run-view.ts';
import { isStored } from './stored.ts';
import type { MessagesView } from './observed.ts';
import { isMessageJob, type MessageView } from './view.ts';

/** Nobody needs more at once, and a queue without a limit must not be emptied into this process. */
const mostAtOnce = 1000;

export interface Places {
  /** How many Jobs may be started now. */
  readonly starts: number;
  /** Of these, the limits of the instance leave so many fewer than the spec. */
  readonly short: number;
  /** Live Jobs, and names that are asked for and not in view yet. */
  readonly taken: number;
  /** Live Jobs that wait for their message to be delivered again: it will take no place beside theirs. */
  readonly awaiting: number;
  /** What the cluster takes. */
  readonly pressure: Pressure;
}

/** `inFlight`: messages for which a create is under way, or not in view yet. */
export function placesOf(round: MessageRound, inHand: ReadonlySet<string>, inFlight: number): Places {
  const { observed: { jobs, orphans, room = unlimited }, spec, view } = round;
  const pressure = pressureOf(round, inFlight);
  // A Queue may have started runs before it came to start Jobs; where it starts them now they are among the Jobs already.
  const live = [...jobs, ...(spec.run ? [] : runViews(view))].filter(takesPlace);
  const ofGone = new Set(orphans.map(({ jobUid, name }) => jobUid ?? name));
  const taken = live.length + ofGone.size + inFlight;
  const awaiting = live.filter((job) => isAwaiting(job)).length;
  const bySpec = Math.max(0, Math.min(spec.concurrency.max - taken, pressure.starts));
  return { starts: Math.min(bySpec, room.jobs), short: Math.max(0, Math.min(bySpec, mostAtOnce) - room.jobs), taken, awaiting, pressure };

  function isAwaiting(job: ObservedJob): boolean {
    return isMessageJob(job) && !job.deleting && !job.finished && !job.message.settled && !isStored(job, view) && !inHand.has(job.message.note.id);
  }
}

/**
 * Until it is finished, or its work is known to be done, and none of its pods lives: what is not over yet by the kubelet's
 * word counts against quotas and nodes.
 */
function takesPlace(job: ObservedJob): boolean {
  return jobState(job) === 'done' ? job.pods.some(isAlive) : isLive(job);
}

/** In hand without a live Job: to be started, delivered twice, or not to be settled. What is settled just now is on its way out. */
export function idleOf({ id, leases, jobs: [newest] }: MessageView, { troubles }: Pick<MessagesView, 'troubles'>): number {
  const carried = newest !== undefined && (isLive(newest) || (!newest.message.settled && troubles?.has(id) !== true));
  return Math.max(0, leases.length - (carried ? 1 : 0));
}

export interface InHand {
  /** Messages that have no live Job and are to get one, without those that start now. */
  readonly waiting: number;
  /** Of these, messages whose own creates were refused for what may be their fault alone. */
  readonly suspect: number;
  /** Deliveries by `idleOf`. */
  readonly idle: number;
}

/** How many more messages may be leased, beside those in hand. `begun`: Jobs that start now. */
export function freePlaces({ observed: { room = unlimited }, spec }: MessageRound, { taken, awaiting, pressure }: Places, { waiting, idle, begun }: Pick<InHand, 'waiting' | 'idle'> & { readonly begun: number }): number {
  const jobs = Math.max(0, Math.min(spec.concurrency.max - taken + awaiting, room.jobs, pressure.leases + awaiting) - begun);
  return Math.max(0, Math.min(jobs * (spec.batch?.size ?? 1) - waiting, mostAtOnce - idle));
}
