/** What is to be done about one message: the table of docs/adr/0015-owning-a-message.md, row by row. */
import { growingPause } from '../../lib/growing-pause.ts';
import type { BreakerSpec, PerMessageSpec } from '../../spec/queue.ts';
import { isLive, jobState } from '../job-state.ts';
import { deliveryOf, nothing, settle, type Decision, type Next } from './decision.ts';
import { carrierText } from './carrier.ts';
import type { MessageNote } from './message.ts';
import type { LeaseInHand, MessagesView } from './observed.ts';
import { anotherTry, nextAt } from './retries.ts';
import { settleAgain, settleFinished } from './settle.ts';
import { isStored } from './stored.ts';
import { isSameLease, type MessageJobView, type MessageView } from './view.ts';

/** Milliseconds after a Job that was lost by no fault of its own; twice as long with each repetition. */
const firstPauseAfterLoss = 1000;

/** pg-boss lets nobody hold a job for longer; milliseconds. */
const longestExpiry = 24 * 3_600_000;

export interface Context {
  readonly view: MessagesView;
  readonly now: number;
  /** How long a message waits whose Jobs did not start; undefined: nobody starts Jobs for it here. */
  readonly pauses: { readonly hash: string; readonly waitAfter: PerMessageSpec['waitAfter']; readonly breaker: BreakerSpec } | undefined;
  /** What keeps that serial from being started: a create is not in view yet, or pods of it or of the one before are all that is left. */
  readonly inTheWay: (id: string, serial: number) => 'create' | 'pods' | undefined;
}

export function decide(message: MessageView, context: Context): Decision {
  const [newest] = message.jobs;
  const [lease] = message.leases;
  if (message.underWay) return whileAsked(message);
  if (!newest) return lease ? first(message, lease, context) : nothing;
  if (lease && isSettledWhileLive(newest)) return settleAgain(newest, lease, message) ?? nothing;
  if (jobState(newest) === 'done') return whileDone(newest, message, context);
  if (message.jobs.some(isLive)) return isLive(newest) ? whileLive(newest, message, context) : nothing;
  return newest.message.settled ? afterSettlement(newest, message, context) : finished(newest, message, context);
}

/** Its queue was told before the Job controller had its say. */
function isSettledWhileLive({ message: { settled }, deleting, finished: over }: MessageJobView): boolean {
  return !deleting && (settled?.as === 'taken' || (settled?.as === 'completed' && over === undefined));
}

/**
 * What it settles takes no place any more; what it starts does, until its Job is in view and takes it: counted twice, a
 * message that starts would take credit back from the queue, and a poll that ends early may cost another one a delivery.
 */
function whileAsked({ jobs: [newest], leases }: MessageView): Decision {
  const isToCome = newest === undefined || (!isLive(newest) && newest.message.settled !== undefined);
  return leases.length > 0 && isToCome ? { kind: 'wait', for: 'create' } : nothing;
}

function afterSettlement(job: MessageJobView, message: MessageView, context: Context): Decision {
  const [lease] = message.leases;
  if (!lease) return settleOlder(message) ?? betweenJobs(job, message, context);
  return settleAgain(job, lease, message) ?? following(job, message, { lease, context });
}

/**
 * A process died before it could start the next Job. What it held of pg-boss nobody else gets before it expires, which
 * costs the message a retry of its queue, maybe the only one; RabbitMQ and SQS hand it out again by themselves, soon.
 */
function betweenJobs(job: MessageJobView, message: MessageView, { view, now }: Context): Decision {
  const { note, settled } = job.message;
  const goesOn = settled?.as === 'kept' || (settled?.as === 'returned' && anotherTry(job, message).kind === 'again');
  const until = note.leasedAt + longestExpiry;
  const delivery = deliveryOf(job, message, view);
  return goesOn && delivery && note.source.type === 'pgBoss' && now < until ? { kind: 'adopt', receipt: delivery.receipt, until } : nothing;
}

/** No Job is there: it is new, or somebody deleted its Job before it was settled. */
function first(message: MessageView, lease: LeaseInHand, context: Context): Decision {
  const gone = context.view.deleted?.get(message.id);
  return starting(lease, { context, notBefore: 0, next: gone ? afterNote(gone, lease, 'attempted') : { serial: 1, attempt: 1, tries: 1 } });
}

function whileLive(job: MessageJobView, message: MessageView, { view }: Context): Decision {
  const state = jobState(job);
  if (state === 'deleting' || state === 'lingering' || job.message.settled) return nothing;
  const { note } = job.message;
  const [lease] = message.leases;
  const delivery = deliveryOf(job, message, view);
  const ending = state === 'ending';
  if (!isStored(job, view)) return lease?.message && !ending ? { kind: 'post', lease, job } : nothing;
  if (!delivery) return nothing;
  // Given up on: what has become of it is known soon.
  if (note.settle === 'onJobCreated') return ending ? nothing : settle(note.source, note.id, { how: { kind: 'complete', as: 'taken' }, because: `${carrierText(job)} and its payload are stored`, job, delivery });
  return delivery.lease ? nothing : { kind: 'adopt', receipt: delivery.receipt };
}

/** Without a delivery the Job controller's verdict comes sooner than another one. */
function whileDone(job: MessageJobView, message: MessageView, context: Context): Decision {
  return !job.message.settled && deliveryOf(job, message, context.view) ? finished(job, message, context) : nothing;
}

/** Its outcome is written first, then the message settled by it. */
function finished(job: MessageJobView, message: MessageView, { view, now }: Context): Decision {
  const { recorded } = job;
  return recorded?.phase === 'final' ? settleFinished({ job, outcome: recorded, message, view, now }) : nothing;
}

/** Delivered again, or still in hand, after a Job that did not settle it for good. */
function following(job: MessageJobView, message: MessageView, { lease, context }: { readonly lease: LeaseInHand; readonly context: Context }): Decision {
  const { note, settled } = job.message;
  switch (settled?.as) {
    case 'returned':
      return starting(lease, { context, notBefore: nextAt(job), next: afterNote(note, lease, 'attempted') });
    case 'kept':
      return starting(lease, { context, notBefore: afterKept(job, message, context), next: afterNote(note, lease, 'not attempted') });
    // Somebody's redrive: a new message for all that counts.
    default:
      return starting(lease, { context, notBefore: 0, next: { serial: note.serial + 1, attempt: 1, tries: 1 } });
  }
}

function afterNote(note: MessageNote, lease: LeaseInHand, how: 'attempted' | 'not attempted'): Next {
  const more = how === 'attempted' ? 1 : 0;
  return { serial: note.serial + 1, attempt: note.attempt + more, tries: isSameLease(note, lease) ? note.tries + more : 1 };
}

/** Beside the wait of the whole queue: this message alone may be what keeps its Jobs from starting. */
function afterKept(job: MessageJobView, { jobs }: MessageView, { pauses }: Context): number {
  const other = jobs.findIndex(({ message: { settled }, recorded, specHash }) => settled?.as !== 'kept' || recorded?.outcome !== job.recorded?.outcome || specHash !== job.specHash);
  const count = other === -1 ? jobs.length : Math.max(other, 1);
  const end = job.finished?.at ?? job.createdAt;
  // An edited spec waits for nothing: the edit may be the mend.
  if (!pauses || job.specHash !== pauses.hash) return end;
  const base = job.recorded?.outcome === 'notStarted' ? pauses.waitAfter.notStarted : firstPauseAfterLoss;
  return end + growingPause(count, base, Math.max(base, pauses.breaker.probeEvery));
}

interface Starting {
  readonly context: Context;
  readonly notBefore: number;
  readonly next: Next;
}

function starting(lease: LeaseInHand, { context, notBefore, next }: Starting): Decision {
  const inTheWay = context.inTheWay(lease.id, next.serial);
  if (inTheWay) return { kind: 'wait', for: inTheWay };
  return { kind: 'start', lease, next, notBefore };
}

/** Of an older Job nobody said what became of its message, and a newer one has settled it. */
function settleOlder({ jobs }: MessageView): Decision | undefined {
  const job = jobs.find(({ message, recorded }) => !message.settled && recorded?.phase === 'final');
  if (!job?.recorded) return undefined;
  const { note } = job.message;
  const as = job.recorded.outcome === 'succeeded' ? 'presumed' : job.recorded.outcome === 'failed' ? 'returned' : 'kept';
  return settle(note.source, note.id, { how: { kind: 'note', as }, because: 'a later Job settled its message', job, delivery: { token: undefined, receipt: {} } });
}
