/**
 * Creating a queue's next drain Job, so that at most one is live whatever happens to requests, processes and other
 * instances: look live, take the next sequence, whose name is the lock, reserve it, create, and believe nothing but a
 * clean answer.
 */
import { drainJob, drainJobName } from '../plan/drain-job.ts';
import type { CreateAction, DrainBlueprint } from '../plan/action.ts';
import type { Refusal, SpecKey } from '../plan/observed.ts';
import * as keys from '../spec/keys.ts';
import type { CreateGate } from './create-gate.ts';
import type { Memory } from './memory.ts';
import type { JobApi, LiveJob, WriteResult } from './ports.ts';

export interface CreateDeps {
  readonly jobs: JobApi;
  readonly memory: Memory;
  readonly gate: CreateGate;
}

/** `blocked`: something else is live; `later`: try again. */
export type CreateResult =
  | { readonly kind: 'created'; readonly jobName: string; readonly uid: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal['kind']; readonly message: string }
  | { readonly kind: 'blocked'; readonly message: string }
  | { readonly kind: 'later'; readonly message: string };

/** Lists live, takes the next sequence, posts, and looks up whatever got no clean answer. Never throws for an answer of the API server. */
export function createDrainJob(deps: CreateDeps, key: SpecKey, action: CreateAction): Promise<CreateResult> {
  return deps.gate.during(() => create(deps, key, action));
}

async function create(deps: CreateDeps, key: SpecKey, action: CreateAction): Promise<CreateResult> {
  const live = await deps.jobs.live(key);
  if (live.kind !== 'found') {
    const message = live.kind === 'failed' ? live.message : 'the list of live Jobs is not available';
    return live.kind === 'failed' && live.forbidden ? { kind: 'refused', refusal: 'forbidden', message } : { kind: 'later', message };
  }
  const { liveJobs, livePods, highestSequence } = live.value;
  const [taken] = [...liveJobs, ...livePods];
  if (taken !== undefined) return { kind: 'blocked', message: `"${taken}" is live and the cache does not show it yet` };
  return post(deps, key, action.blueprint, highestSequence + 1);
}

async function post(deps: CreateDeps, key: SpecKey, blueprint: DrainBlueprint, sequence: number): Promise<CreateResult> {
  const jobName = drainJobName(blueprint, sequence);
  deps.memory.reserve(key, jobName);
  const result = await deps.gate.pass(() => deps.jobs.create(drainJob(blueprint, sequence)));
  if (result.kind === 'done') return confirmed(deps, key, { name: jobName, uid: result.uid, resourceVersion: result.resourceVersion });
  // 400 and 422: the API server looked at the object and did not store it.
  if (result.kind === 'refused') return refusedBy(deps, { key, jobName, refusal: 'refused', message: result.message });
  return lookUp(deps, { key, jobName, answer: result });
}

function confirmed(deps: CreateDeps, key: SpecKey, job: { name: string; uid: string; resourceVersion: string }): CreateResult {
  deps.memory.confirm(key, job.name, job.resourceVersion);
  deps.memory.wrote(key, job.resourceVersion);
  deps.memory.accepted(key);
  return { kind: 'created', jobName: job.name, uid: job.uid };
}

function refusedBy(deps: CreateDeps, refused: { key: SpecKey; jobName: string; refusal: Refusal['kind']; message: string }): CreateResult {
  deps.memory.release(refused.key, refused.jobName);
  return { kind: 'refused', refusal: refused.refusal, message: refused.message };
}

/**
 * Anything but 201, 400 and 422 leaves it open whether the Job exists: an existing name answers 403 when the quota is
 * full, and a connection that broke after the request may have created it. Only a live GET decides.
 */
async function lookUp(deps: CreateDeps, asked: { key: SpecKey; jobName: string; answer: WriteResult | undefined }): Promise<CreateResult> {
  const { key, jobName, answer } = asked;
  deps.memory.doubt(key, jobName);
  const found = await deps.jobs.get(jobName);
  if (found.kind === 'failed') return { kind: 'later', message: `whether Job "${jobName}" exists is not known: ${found.message}` };
  if (found.kind === 'found') return identify(deps, key, found.value, answer?.kind === 'exists');
  if (answer?.kind === 'quota' || answer?.kind === 'forbidden') return refusedBy(deps, { key, jobName, refusal: answer.kind, message: answer.message });
  deps.memory.release(key, jobName);
  return { kind: 'later', message: `Job "${jobName}" was not created` };
}

/**
 * An existing Job counts as ours only with our labels and without a deletionTimestamp. One that stood there before our
 * create (`before`) and has finished is a run that is over: the next list gives the next sequence.
 */
function identify(deps: CreateDeps, key: SpecKey, job: LiveJob, before: boolean): CreateResult {
  const ours = job.labels[keys.managedByLabel] === keys.managedBy && job.labels[keys.nameLabel] === key.name && job.labels[keys.jobKindLabel] === key.kind;
  if (ours && !job.deleting && !(before && job.finished)) return confirmed(deps, key, job);
  deps.memory.release(key, job.name);
  if (!ours) return { kind: 'refused', refusal: 'taken', message: `the name "${job.name}" is taken by a Job that is not ours` };
  return { kind: 'blocked', message: `Job "${job.name}" ${job.deleting ? 'is being deleted' : 'has run already'}` };
}

/** The second half of a create that got no clean answer, in a later round. */
export function resolveName(deps: CreateDeps, key: SpecKey, jobName: string): Promise<CreateResult> {
  return lookUp(deps, { key, jobName, answer: undefined });
}
