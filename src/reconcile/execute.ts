/**
 * Carries out actions in their order. Each is idempotent, and one that fails (a policy that forbids to change one Job)
 * does not keep the others from being tried: a create looks at the live cluster anyway before it does anything.
 */
import PQueue from 'p-queue';
import { drainSpecHash } from '../plan/drain-job.ts';
import type { Action, EndAction, JobRef, MarkAction, ReownAction, ScaleAction } from '../plan/action.ts';
import { endPatch, markPatch, reownPatch, scalePatch } from '../plan/patches.ts';
import type { SpecKey } from '../plan/observed.ts';
import { createDrainJob, resolveName, type CreateResult } from './create.ts';
import type { CreateDeps } from './create-named.ts';
import type { Leadership } from './leadership.ts';
import type { WriteResult } from './ports.ts';

/** Requests of one round at once. */
const width = 32;

export interface ExecuteDeps extends CreateDeps {
  readonly leadership: Leadership;
}

/** What became of one action. */
export interface Executed {
  readonly action: Action;
  /** `done`: it took effect, or had already. `waits`: refused or blocked, a later round goes on. `failed`: back off. */
  readonly kind: 'done' | 'waits' | 'failed';
  /** For metrics and logs: the WriteResult's kind, or what a create came to. */
  readonly result: string;
  readonly message: string;
  readonly job: { readonly name: string; readonly uid: string } | undefined;
}

export async function execute(deps: ExecuteDeps, key: SpecKey, actions: readonly Action[]): Promise<readonly Executed[]> {
  const executed: Executed[] = [];
  for (const alike of groupsOf(actions)) {
    const group = await new PQueue({ concurrency: width }).addAll(alike.map((action) => () => one(deps, key, action)));
    executed.push(...group);
    if (group.some(stops)) break;
  }
  return executed;
}

/** What follows would be decided anew: a create came to nothing, or another process decides from here on. */
function stops({ action, kind, result }: Executed): boolean {
  return result === 'skipped' || (kind !== 'done' && (action.kind === 'create' || action.kind === 'resolve'));
}

async function one(deps: ExecuteDeps, key: SpecKey, action: Action): Promise<Executed> {
  // Leadership may have ended while the action before was under way: from then on another process decides.
  if (!deps.leadership.leading) return { action, kind: 'failed', result: 'skipped', message: 'another replica leads, or may lead', job: undefined };
  return carryOut(deps, key, action);
}

/** What is to be done alike to one Job after another is done side by side: a thousand that end at once must not wait for each other. */
function groupsOf(actions: readonly Action[]): readonly (readonly Action[])[] {
  const groups: Action[][] = [];
  for (const action of actions) {
    const last = groups.at(-1);
    if (last?.[0]?.kind === action.kind && action.kind !== 'create' && action.kind !== 'resolve') last.push(action);
    else groups.push([action]);
  }
  return groups;
}

async function carryOut(deps: ExecuteDeps, key: SpecKey, action: Action): Promise<Executed> {
  switch (action.kind) {
    case 'create':
      return afterCreate(deps, key, action, await createDrainJob(deps, key, action));
    case 'resolve':
      return afterCreate(deps, key, action, await resolveName(deps, key, action.jobName));
    case 'delete':
      return afterWrite(deps, key, action, await deps.jobs.delete(action.job.name, action.job.uid, action.job.resourceVersion));
    case 'end':
    case 'scale':
    case 'mark':
    case 'reown':
      return afterWrite(deps, key, action, await deps.jobs.patch(action.job.name, action.job.uid, patchOf(action)));
  }
}

function patchOf(action: EndAction | ScaleAction | MarkAction | ReownAction): ReturnType<typeof endPatch> {
  switch (action.kind) {
    case 'end':
      return endPatch(action);
    case 'scale':
      return scalePatch(action);
    case 'mark':
      return markPatch(action);
    case 'reown':
      return reownPatch(action);
  }
}

type WriteAction = Extract<Action, { job: JobRef }>;

/** What is gone needs nothing more; a conflict means that the cache is behind, and the next event brings us back. */
function afterWrite(deps: ExecuteDeps, key: SpecKey, action: WriteAction, result: WriteResult): Executed {
  const job = { name: action.job.name, uid: action.job.uid };
  switch (result.kind) {
    case 'done':
      deps.memory.wrote(key, result.resourceVersion);
      if (action.kind === 'mark') deps.memory.jobFinished(key);
      return { action, kind: 'done', result: 'done', message: action.because, job };
    case 'gone':
      return { action, kind: 'done', result: 'gone', message: 'the Job is gone', job };
    case 'exists':
      return { action, kind: 'failed', result: 'exists', message: 'unexpected answer', job };
    case 'conflict':
    case 'refused':
    case 'quota':
    case 'forbidden':
    case 'unknown':
      return { action, kind: 'failed', result: result.kind, message: result.message, job };
  }
}

function afterCreate(deps: ExecuteDeps, key: SpecKey, action: Action, result: CreateResult): Executed {
  switch (result.kind) {
    case 'created':
      return { action, kind: 'done', result: 'done', message: action.because, job: { name: result.jobName, uid: result.uid } };
    case 'refused':
      if (action.kind === 'create') deps.memory.refused(key, { kind: result.refusal, hash: drainSpecHash(action.blueprint), message: result.message });
      return { action, kind: 'waits', result: result.refusal, message: result.message, job: undefined };
    case 'blocked':
    case 'later':
      return { action, kind: 'failed', result: result.kind, message: result.message, job: undefined };
  }
}
