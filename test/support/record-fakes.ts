/** Records of runs in memory: a store and the cache over it, which shows a write as soon as the test lets it. */
import type { SpecKey } from '../../src/plan/observed.ts';
import { targetKey, type ObservedRecord } from '../../src/plan/run/record.ts';
import type { RunState } from '../../src/plan/run/state.ts';
import type { RunMeter } from '../../src/reconcile/meter.ts';
import type { ReadResult, WriteResult } from '../../src/reconcile/ports.ts';
import type { NewRecord, RecordCache, RecordChange, RecordStore, StoredRecord } from '../../src/reconcile/record-ports.ts';
import { noon } from './builders.ts';

/** A record of a run that a change started and that is under way. */
export function aRecord(changes: Partial<ObservedRecord> = {}): ObservedRecord {
  const name = changes.name ?? 'etl-1';
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '100',
    createdAt: noon,
    deleting: false,
    ownerUid: undefined,
    target: { kind: 'workflow', name: 'etl' },
    request: { workflow: 'etl', trigger: 'change', specHash: 'hash-1', source: 'cm-1' },
    phase: 'Running',
    result: undefined,
    commands: { cancel: undefined, suspend: false, approvals: new Map() },
    ...changes,
  };
}

/** A state in which nothing has happened. */
export function aState(changes: Partial<RunState> = {}): RunState {
  return { startedAt: noon, steps: {}, undo: {}, ...changes };
}

export const over: RunState = aState({ end: { outcome: 'succeeded', reason: 'RunSucceeded', message: 'all of it', at: noon + 5000, failedSteps: [] } });

type Write = RecordChange & { readonly name: string };

/** Conditional writes as the API server does them. `answers` are given first, one for each request of the kind. */
export class FakeRecordStore implements RecordStore {
  readonly held = new Map<string, StoredRecord>();
  readonly requests: string[] = [];
  readonly writes: Write[] = [];
  readonly created: NewRecord[] = [];
  answers: { write?: (WriteResult | Promise<WriteResult>)[]; read?: ReadResult<StoredRecord>[]; create?: WriteResult[]; delete?: WriteResult[]; createMap?: WriteResult[] } = {};
  /** Told after each change, as a watch would. */
  changed: (name: string) => void = () => undefined;
  #version = 200;

  hold(record: ObservedRecord, content: Partial<Omit<StoredRecord, 'record'>> = {}): void {
    this.held.set(record.name, { record, data: { 'spec.yaml': 'etl' }, parameters: {}, state: undefined, ...content });
  }

  /** Somebody else edits the record. */
  edit(name: string, changes: { readonly record?: Partial<ObservedRecord>; readonly state?: RunState | 'broken' }): void {
    const before = this.held.get(name);
    if (!before) throw new Error(`no record "${name}"`);
    this.held.set(name, { ...before, ...(changes.state !== undefined && { state: changes.state }), record: { ...before.record, ...changes.record, resourceVersion: String((this.#version += 1)) } });
    this.changed(name);
  }

  state(name = 'etl-1'): RunState | undefined {
    const state = this.held.get(name)?.state;
    return typeof state === 'object' ? state : undefined;
  }

  async create(record: NewRecord): Promise<WriteResult> {
    this.requests.push(`create ${record.name}`);
    this.created.push(record);
    const answer = this.answers.create?.shift();
    if (answer) return Promise.resolve(answer);
    if (this.held.has(record.name)) return { kind: 'exists' };
    const { name, request, parameters, data } = record;
    const made = aRecord({ name, target: targetKey(request), request, phase: data ? 'Running' : 'Queued', ownerUid: record.owner?.uid, resourceVersion: String((this.#version += 1)) });
    this.held.set(name, { record: made, data, parameters, state: undefined });
    this.changed(name);
    return { kind: 'done', uid: made.uid, resourceVersion: made.resourceVersion, warnings: [] };
  }

  async read(name: string): Promise<ReadResult<StoredRecord>> {
    this.requests.push(`read ${name}`);
    const found = this.held.get(name);
    return Promise.resolve(this.answers.read?.shift() ?? (found ? { kind: 'found', value: found } : { kind: 'absent' }));
  }

  async write({ name, uid, resourceVersion }: Parameters<RecordStore['write']>[0], change: RecordChange): Promise<WriteResult> {
    this.requests.push(`write ${name}`);
    this.writes.push({ name, ...change });
    const answer = this.answers.write?.shift();
    if (answer) return answer;
    const before = this.held.get(name);
    if (!before) return { kind: 'gone' };
    if (before.record.uid !== uid || before.record.resourceVersion !== resourceVersion) return { kind: 'conflict', message: 'the object has been modified' };
    // A write of the phase is one of the label.
    const { labelled: _edited, ...labelledAsIs } = before.record;
    const record = {
      ...(change.phase ? labelledAsIs : before.record),
      resourceVersion: String((this.#version += 1)),
      ...(change.phase && { phase: change.phase }),
      ...(change.result && { result: change.result }),
      ...(change.owner && { ownerUid: change.owner.uid }),
      commands: {
        ...before.record.commands,
        ...(change.cancel !== undefined && { cancel: change.cancel }),
        ...(change.suspend !== undefined && { suspend: change.suspend === 'run' }),
      },
    };
    this.held.set(name, { record, data: change.data ?? before.data, parameters: before.parameters, state: change.state ?? before.state });
    this.changed(name);
    return { kind: 'done', uid, resourceVersion: record.resourceVersion, warnings: [] };
  }

  async delete({ name, uid }: Parameters<RecordStore['delete']>[0]): Promise<WriteResult> {
    this.requests.push(`delete ${name}`);
    const answer = this.answers.delete?.shift();
    if (answer) return Promise.resolve(answer);
    this.held.delete(name);
    this.changed(name);
    return { kind: 'done', uid, resourceVersion: '', warnings: [] };
  }

  async createMap(): Promise<WriteResult> {
    this.requests.push('create map');
    return Promise.resolve(this.answers.createMap?.shift() ?? { kind: 'done', uid: 'uid-map', resourceVersion: '1', warnings: [] });
  }
}

/** Shows what the store holds, at once. */
export class FakeRecordCache implements RecordCache {
  synced = true;
  problem: RecordCache['problem'] = undefined;
  /** Everything up to this resourceVersion is in the cache. */
  seen = Infinity;
  readonly #store: FakeRecordStore;

  constructor(store: FakeRecordStore) {
    this.#store = store;
  }

  all(): readonly ObservedRecord[] {
    return [...this.#store.held.values()].map(({ record }) => record);
  }

  of({ kind, name }: SpecKey): readonly ObservedRecord[] {
    return this.all().filter(({ target }) => target.kind === kind && target.name === name);
  }

  ofQueue({ name }: SpecKey): readonly ObservedRecord[] {
    return this.all().filter(({ request }) => request?.queue === name);
  }

  childrenOf(uid: string): readonly ObservedRecord[] {
    return this.all().filter(({ request }) => request?.parent?.uid === uid);
  }

  get(name: string): ObservedRecord | undefined {
    return this.#store.held.get(name)?.record;
  }

  hasSeen(resourceVersion: string): boolean {
    return this.seen >= Number(resourceVersion);
  }
}

/** Every call as one entry: the name of the hook and what it was told. */
export class FakeRunMeter implements RunMeter {
  readonly calls: (readonly unknown[])[] = [];
  active(...told: readonly unknown[]): void { this.calls.push(['active', ...told]); }
  finished(...told: readonly unknown[]): void { this.calls.push(['finished', ...told]); }
  step(...told: readonly unknown[]): void { this.calls.push(['step', ...told]); }
  edge(...told: readonly unknown[]): void { this.calls.push(['edge', ...told]); }
  missed(...told: readonly unknown[]): void { this.calls.push(['missed', ...told]); }
  recordWrite(...told: readonly unknown[]): void { this.calls.push(['recordWrite', ...told]); }
  forget(...told: readonly unknown[]): void { this.calls.push(['forget', ...told]); }

  of(hook: string): (readonly unknown[])[] {
    return this.calls.filter(([name]) => name === hook).map(([, ...told]) => told);
  }
}
