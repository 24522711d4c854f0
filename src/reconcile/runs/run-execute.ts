/**
 * Carries out what a round of a run decided. Creates and look-ups go their own way (job-tasks.ts); patches and sub-runs
 * are done here, beside each other. Each is idempotent.
 */
import PQueue from 'p-queue';
import type { DeleteAction, EndAction, MarkAction } from '../../plan/action.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { endPatch, markPatch } from '../../plan/patches.ts';
import type { CancelSubRun, CreateSubRun, LookUpSubRun, RunAction } from '../../plan/run/action.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Leadership } from '../leadership.ts';
import type { Memory } from '../memory.ts';
import type { ClusterCache, JobApi, WriteResult } from '../ports.ts';
import type { RecordCache, RecordStore } from '../record-ports.ts';
import type { JobTasks } from './job-tasks.ts';
import type { RecordKeeper } from './record-keeper.ts';
import { noteRefusal, type LoadedRun } from './run-memory.ts';

export interface RunExecuteDeps {
  readonly clock: Clock;
  readonly leadership: Leadership;
  readonly jobs: JobApi;
  readonly cache: ClusterCache;
  readonly records: RecordCache;
  readonly store: RecordStore;
  readonly keeper: RecordKeeper;
  readonly tasks: JobTasks;
  /** Names of records that were asked for. */
  readonly recordNames: Memory;
}

/** What became of an action of which the round waited for the answer. */
export interface RunExecuted {
  readonly action: RunAction;
  /** `waits`: refused, a later round goes on. `failed`: back off. */
  readonly kind: 'done' | 'waits' | 'failed';
  readonly result: string;
  readonly message: string;
  /** Name of the Job, or of the sub-run's record. */
  readonly job: string;
}

/** Requests of one round at once. */
const width = 16;

export interface RunInHand {
  readonly key: SpecKey;
  readonly record: ObservedRecord;
  readonly run: LoadedRun;
}

/** Starts the creates and look-ups, and answers when everything else has been tried. */
export async function executeRun(deps: RunExecuteDeps, inHand: RunInHand, actions: readonly RunAction[]): Promise<readonly RunExecuted[]> {
  const queue = new PQueue({ concurrency: width });
  const waited: Promise<RunExecuted | undefined>[] = [];
  for (const action of actions) {
    if (action.kind === 'createStepJob' || action.kind === 'lookUp') deps.tasks.start(inHand.key, inHand.run, action);
    else waited.push(queue.add(() => carryOut(deps, inHand, action)));
  }
  return (await Promise.all(waited)).filter((one) => one !== undefined);
}

type Waited = Exclude<RunAction, { kind: 'createStepJob' | 'lookUp' }>;

async function carryOut(deps: RunExecuteDeps, inHand: RunInHand, action: Waited): Promise<RunExecuted | undefined> {
  // Leadership may have ended while an action before was under way: from then on another process decides.
  if (!deps.leadership.leading) return { action, kind: 'failed', result: 'skipped', message: 'another replica leads, or may lead', job: nameIn(action) };
  switch (action.kind) {
    case 'createSubRun':
      return createSubRun(deps, inHand, action);
    case 'cancelSubRun':
      return cancelSubRun(deps, action);
    case 'lookUpSubRun':
      return lookUpSubRun(deps, inHand, action);
    case 'end':
    case 'mark':
    case 'delete':
      return changeJob(deps, inHand.run, action);
  }
}

/** Its name is the lock. It is queued: the sub-run's own workflow says when it begins, and with which text. */
async function createSubRun(deps: RunExecuteDeps, { key, record, run }: RunInHand, action: CreateSubRun): Promise<RunExecuted> {
  const { name, request, parameters } = action;
  deps.recordNames.reserve(key, name);
  const result = await deps.store.create({ name, request, parameters, data: undefined, owner: { name: record.name, uid: record.uid } });
  if (result.kind === 'done') {
    deps.recordNames.confirm(key, name, result.resourceVersion);
    run.confirmed.add(name);
    run.refusals.delete(name);
    return { action, kind: 'done', result: 'done', message: action.because, job: name };
  }
  deps.recordNames.release(key, name);
  const refusal = refusalOf(result);
  if (refusal) noteRefusal(run, name, { ...refusal, at: deps.clock.now() });
  return { action, kind: refusal ? 'waits' : 'failed', result: result.kind, message: messageOf(result), job: name };
}

/** Another run than ours has the name: it never gets free. */
function refusalOf(result: WriteResult): { readonly kind: 'refused' | 'quota' | 'forbidden' | 'taken'; readonly message: string } | undefined {
  if (result.kind === 'refused' || result.kind === 'quota' || result.kind === 'forbidden') return { kind: result.kind, message: result.message };
  return result.kind === 'exists' ? { kind: 'taken', message: 'another record has its name' } : undefined;
}

async function cancelSubRun(deps: RunExecuteDeps, action: CancelSubRun): Promise<RunExecuted> {
  const { name, uid } = action;
  const record = deps.records.get(name);
  const result: WriteResult = record?.uid === uid ? await deps.keeper.amend(record, { cancel: action.because }) : { kind: 'gone' };
  return written(action, result, name);
}

/** What is there is shown before long; until then it is looked up again, less and less often. */
async function lookUpSubRun(deps: RunExecuteDeps, { record, run }: RunInHand, action: LookUpSubRun): Promise<RunExecuted> {
  const read = await deps.store.read(action.name);
  const result = { action, job: action.name } as const;
  if (read.kind === 'failed') return { ...result, kind: 'failed', result: 'unknown', message: read.message };
  if (read.kind === 'found' && read.value.record.request?.parent?.uid === record.uid) return { ...result, kind: 'failed', result: 'unseen', message: `record "${action.name}" is there, and its watch is behind` };
  run.absent.add(action.name);
  return { ...result, kind: 'waits', result: 'gone', message: `record "${action.name}" is gone` };
}

type JobChange = EndAction | MarkAction | DeleteAction;

/** A change that the cache does not show yet is not repeated: its event brings the next round. */
async function changeJob(deps: RunExecuteDeps, run: LoadedRun, action: JobChange): Promise<RunExecuted | undefined> {
  const { name, uid } = action.job;
  const before = run.patched.get(uid);
  if (before !== undefined && !deps.cache.hasSeen(before)) return undefined;
  const result = action.kind === 'delete' ? await deps.jobs.delete(name, uid, action.job.resourceVersion) : await deps.jobs.patch(name, uid, action.kind === 'end' ? endPatch(action) : markPatch(action));
  if (result.kind === 'done' && result.resourceVersion !== '') run.patched.set(uid, result.resourceVersion);
  return written(action, result, name);
}

/** What is gone needs nothing more. */
function written(action: RunAction, result: WriteResult, job: string): RunExecuted {
  const done = result.kind === 'done' || result.kind === 'gone';
  return { action, kind: done ? 'done' : 'failed', result: result.kind, message: done ? action.because : messageOf(result), job };
}

function messageOf(result: WriteResult): string {
  return 'message' in result ? result.message : result.kind;
}

function nameIn(action: Waited): string {
  return 'job' in action ? action.job.name : action.name;
}
