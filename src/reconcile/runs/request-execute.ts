/** Carries out what a round of a Run decided. The name of the record is the lock: asking twice is harmless. */
import type { Refusal } from '../../plan/observed.ts';
import type { AskRun, CommandRun, RequestAction } from '../../plan/request/action.ts';
import type { ObservedRequest } from '../../plan/request/observed.ts';
import { rememberedRun } from '../../plan/request/remembered.ts';
import type { Leadership } from '../leadership.ts';
import type { Memory } from '../memory.ts';
import type { WriteResult } from '../ports.ts';
import type { RecordStore } from '../record-ports.ts';
import type { SpecIndex } from '../spec-index.ts';
import type { RecordKeeper } from './record-keeper.ts';

export interface RequestExecuteDeps {
  readonly leadership: Leadership;
  readonly specs: SpecIndex;
  readonly store: RecordStore;
  readonly keeper: RecordKeeper;
  /** Names of records that were asked for, until their cache shows them. */
  readonly recordNames: Memory;
}

export interface RequestExecuted {
  readonly action: RequestAction;
  /** `waits`: refused, a later round goes on. `failed`: back off. */
  readonly kind: 'done' | 'waits' | 'failed';
  readonly result: string;
  readonly message: string;
  /** Name of the record. */
  readonly record: string;
}

/** Never throws for an answer of the store. */
export async function executeRequest(deps: RequestExecuteDeps, observed: ObservedRequest, action: RequestAction): Promise<RequestExecuted> {
  const record = action.kind === 'askRun' ? action.name : action.record.name;
  if (!deps.leadership.leading) return { action, record, kind: 'failed', result: 'skipped', message: 'another replica leads, or may lead' };
  const result = action.kind === 'askRun' ? await askRun(deps, observed, action) : await commandRun(deps, action);
  return { action, record, ...(action.kind === 'askRun' ? asked(deps, observed, { action, result }) : commanded(action, result)) };
}

async function askRun({ specs, store, recordNames }: RequestExecuteDeps, { key, claims }: ObservedRequest, action: AskRun): Promise<WriteResult> {
  const claim = claims[action.claim];
  const standing = claim ? await specs.confirm(claim) : { kind: 'changed' as const };
  if (standing.kind === 'unknown') return { kind: 'unknown', message: `whether the Run is still the same is not known: ${standing.message}` };
  if (standing.kind === 'changed') return { kind: 'conflict', message: 'the Run has changed meanwhile' };
  const { name, request, parameters } = action;
  // Its record is gone, and what it is remembered by was written a moment ago.
  if (claim && rememberedRun({ ...claim, source: standing.source }, name)) return { kind: 'conflict', message: 'its status says that it has run' };
  recordNames.reserve(key, name);
  const result = await store.create({ name, request, parameters, data: undefined, owner: undefined });
  if (result.kind === 'done') recordNames.confirm(key, name, result.resourceVersion);
  else recordNames.release(key, name);
  return result;
}

function commandRun({ keeper }: RequestExecuteDeps, { record, commands }: CommandRun): Promise<WriteResult> {
  return keeper.amend(record, commands);
}

type Outcome = Pick<RequestExecuted, 'kind' | 'result' | 'message'>;

function asked({ recordNames }: RequestExecuteDeps, { key, claims }: ObservedRequest, { action, result }: { action: AskRun; result: WriteResult }): Outcome {
  if (result.kind === 'done') {
    recordNames.accepted(key);
    return { kind: 'done', result: 'done', message: action.because };
  }
  const message = messageOf(result);
  const refusal = refusalOf(result.kind);
  if (!refusal) return { kind: 'failed', result: result.kind, message };
  recordNames.refused(key, { kind: refusal, hash: claims[action.claim]?.parsed.hash ?? '', message });
  return { kind: 'waits', result: result.kind, message };
}

function commanded({ because }: CommandRun, result: WriteResult): Outcome {
  if (result.kind === 'done' || result.kind === 'gone') return { kind: 'done', result: result.kind, message: because };
  return { kind: 'failed', result: result.kind, message: messageOf(result) };
}

function messageOf(result: WriteResult): string {
  if (result.kind === 'exists') return 'another record, or something else, has its name';
  return 'message' in result ? result.message : result.kind;
}

function refusalOf(kind: WriteResult['kind']): Refusal['kind'] | undefined {
  if (kind === 'exists') return 'taken';
  return kind === 'refused' || kind === 'quota' || kind === 'forbidden' ? kind : undefined;
}
