/**
 * The Job for several messages: created suspended, then its payload, then let go, which is what counts
 * (docs/adr/0016-owning-a-batch.md). No two batches that were let go have a message in common: whoever lets go has looked
 * after its own create, and has deleted, as it saw it, whatever batch could be let go beside it.
 */
import { objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import { idsOf, type DropBatch, type StartBatch } from '../../plan/messages/action.ts';
import type { JobRef } from '../../plan/job-parts.ts';
import type { Refusal } from '../../plan/observed.ts';
import * as keys from '../../spec/keys.ts';
import { createNamed } from '../create-named.ts';
import type { LiveBatch, LiveJob, WriteResult } from '../ports.ts';
import type { MessageStepDeps, MessageTask, Next } from './message-task.ts';
import { ownedBy } from './start-message.ts';

type Task = MessageTask<StartBatch>;

/** Looks in one attempt: each change that somebody else makes on the way needs another. */
const mostLooks = 5;

/** Never lets go without all leases: another process may have the messages by now. Begins afresh each time, from what is there. */
export function startBatch(deps: MessageStepDeps, task: Task): Promise<Next> {
  return deps.gate.during(async () => {
    const stored: Stored = { done: false };
    for (let look = 0; look < mostLooks; look += 1) {
      const next = await step(deps, task, stored);
      if (next !== 'look') return next;
    }
    return failed(deps, task, { result: 'conflict', message: `Job "${task.action.jobName}" is being changed by others` }, 'again');
  });
}

/** Whether this attempt knows that the Secret is there. */
interface Stored {
  done: boolean;
}

/** What is to be done next follows from a live look alone. */
async function step(deps: MessageStepDeps, task: Task, stored: Stored): Promise<Next | 'look'> {
  const { key, action } = task;
  if (!deps.leadership.leading) return 'wait';
  const found = await deps.jobs.batches(key);
  if (found.kind !== 'found') return failed(deps, task, { result: 'unknown', message: `whether other Jobs have its messages is not known${found.kind === 'failed' ? `: ${found.message}` : ''}` }, 'again');
  const own = found.value.find(({ name }) => name === action.jobName);
  const rivals = found.value.filter((one) => one !== own && !isOnItsWayOut(one) && sharesMessage(one, action));
  return own ? goOn(deps, task, { own, rivals, stored }) : create(deps, task, { rivals, stored });
}

/** With its Job there, which an earlier step made, or one whose answer got lost. */
async function goOn(deps: MessageStepDeps, task: Task, { own, rivals, stored }: { readonly own: LiveBatch; readonly rivals: readonly LiveBatch[]; readonly stored: Stored }): Promise<Next | 'look'> {
  const { action } = task;
  if (own.deleting || own.secret !== stringAt(objectAt(action.payload, 'metadata'), 'name')) return yielded(deps, task, `another Job "${own.name}" is in the way`);
  if (own.committed) return committed(deps, task, own);
  const winner = rivals.find((rival) => isAhead(rival, own));
  if (winner) return withdraw(deps, task, own, `Job "${winner.name}" has one of its messages`);
  if (!mayGoOn(deps, task, own)) return withdraw(deps, task, own, 'not all of its messages are in hand any more');
  const [rival] = rivals;
  // Kueue may resume both at any moment, and then their payload is all that pods wait for.
  if (rival && own.kueue) return remove(deps, rival);
  const next = stored.done ? 'look' : await store(deps, task, own, stored);
  if (next !== 'look') return next;
  return rival ? remove(deps, rival) : letGo(deps, task, own);
}

function sharesMessage({ unsettled }: LiveBatch, { messages }: StartBatch): boolean {
  const mine = new Set(messages.map(({ id }) => id));
  return unsettled.some((id) => mine.has(id));
}

/** Nothing of it has run, and nothing will. Of one whose pods may have begun they may still live. */
function isOnItsWayOut({ deleting, committed, resumed }: LiveBatch): boolean {
  return deleting && !committed && !resumed;
}

/** One whose pods may have begun is; of two others the first by name. */
function isAhead(rival: LiveBatch, own: LiveBatch): boolean {
  return rival.committed || rival.resumed || (!own.resumed && rival.name < own.name);
}

function inHand({ leadership, book }: MessageStepDeps, { key, action: { messages } }: Task): boolean {
  return leadership.leading && messages.every(({ token }) => book.get(key, token) !== undefined);
}

/** Of one that Kueue has resumed pods may have begun: whoever has the messages now finds it ahead of any other batch. */
function mayGoOn(deps: MessageStepDeps, task: Task, own: LiveBatch): boolean {
  return deps.leadership.leading && (own.resumed || inHand(deps, task));
}

async function create(deps: MessageStepDeps, task: Task, { rivals, stored }: { readonly rivals: readonly LiveBatch[]; readonly stored: Stored }): Promise<Next | 'look'> {
  const { key, action: { jobName, manifest, ours, hash, afterDeletion } } = task;
  const [rival] = rivals;
  if (rival) return yielded(deps, task, `Job "${rival.name}" has one of its messages`);
  const left = afterDeletion ? await leftPod(deps, task) : undefined;
  if (left !== undefined) return yielded(deps, task, left);
  const result = await createNamed(deps, key, { jobName, manifest, ours, still: () => inHand(deps, task) });
  switch (result.kind) {
    case 'created':
      return isQueued(manifest) ? 'look' : store(deps, task, result.job, stored);
    case 'found':
      return isOurs(task.action, result.job) ? 'look' : refused(deps, task, { kind: 'taken', hash, message: `the name "${jobName}" is taken by a Job that is not ours` });
    case 'refused':
      return refused(deps, task, { kind: result.refusal, hash, message: result.message });
    case 'absent':
      return yielded(deps, task, result.message);
    case 'unclear':
      return failed(deps, task, { result: 'unknown', message: result.message }, 'again');
  }
}

/** What a Job that is gone has left, as the API server sees it this moment. Of which message it was, a pod does not tell. */
async function leftPod({ jobs }: MessageStepDeps, { key }: Task): Promise<string | undefined> {
  const live = await jobs.live(key);
  if (live.kind !== 'found') return `whether pods of a deleted Job live is not known${live.kind === 'failed' ? `: ${live.message}` : ''}`;
  const { livePods, liveJobs } = live.value;
  const pod = livePods.find((name) => !liveJobs.some((job) => name.startsWith(`${job}-`)));
  return pod === undefined ? undefined : `the Job of one of its messages is gone, and the pod "${pod}" still lives`;
}

function isOurs({ manifest }: StartBatch, { labels }: LiveJob): boolean {
  const wanted = objectAt(objectAt(manifest, 'metadata'), 'labels');
  return [keys.managedByLabel, keys.instanceLabel, keys.jobKindLabel, keys.nameLabel].every((label) => labels[label] === stringAt(wanted, label));
}

/** Kueue says when it may run, whatever becomes of it here. */
function isQueued(manifest: JsonObject): boolean {
  return (stringAt(objectAt(objectAt(manifest, 'metadata'), 'labels'), keys.kueueQueueLabel) ?? '') !== '';
}

/** 409 is as good as done: the name is new with each plan. */
async function store(deps: MessageStepDeps, task: Task, own: JobRef, stored: Stored): Promise<Next | 'look'> {
  const { action: { payload, hash } } = task;
  const result = await deps.payloads.create(ownedBy(own, payload));
  if (result.kind === 'done' || result.kind === 'exists') {
    stored.done = true;
    return 'look';
  }
  const message = `the Secret of the payload of Job "${own.name}": ${messageOf(result)}`;
  const kind = refusalOf(result);
  if (kind === undefined) return failed(deps, task, { result: result.kind, message }, 'again');
  return (await withdraw(deps, task, own, message)) === 'look' ? 'look' : refused(deps, task, { kind, hash, message });
}

/**
 * One patch, as it was looked at: whoever deletes it meanwhile, or has, comes first. What Kueue has not admitted, Kueue would
 * suspend again, with pods that have begun: so it is left to Kueue to resume it.
 */
async function letGo(deps: MessageStepDeps, task: Task, own: LiveBatch): Promise<Next | 'look'> {
  if (!mayGoOn(deps, task, own)) return withdraw(deps, task, own, 'not all of its messages are in hand any more');
  const patch = { metadata: { resourceVersion: own.resourceVersion, annotations: { [keys.committedAnnotation]: 'true' } }, ...(own.kueue ? {} : { spec: { suspend: false } }) };
  const result = await deps.jobs.patch(own.name, own.uid, patch);
  switch (result.kind) {
    case 'done':
      return committed(deps, task, { ...own, resourceVersion: result.resourceVersion });
    case 'conflict':
    case 'gone':
      return 'look';
    case 'refused':
    case 'quota':
    case 'forbidden':
      return (await withdraw(deps, task, own, result.message)) === 'look' ? 'look' : refused(deps, task, { kind: result.kind, hash: task.action.hash, message: result.message });
    case 'exists':
    case 'unknown':
      return failed(deps, task, { result: result.kind, message: `whether Job "${own.name}" was let go is not known: ${messageOf(result)}` }, 'again');
  }
}

function committed({ book, cache, clock, memory, told }: MessageStepDeps, { key, action, memory: mine }: Task, { name, uid, resourceVersion }: LiveBatch): Next {
  memory.confirm(key, name, resourceVersion);
  mine.posted.add(uid);
  const waits = action.messages.flatMap(({ token }) => book.get(key, token)?.since ?? []).map((since) => clock.now() - since);
  for (const { id } of action.messages) {
    mine.accepted(id, action.hash);
    mine.wrote(id, resourceVersion);
  }
  told(key, { action, step: 'created', result: 'done', message: action.because, job: { name, uid }, took: waits.length === 0 ? undefined : Math.max(...waits), waits });
  // Its event brings the next round. It may have come before this answer.
  return cache.hasSeen(resourceVersion) ? 'round' : 'wait';
}

/** Nothing of it has run: deleted as it was looked at. */
async function withdraw(deps: MessageStepDeps, task: Task, own: JobRef, why: string): Promise<Next | 'look'> {
  const result = await deps.jobs.delete(own.name, own.uid, own.resourceVersion);
  if (result.kind === 'conflict') return 'look';
  if (result.kind !== 'done' && result.kind !== 'gone') return failed(deps, task, { result: result.kind, message: `Job "${own.name}" could not be deleted: ${messageOf(result)}` }, 'again');
  noteDeleted(task, result);
  return yielded(deps, task, why);
}

/** Until the cache shows it nothing is decided about its messages: it would be deleted once more. */
function noteDeleted({ action, memory }: MessageTask<StartBatch | DropBatch>, result: WriteResult): void {
  if (result.kind === 'done' && result.resourceVersion !== '') for (const id of idsOf(action)) memory.wrote(id, result.resourceVersion);
}

/** Another one that was not let go, and comes after this: its process finds it gone. */
async function remove({ jobs }: MessageStepDeps, rival: LiveBatch): Promise<'look'> {
  await jobs.delete(rival.name, rival.uid, rival.resourceVersion);
  return 'look';
}

/** The next round decides anew, after a pause. */
function yielded(deps: MessageStepDeps, task: Task, why: string): Next {
  deps.memory.release(task.key, task.action.jobName);
  return failed(deps, task, { result: 'blocked', message: why }, 'pause');
}

/** The next round says so, and waits. */
function refused(deps: MessageStepDeps, task: Task, refusal: Omit<Refusal, 'at' | 'count'>): Next {
  deps.memory.release(task.key, task.action.jobName);
  for (const { id } of task.action.messages) task.memory.refused(id, refusal);
  return failed(deps, task, { result: refusal.kind, message: refusal.message }, 'round');
}

/** A Job that was never let go, and whose process is gone. Only as it was looked at: if it lives, whoever is first wins. */
export async function dropBatch(deps: MessageStepDeps, task: MessageTask<DropBatch>): Promise<Next> {
  const { key, action } = task;
  const { job } = action;
  const result = await deps.jobs.delete(job.name, job.uid, job.resourceVersion);
  if (result.kind !== 'done' && result.kind !== 'gone') return failed(deps, task, { result: result.kind, message: messageOf(result) }, 'pause');
  noteDeleted(task, result);
  deps.told(key, { action, step: 'dropped', result: 'done', message: action.because, job, took: undefined });
  return 'round';
}

function failed({ told }: MessageStepDeps, { key, action }: MessageTask<StartBatch | DropBatch>, { result, message }: { readonly result: string; readonly message: string }, next: Next): Next {
  told(key, { action, step: 'failed', result, message, job: action.kind === 'dropBatch' ? action.job : undefined, took: undefined });
  return next;
}

function refusalOf({ kind }: WriteResult): Extract<Refusal['kind'], WriteResult['kind']> | undefined {
  return kind === 'refused' || kind === 'quota' || kind === 'forbidden' ? kind : undefined;
}

function messageOf(result: WriteResult): string {
  return 'message' in result ? result.message : 'no clean answer';
}
