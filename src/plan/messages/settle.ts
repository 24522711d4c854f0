/** What becomes of a message whose newest Job has finished: docs/adr/0015-owning-a-message.md, settling by outcome. */
import type { RecordedOutcome } from '../notes.ts';
import { deliveryOf, settle, type Decision, type Delivery } from './decision.ts';
import { carrierText } from './carrier.ts';
import type { Failure } from './message.ts';
import type { LeaseInHand, MessagesView } from './observed.ts';
import { outputOf } from './output.ts';
import { anotherTry, nextAt } from './retries.ts';
import { isStored } from './stored.ts';
import { isSameLease, type MessageJobView, type MessageView } from './view.ts';

/** So long after a Job's end a delivery is waited for that would settle its message. */
export const settleGrace = 24 * 3_600_000;
/** So long after a message was buried its AMQP broker may still deliver it for want of an acknowledgement. */
const burialGrace = 10 * 60_000;

/** A finished Job whose outcome is written, and of whose message nothing is said yet. */
export interface Finished {
  readonly job: MessageJobView;
  readonly outcome: RecordedOutcome;
  readonly message: MessageView;
  readonly view: MessagesView;
  readonly now: number;
}

/** By the outcome and the mode in the note: what the queue is told, or what is only written down. */
export function settleFinished(finished: Finished): Decision {
  const { job, outcome } = finished;
  // The message is still there for one that never ran.
  if (job.message.note.settle === 'onJobCreated') return hasWorked(finished) ? complete(finished, 'taken') : kept(finished);
  switch (outcome.outcome) {
    case 'succeeded':
      return complete(finished, 'completed');
    case 'failed':
      return afterFailure(finished);
    case 'errored':
    case 'notStarted':
    case 'refused':
      return kept(finished);
  }
}

/** Also a Job whose pod was deleted before it started has failed: without its content nothing has ever been done. */
function hasWorked({ job, outcome: { outcome, exitCode }, view }: Finished): boolean {
  return outcome === 'succeeded' || (outcome === 'failed' && (exitCode !== undefined || isStored(job, view)));
}

/** Acknowledges; where nobody can be told, a delivery is waited for. */
function complete(finished: Finished, as: 'completed' | 'taken'): Decision {
  const { job, message, view } = finished;
  const { id, source } = job.message.note;
  const delivery = deliveryOf(job, message, view);
  if (!delivery) return afterGrace(finished, 'presumed');
  const output = as === 'completed' ? outputOf(job) : undefined;
  const because = as === 'completed' ? `${carrierText(job)} succeeded` : `${carrierText(job)} was created`;
  return settle(source, id, { how: { kind: 'complete', as, ...(output && { output }) }, because, job, delivery });
}

/** As if the Job had never been: the message keeps attempts and lease. Nobody needs to be told. */
function kept({ job, outcome, message }: Finished): Decision {
  const { id, source } = job.message.note;
  return settle(source, id, { how: { kind: 'note', as: 'kept' }, because: `${carrierText(job)} ${outcome.outcome === 'errored' ? 'was lost' : 'did not start'}: ${outcome.reason}`, job, delivery: heldBy(message) });
}

function afterFailure(finished: Finished): Decision {
  const { job, message, view } = finished;
  const { deadLetter } = job.message.note;
  const delivery = deliveryOf(job, message, view);
  const again = anotherTry(job, message).kind === 'again';
  // Nobody to be told: the next delivery is the next attempt, and one that is to be buried must be delivered for that.
  if (!delivery) return again || !deadLetter ? returned(finished) : afterGrace(finished, 'returned');
  if (!delivery.lease && (again || deadLetter)) return finished.now < graceEnd(job) ? { kind: 'adopt', receipt: delivery.receipt, until: graceEnd(job) } : afterGrace(finished, 'returned');
  if (again) return returned(finished);
  return deadLetter && delivery.lease ? bury(finished, delivery.lease) : fail(finished, delivery);
}

/** Only a note: another attempt follows, or the queue does what it does by itself. */
function returned({ job, outcome, message }: Finished): Decision {
  const { id, source } = job.message.note;
  return settle(source, id, { how: { kind: 'note', as: 'returned' }, because: `${carrierText(job)} failed: ${outcome.reason}`, job, delivery: heldBy(message) });
}

function fail({ job, outcome }: Finished, delivery: Delivery): Decision {
  const { id, source } = job.message.note;
  return settle(source, id, { how: { kind: 'fail', failure: failureOf(job, outcome), delay: delayOf(job) }, because: `${carrierText(job)} failed: ${outcome.reason}`, job, delivery });
}

function bury({ job, outcome }: Finished, lease: LeaseInHand): Decision {
  const { id, source, deadLetter } = job.message.note;
  // Taken over by its receipt: what is to be published must come with another delivery.
  if (!deadLetter || !lease.message) return release(job, lease);
  return settle(source, id, { how: { kind: 'dead', target: deadLetter, message: lease.message, failure: failureOf(job, outcome) }, because: `${carrierText(job)} failed for good: ${outcome.reason}`, job, delivery: lease });
}

/** Gives back what came without its content. */
export function release(job: MessageJobView, lease: LeaseInHand): Decision {
  const { id, source } = job.message.note;
  return settle(source, id, { how: { kind: 'release' }, because: 'the content of the message must be delivered again', delivery: lease });
}

function afterGrace({ job, now, message }: Finished, as: 'presumed' | 'returned'): Decision {
  const { id, source } = job.message.note;
  const until = graceEnd(job);
  if (now < until) return { kind: 'wait', until };
  return settle(source, id, { how: { kind: 'note', as }, because: `the message of ${carrierText(job)} was not delivered again for 24 hours`, job, delivery: heldBy(message) });
}

/**
 * Said already, and delivered again: nobody is to run it twice. `dead` and `returned` are told again only where the queue
 * may have missed it; undefined: this delivery is a new one.
 */
export function settleAgain(job: MessageJobView, lease: LeaseInHand, message: MessageView): Decision | undefined {
  const { note, settled } = job.message;
  const again = (as: 'completed' | 'taken'): Decision =>
    settle(note.source, note.id, { how: { kind: 'complete', as }, because: `its message is settled already by ${carrierText(job)}`, delivery: lease });
  switch (settled?.as) {
    case 'completed':
    case 'presumed':
      return again('completed');
    case 'taken':
      return again('taken');
    case 'dead':
      return isOfBurial(job, lease) ? again('completed') : undefined;
    case 'returned':
      if (!isSameLease(note, lease) || anotherTry(job, message).kind === 'again') return undefined;
      return settle(note.source, note.id, { how: { kind: 'fail', failure: failureOf(job, job.recorded), delay: delayOf(job) }, because: `the queue may not know yet that ${carrierText(job)} failed`, delivery: lease });
    case 'kept':
    case undefined:
      return undefined;
  }
}

/**
 * Not somebody's redrive: it was in hand when the message was buried, or is a later delivery of what was never acknowledged.
 * Of RabbitMQ only for a while: what somebody moved back may have brought its count of deliveries along.
 */
function isOfBurial({ message: { note, settled } }: MessageJobView, lease: LeaseInHand): boolean {
  const buriedAt = settled?.at ?? 0;
  if (lease.since <= buriedAt) return true;
  const later = note.delivery !== undefined && lease.delivery !== undefined && lease.delivery > note.delivery;
  return later && (note.source.type !== 'amqp' || lease.since <= buriedAt + burialGrace);
}

/** For what is only written down: whoever holds it goes on holding it. */
function heldBy({ leases }: MessageView): Pick<Delivery, 'token' | 'receipt'> {
  const [lease] = leases;
  return { token: lease?.token, receipt: lease?.receipt ?? {} };
}

function failureOf(job: MessageJobView, outcome: RecordedOutcome | undefined): Failure {
  const { reason = 'JobFailed', message = '', exitCode } = outcome ?? {};
  return { reason, message, job: job.name, attempt: job.message.note.attempt, ...(exitCode === undefined ? {} : { exitCode }) };
}

function delayOf(job: MessageJobView): number {
  return nextAt(job) - endOf(job);
}

function graceEnd(job: MessageJobView): number {
  return endOf(job) + settleGrace;
}

function endOf({ finished, createdAt }: MessageJobView): number {
  return finished?.at ?? createdAt;
}
