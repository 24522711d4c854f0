/**
 * The Job for a message in hand, and its payload. The name is the lock: whoever finds a Job of that name which says that
 * it is for this message has found its own.
 */
import { objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { PostPayload, StartMessage } from '../../plan/messages/action.ts';
import type { Refusal, SpecKey } from '../../plan/observed.ts';
import * as keys from '../../spec/keys.ts';
import { createNamed, type NamedResult } from '../create-named.ts';
import type { LiveJob, WriteResult } from '../ports.ts';
import type { MessageStepDeps, MessageTask, Next } from './message-task.ts';

interface JobName {
  readonly name: string;
  readonly uid: string;
}

/** Never creates without the lease: another process may have the message by now. */
export function startMessage(deps: MessageStepDeps, task: MessageTask<StartMessage>): Promise<Next> {
  const { key, action } = task;
  const { jobName, manifest, ours, token, after: before } = action;
  return deps.gate.during(async () => {
    const left = before === undefined ? undefined : await leftOf(deps, key, before);
    if (left !== undefined) return failed(deps, task, 'blocked', left);
    const still = (): boolean => deps.leadership.leading && deps.book.get(key, token) !== undefined;
    return after(deps, task, await createNamed(deps, key, { jobName, manifest, ours, still }));
  });
}

/** What a Job that is gone has left, as the API server sees it this moment: the watch of pods may be behind. */
async function leftOf({ jobs }: MessageStepDeps, key: SpecKey, jobName: string): Promise<string | undefined> {
  const live = await jobs.live(key);
  if (live.kind !== 'found') return `whether pods of Job "${jobName}" live is not known${live.kind === 'failed' ? `: ${live.message}` : ''}`;
  const pod = live.value.livePods.find((name) => name.startsWith(`${jobName}-`));
  return pod === undefined ? undefined : `Job "${jobName}" is gone, and its pod "${pod}" still lives`;
}

/** Its Job is there; whether its Secret is, nobody here knows. */
export function postPayload(deps: MessageStepDeps, task: MessageTask<PostPayload>): Promise<Next> {
  const { job, payload } = task.action;
  return deps.gate.during(() => post(deps, task, { job, payload, hash: undefined }));
}

async function after(deps: MessageStepDeps, task: MessageTask<StartMessage>, result: NamedResult): Promise<Next> {
  switch (result.kind) {
    case 'created':
      return created(deps, task, result.job);
    case 'found':
      return identify(deps, task, result.job);
    case 'refused':
      return refused(deps, task, { kind: result.refusal, hash: task.action.hash, message: result.message });
    case 'absent':
    case 'unclear':
      return failed(deps, task, 'unknown', result.message);
  }
}

async function created(deps: MessageStepDeps, task: MessageTask<StartMessage>, job: JobName & { readonly resourceVersion: string }): Promise<Next> {
  const { key, action, memory } = task;
  deps.memory.confirm(key, job.name, job.resourceVersion);
  const since = deps.book.get(key, action.token)?.since;
  deps.told(key, { action, step: 'created', result: 'done', message: action.because, job, took: since === undefined ? undefined : deps.clock.now() - since });
  if (action.payload) {
    const next = await post(deps, task, { job, payload: action.payload, hash: action.hash });
    if (next !== 'wait') return next;
  } else {
    memory.accepted(action.id, action.hash);
  }
  // Its event brings the next round. It may have come before this answer, while nothing was decided about the message.
  return deps.cache.hasSeen(job.resourceVersion) ? 'round' : 'wait';
}

/** One that is being deleted is still in the way: the next look finds it, or its name free. */
function identify(deps: MessageStepDeps, task: MessageTask<StartMessage>, job: LiveJob): Promise<Next> | Next {
  const { key, action } = task;
  if (isOurs(action, job)) return job.deleting ? failed(deps, task, 'exists', `Job "${job.name}" is being deleted`) : created(deps, task, job);
  deps.memory.release(key, job.name);
  return refused(deps, task, { kind: 'taken', hash: action.hash, message: `the name "${job.name}" is taken by a Job that is not ours` });
}

function isOurs({ id, manifest }: StartMessage, { labels, messageId }: LiveJob): boolean {
  const wanted = objectAt(objectAt(manifest, 'metadata'), 'labels');
  return messageId === id && [keys.managedByLabel, keys.instanceLabel, keys.jobKindLabel, keys.nameLabel].every((label) => labels[label] === stringAt(wanted, label));
}

/** 409 is as good as done: the name is the Job's, and what is in it follows from the message. */
async function post(deps: MessageStepDeps, task: MessageTask<StartMessage | PostPayload>, { job, payload, hash }: { readonly job: JobName; readonly payload: JsonObject; readonly hash: string | undefined }): Promise<Next> {
  const result = await deps.payloads.create(ownedBy(job, payload));
  if (result.kind === 'done' || result.kind === 'exists') {
    task.memory.posted.add(job.uid);
    task.memory.accepted(task.action.id, hash);
    deps.told(task.key, { action: task.action, step: 'posted', result: result.kind, message: `the payload of Job "${job.name}" is stored`, job, took: undefined });
    return task.action.kind === 'postPayload' ? 'round' : 'wait';
  }
  const message = `the Secret of the payload of Job "${job.name}": ${'message' in result ? result.message : 'no clean answer'}`;
  const kind = refusalOf(result);
  if (kind === undefined || hash === undefined) return failed(deps, task, result.kind, message);
  task.memory.refused(task.action.id, { kind, hash, message });
  return failed(deps, task, kind, message);
}

function refusalOf({ kind }: WriteResult): Refusal['kind'] | undefined {
  return kind === 'refused' || kind === 'quota' || kind === 'forbidden' ? kind : undefined;
}

/** Without blockOwnerDeletion, which needs rights on finalizers of Jobs. */
export function ownedBy({ name, uid }: JobName, secret: JsonObject): JsonObject {
  return { ...secret, metadata: { ...objectAt(secret, 'metadata'), ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }] } };
}

/** The next round says so, and waits. */
function refused(deps: MessageStepDeps, task: MessageTask<StartMessage>, refusal: Omit<Refusal, 'at' | 'count'>): Next {
  task.memory.refused(task.action.id, refusal);
  failed(deps, task, refusal.kind, refusal.message);
  return 'round';
}

function failed({ told }: MessageStepDeps, { key, action }: MessageTask<StartMessage | PostPayload>, result: string, message: string): Next {
  told(key, { action, step: 'failed', result, message, job: action.kind === 'postPayload' ? action.job : undefined, took: undefined });
  return 'pause';
}
