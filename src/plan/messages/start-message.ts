/** From a message in hand to its Job, or to where messages go of which none can be made. */
import type { SettleMessage, StartMessage } from './action.ts';
import { asksForContent, readContent, type Content } from './content.ts';
import type { Next } from './decision.ts';
import type { Failure, MessageNote } from './message.ts';
import { messageJob, messageJobName, payloadSecret, type MessageJobInput } from './message-job.ts';
import type { LeaseInHand } from './observed.ts';
import type { MessageRound } from './round.ts';

/** What is known of the Job before there is one. */
type Input = Omit<MessageJobInput, 'note'>;

/** Its Job and its Secret; or, where the message is invalid, what becomes of it without one. */
export function startMessage(round: MessageRound, lease: LeaseInHand, next: Next): StartMessage | SettleMessage {
  const { spec } = round;
  const { id } = lease;
  const reading = readLease(round, lease, next);
  if ('settle' in reading) return reading.settle;
  const input: Input = { key: round.observed.key, spec, claim: round.winner, environment: round.environment };
  const deleted = round.view.deleted?.get(id);
  const { jobName, manifest, ours } = messageJob({ ...input, note: noteOf(round, lease, { next, sha256: reading.content.sha256 }) });
  return {
    kind: 'startMessage',
    reason: 'MessageReceived',
    because: next.serial === 1 ? 'a message was received' : `Job ${next.serial} for a message, attempt ${next.attempt}`,
    source: spec.source,
    id,
    token: lease.token,
    hash: spec.hash,
    jobName,
    ...(deleted && { after: messageJobName(input, id, deleted.serial) }),
    manifest,
    ours,
    payload: payloadSecret(input, jobName, reading.content),
  };
}

/** What a Job is given of a message in hand; or, where the message is invalid, what becomes of it. */
export function readLease(round: MessageRound, lease: LeaseInHand, { attempt }: Next): { readonly content: Content } | { readonly settle: SettleMessage } {
  const { problem, message } = lease;
  // A lease without its message is given back before.
  const reading = problem !== undefined || !message ? { problem: problem ?? 'its content is missing' } : readContent(round.spec, message, attempt);
  return 'problem' in reading ? { settle: invalid(round, lease, { reason: 'MessageInvalid', message: reading.problem, job: undefined, attempt }) } : reading;
}

/** All that settling needs. */
export function noteOf({ spec: { source, perMessage } }: MessageRound, lease: LeaseInHand, { next, sha256 }: { readonly next: Next; readonly sha256: string }): MessageNote {
  const { settle, retry, deadLetter } = perMessage;
  return {
    id: lease.id,
    source,
    receipt: lease.receipt,
    ...(lease.delivery !== undefined && { delivery: lease.delivery }),
    ...next,
    settle,
    retry,
    ...(deadLetter && { deadLetter }),
    sha256,
    ...(!asksForContent(perMessage) && { bare: true as const }),
    ...(lease.message?.enqueuedAt !== undefined && { enqueuedAt: lease.message.enqueuedAt }),
    leasedAt: lease.since,
  };
}

/** It holds up no other: to the dead letter with the reason, or the queue's own way. */
export function invalid({ spec: { source, perMessage } }: MessageRound, lease: LeaseInHand, failure: Failure): SettleMessage {
  const { deadLetter } = perMessage;
  const how = deadLetter && lease.message ? ({ kind: 'dead', target: deadLetter, message: lease.message, failure } as const) : ({ kind: 'fail', failure, delay: 0 } as const);
  return { kind: 'settle', reason: 'MessageInvalid', because: failure.message, source, id: lease.id, job: undefined, token: lease.token, receipt: lease.receipt, how };
}

/** The Secret of a Job that is there, once more; undefined: the text that it was made from is not known any more. */
export function contentOfJob({ observed, spec, environment }: MessageRound, lease: LeaseInHand, job: { readonly name: string; readonly specHash: string | undefined; readonly message: { readonly note: MessageNote } }): ReturnType<typeof payloadSecret> {
  if (job.specHash !== spec.hash || !lease.message) return undefined;
  const reading = readContent(spec, lease.message, job.message.note.attempt);
  return 'problem' in reading ? undefined : payloadSecret({ key: observed.key, environment }, job.name, reading.content);
}
