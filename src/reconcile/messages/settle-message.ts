/**
 * Telling the queue what has become of a message, and writing it down on its Job, in the orders of
 * docs/adr/0015-owning-a-message.md: a process that dies between two steps leads back to the same step.
 */
import type { JsonObject } from '../../lib/json.ts';
import type { SettleMessage, Settling } from '../../plan/messages/action.ts';
import { carrierText, type CarrierRef } from '../../plan/messages/carrier.ts';
import type { Failure, SettledNote, Verdict } from '../../plan/messages/message.ts';
import { isUsable } from '../../plan/messages/view.ts';
import type { DeadLetterSpec } from '../../spec/queue.ts';
import { settledAnnotation } from '../../spec/keys.ts';
import type { WriteResult } from '../ports.ts';
import type { MessageStepDeps, MessageTask, Next } from './message-task.ts';

type SettleTask = MessageTask<SettleMessage>;
type How<Kind extends Settling['kind']> = Extract<Settling, { kind: Kind }>;
/** `lost`: the delivery is not ours any more. `failed`: nobody knows, or it did not take effect. */
type Step = 'done' | 'lost' | 'failed';

export function settleMessage(deps: MessageStepDeps, task: SettleTask): Promise<Next> {
  const { how } = task.action;
  switch (how.kind) {
    case 'complete':
      return complete(deps, task, how);
    case 'fail':
      return fail(deps, task, how);
    case 'dead':
      return dead(deps, task, how);
    case 'note':
      return note(deps, task, how.as);
    case 'release':
      return release(deps, task);
  }
}

/** Acknowledged, then marked: what was not marked is acknowledged again, and the queue answers that it is done. */
async function complete(deps: MessageStepDeps, task: SettleTask, { as, output }: How<'complete'>): Promise<Next> {
  const verdict: Verdict = { kind: 'complete', ...(output && { output }) };
  const told = await tell(deps, task, verdict);
  const last = told === 'lost' ? await tellByReceipt(deps, task, verdict) : told;
  if (last === 'lost') return forgetReceipt(deps, task);
  if (last === 'failed') return 'pause';
  return (await mark(deps, task, as)) === 'done' ? settled(deps, task) : 'again';
}

/** Marked, then failed: with the mark alone the message comes back when its lease ends, and the next attempt follows. */
async function fail(deps: MessageStepDeps, task: SettleTask, { failure, delay }: How<'fail'>): Promise<Next> {
  if ((await mark(deps, task, 'returned')) === 'failed') return 'pause';
  // Nothing else must be decided about it until the queue knows: it would be tried once more under this lease.
  if ((await tell(deps, task, { kind: 'fail', failure, delay })) === 'failed') return task.action.job ? 'again' : 'pause';
  return settled(deps, task);
}

/** Published, marked, acknowledged: never acknowledged before it is safe where dead ones go. */
async function dead(deps: MessageStepDeps, task: SettleTask, { target, message, failure }: How<'dead'>): Promise<Next> {
  if (!task.did.has('published')) {
    const answer = await deps.source.deadLetter(task.action.source, target, { message, failure });
    if (answer.kind === 'failed' || answer.kind === 'lost') return trouble(deps, task, { result: answer.kind, message: `the message could not be published to where dead ones go: ${answer.message}` }, 'pause');
    task.did.add('published');
  }
  if ((await mark(deps, task, 'dead')) === 'failed') return 'again';
  return (await tell(deps, task, { kind: 'complete', output: buried(target, failure) })) === 'failed' ? 'again' : settled(deps, task);
}

/** For queues that keep an output: whoever looks at what is settled there must not take it for a success. */
function buried(target: DeadLetterSpec, { reason, message, attempt, job }: Failure): JsonObject {
  return { deadLetter: 'queue' in target ? target.queue : target.exchange, reason, message, attempt, ...(job !== undefined && { job }) };
}

async function note(deps: MessageStepDeps, task: SettleTask, as: SettledNote['as']): Promise<Next> {
  return (await mark(deps, task, as)) === 'done' ? settled(deps, task) : 'pause';
}

async function release(deps: MessageStepDeps, task: SettleTask): Promise<Next> {
  return (await tell(deps, task, { kind: 'release' })) === 'failed' ? 'pause' : settled(deps, task);
}

async function tell(deps: MessageStepDeps, task: SettleTask, verdict: Verdict): Promise<Step> {
  if (task.did.has('told')) return 'done';
  // Between two steps another process may have begun to lead.
  if (!deps.leadership.leading) return 'failed';
  const { key, action: { source, id, token, receipt } } = task;
  const answer = await deps.source.settle(source, { id, token, receipt }, verdict);
  switch (answer.kind) {
    case 'done':
    case 'already':
      task.did.add('told');
      if (token !== undefined) deps.book.settled(key, token);
      return 'done';
    case 'lost':
      if (token !== undefined) deps.book.drop(key, token, answer.message);
      trouble(deps, task, { result: 'lost', message: answer.message }, 'round');
      return 'lost';
    case 'failed':
      trouble(deps, task, { result: 'failed', message: answer.message }, 'pause');
      return 'failed';
  }
}

/**
 * The lease is over, and maybe nobody else has the message yet: its last receipt may do. The work is done; what is not
 * acknowledged now could be the delivery too many, and end where dead ones go.
 */
function tellByReceipt(deps: MessageStepDeps, task: SettleTask, verdict: Verdict): Promise<Step> | Step {
  const { key, action } = task;
  if (action.token === undefined || !isUsable(action.receipt) || deps.book.holds(key, action.id)) return 'lost';
  return tell(deps, { ...task, action: { ...action, token: undefined } }, verdict);
}

/** A Job that is gone needs no mark. */
async function mark(deps: MessageStepDeps, task: SettleTask, as: SettledNote['as']): Promise<'done' | 'failed'> {
  const { action: { job, id }, memory } = task;
  if (!job || task.did.has('marked')) return 'done';
  if (!deps.leadership.leading) return 'failed';
  const settledNote: SettledNote = { as, at: deps.clock.now() };
  const result = await write(deps, job, settledNote);
  if (result.kind === 'done') memory.wrote(id, result.resourceVersion, job.carrier?.kind === 'Run' ? deps.runs : deps.cache);
  else if (result.kind !== 'gone' && !(result.kind === 'conflict' && (await isGone(deps, job)))) {
    trouble(deps, task, { result: result.kind, message: `${carrierText(job)} could not be marked: ${'message' in result ? result.message : 'unexpected answer'}` }, 'pause');
    return 'failed';
  }
  task.did.add('marked');
  return 'done';
}

function write({ jobs, runs, marks }: MessageStepDeps, job: CarrierRef, settledNote: SettledNote): Promise<WriteResult> {
  if (job.carrier?.kind === 'Run') return runs.mark(job, settledNote);
  const text = JSON.stringify(settledNote);
  return job.carrier ? marks.mark(job, job.carrier.index, text) : jobs.patch(job.name, job.uid, { metadata: { annotations: { [settledAnnotation]: text } } });
}

/** Another Job may have its name by now. Of a run whoever writes has looked. */
async function isGone({ jobs }: MessageStepDeps, { name, uid, carrier }: CarrierRef): Promise<boolean> {
  if (carrier?.kind === 'Run') return false;
  const found = await jobs.get(name);
  return found.kind === 'absent' || (found.kind === 'found' && found.value.uid !== uid);
}

/** What its Job knows of the delivery is worth nothing any more; one that is in hand now says more. */
function forgetReceipt({ book }: MessageStepDeps, { key, action: { job, id }, memory }: SettleTask): Next {
  if (job && !book.holds(key, id)) memory.lostReceipt(job, id);
  return 'round';
}

function settled({ told, clock }: MessageStepDeps, { key, action, finishedAt, memory }: SettleTask): Next {
  memory.eased(action.id);
  // Delivered again it has a new chance.
  if (action.reason === 'MessageInvalid') memory.accepted(action.id);
  told(key, { action, step: 'settled', result: 'done', message: action.because, job: action.job, took: finishedAt === undefined ? undefined : clock.now() - finishedAt });
  return 'round';
}

function trouble({ told }: MessageStepDeps, { key, action, memory }: SettleTask, { result, message }: { readonly result: string; readonly message: string }, next: Next): Next {
  if (next === 'round') memory.eased(action.id);
  else memory.troubled(action.id, message);
  told(key, { action, step: 'failed', result, message, job: action.job, took: undefined });
  return next;
}
