/** Batches that start in this round, and what is to be done about those that a process left behind on the way. */
import type { Draft } from '../../draft.ts';
import type { Observed } from '../../observed.ts';
import { refOf } from '../../upkeep.ts';
import type { StartBatch } from '../action.ts';
import type { Decision } from '../decision.ts';
import type { MessageRound } from '../round.ts';
import { noteOf, readLease } from '../start-message.ts';
import type { MessagesView } from '../observed.ts';
import type { BatchSpec } from '../../../spec/queue.ts';
import { batchJob, batchJobName, batchSecret } from './batch-job.ts';
import { Hold, isDue, ripeness, waitsUntil, type Candidate, type Member } from './group.ts';
import { isBatchJob, isLetGo, type BatchJob } from './items.ts';

type Start = Extract<Decision, { kind: 'start' }>;

/** What came of the messages that could start. */
export interface Begun {
  /** Jobs. */
  readonly jobs: number;
  /** Messages that start. */
  readonly started: number;
  readonly invalid: number;
  /** Jobs that would start if there were places. */
  readonly left: number;
}

export interface BatchInput {
  /** The oldest first. */
  readonly due: readonly Start[];
  /** Jobs that may start. */
  readonly bound: number;
  /** One Job with one message, which waits for no other: it is to show whether Jobs start at all. */
  readonly probe: boolean;
}

/** Starts all batches that are full, and the last one if it has waited long enough. */
export function beginBatches(draft: Draft, round: MessageRound, { due, bound, probe }: BatchInput): Begun {
  const { spec, now } = round;
  const wanted: BatchSpec = probe || !spec.batch ? { size: 1, maxWait: 0 } : spec.batch;
  const waiting = due.map((start): Waiting => ({ start, readyAt: Math.max(start.lease.since, start.notBefore), bytes: bytesOf(round, start) }));
  let [jobs, started, invalid, at] = [0, 0, 0, 0];
  while (jobs < bound) {
    const rest = waiting.slice(at);
    const ripe = ripeness(rest, wanted, now);
    if (!ripe.ripe) {
      draft.wake(ripe.until);
      break;
    }
    const hold = fill(draft, round, rest, new Hold(wanted));
    at += hold.taken;
    invalid += hold.taken - hold.members.length;
    if (!isDue(hold.hold, wanted, now)) {
      if (hold.members.length > 0) draft.wake(waitsUntil(hold.hold, wanted.maxWait));
      break;
    }
    draft.messages.push(startBatch(round, hold.members));
    jobs += 1;
    started += hold.members.length;
  }
  return { jobs, started, invalid, left: jobs < bound ? 0 : leftOf(waiting.slice(at), wanted, now) };
}

interface Waiting extends Candidate {
  readonly start: Start;
}

/** Of a body that becomes a file. */
function bytesOf({ spec: { perMessage } }: MessageRound, { lease: { message } }: Start): number {
  return perMessage.payload.file === undefined ? 0 : (message?.body.length ?? 0);
}

/** Those that are invalid are settled by themselves, and take no place. */
function fill(draft: Draft, round: MessageRound, waiting: readonly Waiting[], hold: Hold): { readonly hold: Hold; readonly members: readonly Member[]; readonly taken: number } {
  let taken = 0;
  for (const { start: { lease, next }, readyAt, bytes } of waiting) {
    if (hold.full) break;
    const reading = readLease(round, lease, next);
    if ('settle' in reading) draft.messages.push(reading.settle);
    else if (!hold.add({ readyAt, bytes, token: lease.token, content: reading.content, note: noteOf(round, lease, { next, sha256: reading.content.sha256 }) })) break;
    taken += 1;
  }
  return { hold, members: hold.members, taken };
}

/** At most: by their number, whatever their size. */
function leftOf(rest: readonly Waiting[], batch: BatchSpec, now: number): number {
  return ripeness(rest, batch, now).ripe ? Math.ceil(rest.length / batch.size) : 0;
}

function startBatch(round: MessageRound, members: readonly Member[]): StartBatch {
  const { observed: { key }, spec, winner, environment, now, view } = round;
  const notes = members.map(({ note }) => note);
  const name = batchJobName({ key, spec, environment, notes });
  const secret = `${name}-${now.toString(36)}`;
  const { manifest, ours } = batchJob({ key, spec, claim: winner, environment, notes, secret });
  return {
    kind: 'startBatch',
    reason: 'MessageReceived',
    because: `${members.length === 1 ? '1 message was' : `${members.length} messages were`} received`,
    source: spec.source,
    id: notes[0]?.id ?? '',
    messages: members.map(({ note: { id }, token }) => ({ id, token })),
    hash: spec.hash,
    jobName: name,
    afterDeletion: notes.some(({ id }) => view.deleted?.has(id) === true),
    manifest,
    ours,
    payload: batchSecret({ key, environment, secret }, members.map(({ note: { id }, content }) => ({ id, content }))),
  };
}

/** So long a process that lives takes at most from creating the Job of a batch to letting it go: seconds. */
const slowest = 30_000;
/** So long what a process before held is waited for. */
const adoption = 10_000;

/** Batches that were never let go. Nothing of them runs, and nothing is started for their messages while they are there. */
export function openBatches(jobs: Observed['jobs']): readonly BatchJob[] {
  return jobs.filter(isBatchJob).filter((job) => !isLetGo(job));
}

/**
 * Deletes what a process left behind on the way, so that its messages can be grouped anew. A lease in hand here is in
 * no other process's hand; without any, the process may live, and is given its time. What it held of pg-boss, nobody
 * else gets before it expires: that is taken over first, to be given back.
 */
export function planOpenBatches(draft: Draft, observed: Observed, { view, now }: { readonly view: MessagesView; readonly now: number }): readonly Adoption[] {
  const inHand = new Set(view.leases.map(({ id }) => id));
  return openBatches(observed.jobs).flatMap((job): readonly Adoption[] => {
    const { notes } = job.batch;
    const ids = notes.map(({ id }) => id);
    if (job.deleting || ids.some((id) => view.underWay.has(id))) return [];
    const since = ids.some((id) => inHand.has(id)) ? job.createdAt : job.createdAt + slowest;
    draft.wake(since);
    if (now < since) return [];
    const left = notes.filter(({ id, source }) => source.type === 'pgBoss' && !inHand.has(id));
    const patience = job.createdAt + slowest + adoption;
    draft.wake(patience);
    if (left.length > 0 && now < patience) return left;
    const [first] = notes;
    const because = `Job "${job.name}" was made for ${notes.length} messages, and a process died before it let it go`;
    if (first) draft.messages.push({ kind: 'dropBatch', reason: 'BatchDropped', because, source: first.source, id: first.id, ids, job: refOf(job) });
    return [];
  });
}

/** A delivery of a process before. */
export type Adoption = BatchJob['batch']['notes'][number];
