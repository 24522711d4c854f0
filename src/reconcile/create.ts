/**
 * Creating a queue's next drain Job, so that at most one is live whatever happens to requests, processes and other
 * instances: look live, take the next sequence, whose name is the lock, reserve it, create, and believe nothing but a
 * clean answer.
 */
import { drainJob, drainJobName } from '../plan/drain-job.ts';
import type { CreateAction } from '../plan/action.ts';
import type { Refusal, SpecKey } from '../plan/observed.ts';
import * as keys from '../spec/keys.ts';
import { createNamed, lookUpNamed, type CreateDeps, type NamedResult } from './create-named.ts';
import type { LiveJob } from './ports.ts';

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
  const sequence = highestSequence + 1;
  return settle(deps, key, await createNamed(deps, key, { jobName: drainJobName(action.blueprint, sequence), manifest: drainJob(action.blueprint, sequence), ours: action.blueprint.ours }));
}

/** The second half of a create that got no clean answer, in a later round. */
export async function resolveName(deps: CreateDeps, key: SpecKey, jobName: string): Promise<CreateResult> {
  return settle(deps, key, await lookUpNamed(deps, key, jobName));
}

function settle(deps: CreateDeps, key: SpecKey, result: NamedResult): CreateResult {
  switch (result.kind) {
    case 'created':
      return confirmed(deps, key, result.job);
    case 'found':
      return identify(deps, key, result);
    case 'refused':
      return result;
    case 'absent':
    case 'unclear':
      return { kind: 'later', message: result.message };
  }
}

function confirmed(deps: CreateDeps, key: SpecKey, job: { name: string; uid: string; resourceVersion: string }): CreateResult {
  deps.memory.confirm(key, job.name, job.resourceVersion);
  deps.memory.wrote(key, job.resourceVersion);
  deps.memory.accepted(key);
  return { kind: 'created', jobName: job.name, uid: job.uid };
}

/**
 * An existing Job counts as ours only with our labels and without a deletionTimestamp. One that stood there before our
 * create (`before`) and has finished is a run that is over: the next list gives the next sequence.
 */
function identify(deps: CreateDeps, key: SpecKey, { job, before }: { job: LiveJob; before: boolean }): CreateResult {
  const ours = job.labels[keys.managedByLabel] === keys.managedBy && job.labels[keys.nameLabel] === key.name && job.labels[keys.jobKindLabel] === key.kind;
  if (ours && !job.deleting && !(before && job.finished)) return confirmed(deps, key, job);
  deps.memory.release(key, job.name);
  if (!ours) return { kind: 'refused', refusal: 'taken', message: `the name "${job.name}" is taken by a Job that is not ours` };
  return { kind: 'blocked', message: `Job "${job.name}" ${job.deleting ? 'is being deleted' : 'has run already'}` };
}
