/** Carries out what a round of a workflow decided about its runs, in order. Names of records are the locks. */
import type { Claim, Refusal, SpecKey } from '../../plan/observed.ts';
import type { AdmitRun, CreateRun, FrozenSpec, WorkflowAction } from '../../plan/workflow/action.ts';
import * as keys from '../../spec/keys.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { Leadership } from '../leadership.ts';
import type { Memory } from '../memory.ts';
import type { WriteResult } from '../ports.ts';
import type { RecordStore } from '../record-ports.ts';
import type { SpecIndex } from '../spec-index.ts';
import type { RecordKeeper } from './record-keeper.ts';

export interface WorkflowExecuteDeps {
  readonly leadership: Leadership;
  readonly specs: SpecIndex;
  readonly store: RecordStore;
  readonly keeper: RecordKeeper;
  /** Names of records that were asked for, and our writes of records, until their cache shows them. */
  readonly recordNames: Memory;
}

export interface WorkflowExecuted {
  readonly action: WorkflowAction;
  /** `waits`: refused, a later round goes on. `failed`: back off. */
  readonly kind: 'done' | 'waits' | 'failed';
  readonly result: string;
  readonly message: string;
  /** Name of the record. */
  readonly record: string;
}

/** Tries each, whatever became of the ones before. */
export async function executeWorkflow(deps: WorkflowExecuteDeps, round: { readonly key: SpecKey; readonly claims: readonly Claim[] }, actions: readonly WorkflowAction[]): Promise<readonly WorkflowExecuted[]> {
  const executed: WorkflowExecuted[] = [];
  for (const action of actions) {
    const name = action.kind === 'createRun' ? action.name : action.record.name;
    if (!deps.leadership.leading) return [...executed, { action, kind: 'failed', result: 'skipped', message: 'another replica leads, or may lead', record: name }];
    const result = await carryOut(deps, round, action);
    if (result.kind === 'done') deps.recordNames.wrote(round.key, result.resourceVersion);
    executed.push({ action, record: name, ...settle(deps, round, { action, result }) });
  }
  return executed;
}

type Round = Parameters<typeof executeWorkflow>[1];

function carryOut(deps: WorkflowExecuteDeps, round: Round, action: WorkflowAction): Promise<WriteResult> {
  switch (action.kind) {
    case 'createRun':
      return createRun(deps, round, action);
    case 'admitRun':
      return admitRun(deps, round, action);
    case 'cancelRun':
      return deps.keeper.amend(action.record, { cancel: action.because });
    case 'reownRun':
      return deps.keeper.amend(action.record, { owner: action.owner });
    case 'deleteRun':
      return deps.store.delete(action.record);
  }
}

/** One that no record has room for with the text that it would run is ended: it would keep its place from others for good. */
async function admitRun(deps: WorkflowExecuteDeps, round: Round, { record, frozen }: AdmitRun): Promise<WriteResult> {
  const data = frozenData(deps, round, frozen);
  if (!data) return specChanged();
  const { owner } = frozen;
  const result = await deps.store.write(record, { data, phase: 'Running', ...(owner && { owner }) });
  return result.kind === 'refused' && result.tooLarge === true ? deps.keeper.amend(record, { cancel: `it cannot start: ${result.message}` }) : result;
}

async function createRun(deps: WorkflowExecuteDeps, round: Round, action: CreateRun): Promise<WriteResult> {
  const claim = round.claims[action.frozen.claim];
  const data = frozenData(deps, round, action.frozen);
  if (!data || !claim) return specChanged();
  const { name, request, parameters, frozen } = action;
  const standing = await deps.specs.confirm(claim);
  if (standing.kind === 'unknown') return { kind: 'unknown', message: `whether the spec is still the same is not known: ${standing.message}` };
  if (standing.kind === 'changed') return specChanged();
  deps.recordNames.reserve(round.key, name);
  const result = await deps.store.create({ name, request, parameters, data, owner: frozen.owner });
  if (result.kind === 'done') deps.recordNames.confirm(round.key, name, result.resourceVersion);
  // It may be there, and then it has its place among the runs that are.
  else if (result.kind === 'unknown') deps.recordNames.doubt(round.key, name);
  else deps.recordNames.release(round.key, name);
  return result;
}

/** The text and the files that it names, as they were parsed for this round; undefined where they have changed meanwhile. */
function frozenData({ specs }: WorkflowExecuteDeps, { claims }: Round, { claim: index }: FrozenSpec): Readonly<Record<string, string>> | undefined {
  const claim = claims[index];
  const data = claim && specs.data(claim);
  if (!data || !isRunnable(claim.parsed.spec)) return undefined;
  const wanted = [keys.specKey, ...claim.parsed.spec.files];
  return Object.fromEntries(wanted.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));
}

function specChanged(): Promise<WriteResult> {
  return Promise.resolve({ kind: 'conflict', message: 'the spec has changed meanwhile' });
}

function settle(deps: WorkflowExecuteDeps, { key, claims }: Round, { action, result }: { action: WorkflowAction; result: WriteResult }): Pick<WorkflowExecuted, 'kind' | 'result' | 'message'> {
  if (result.kind === 'done') {
    if (action.kind === 'createRun') deps.recordNames.accepted(key);
    return { kind: 'done', result: 'done', message: action.because };
  }
  if (result.kind === 'gone') return { kind: 'done', result: 'gone', message: 'the record is gone' };
  const message = result.kind === 'exists' ? 'another record, or something else, has its name' : result.message;
  const refusal = refusalOf(result.kind);
  // Of a run that waits the work queue backs off: what it waits for is not another create.
  if (!refusal || action.kind !== 'createRun') return { kind: 'failed', result: result.kind, message };
  deps.recordNames.refused(key, { kind: refusal, hash: claims[action.frozen.claim]?.parsed.hash ?? '', message });
  return { kind: 'waits', result: result.kind, message };
}

function refusalOf(kind: WriteResult['kind']): Refusal['kind'] | undefined {
  if (kind === 'exists') return 'taken';
  return kind === 'refused' || kind === 'quota' || kind === 'forbidden' ? kind : undefined;
}
