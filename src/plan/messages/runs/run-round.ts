/** A round of a Queue that leases messages, with the runs that they started among its Jobs: both take its places and both count for waits. */
import { isRunnable } from '../../../spec/parsed.ts';
import type { MessageQueueSpec } from '../../../spec/queue.ts';
import { unlimited, type Room } from '../../limits/room.ts';
import type { Observed } from '../../observed.ts';
import type { MessagesView } from '../observed.ts';
import type { MessageRound } from '../round.ts';
import { runViews } from './run-view.ts';
import { targetOfMessages } from './target.ts';

/** The round as the parts of the plan see it that ask what is live, what ended how, and what may start; itself where messages start Jobs. */
export function withRuns(round: MessageRound): MessageRound {
  const { observed, spec, view } = round;
  if (!spec.run) return round;
  const jobs = [...observed.jobs, ...runViews(view)];
  return { ...round, spec: withTargetsPlaces(spec, view), observed: { ...observed, jobs, room: withoutCount(observed.room) }, runs: targetOfMessages(spec.run, view) };
}

/** As many runs as both allow: more would only wait for their turn, while the leases of their messages run. */
function withTargetsPlaces(spec: MessageQueueSpec, { target }: Pick<MessagesView, 'target'>): MessageQueueSpec {
  const of = target?.spec;
  return isRunnable(of) ? { ...spec, concurrency: { ...spec.concurrency, max: Math.min(spec.concurrency.max, of.concurrency.max) } } : spec;
}

/** What a run starts takes places of the instance, not the run itself. */
function withoutCount(room: Observed['room'] = unlimited): Room {
  return { jobs: Infinity, halted: room.halted, get shortage() { return room.shortage; } };
}
