/** The one record of a standalone run, in memory. What it would tell after a restart, the Jobs tell. */
import type { JsonObject } from '../../lib/json.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { ObservedRecord, RunCommands } from '../../plan/run/record.ts';
import type { ReadResult, WriteResult } from '../../reconcile/ports.ts';
import type { RecordCache, RecordChange, RecordNews, RecordStore, StoredRecord } from '../../reconcile/record-ports.ts';

/** Told with each change of the record. */
export type Changed = (news: RecordNews) => void;

type Target = Parameters<RecordStore['write']>[0];

/** Both sides of one thing: a write shows in the cache at once. */
export class MemoryRecords implements RecordCache, RecordStore {
  readonly synced = true;
  readonly problem = undefined;
  readonly #createMap: RecordStore['createMap'];
  #changed: Changed = () => undefined;
  #stored: StoredRecord | undefined;
  #version = 0;

  /** Maps that Jobs mount are the only thing of a run that the cluster has to hold. */
  constructor(createMap: RecordStore['createMap']) {
    this.#createMap = createMap;
  }

  /** As the engine wants it. */
  connect(changed: Changed): { readonly cache: RecordCache; readonly store: RecordStore } {
    this.#changed = changed;
    return { cache: this, store: this };
  }

  /** From here on there is a run. */
  begin(stored: StoredRecord): void {
    this.#set(stored);
  }

  /** What it holds now; undefined before it began. */
  get stored(): StoredRecord | undefined {
    return this.#stored;
  }

  all(): readonly ObservedRecord[] {
    return this.#stored ? [this.#stored.record] : [];
  }

  of({ kind, name }: SpecKey): readonly ObservedRecord[] {
    return this.all().filter(({ target }) => target.kind === kind && target.name === name);
  }

  /** No message started it. */
  ofQueue(): readonly ObservedRecord[] {
    return [];
  }

  /** It starts no other runs. */
  childrenOf(): readonly ObservedRecord[] {
    return [];
  }

  get(name: string): ObservedRecord | undefined {
    return this.all().find((record) => record.name === name);
  }

  hasSeen(): boolean {
    return true;
  }

  /** Only sub-runs would be created, and there are none. */
  create(): Promise<WriteResult> {
    return Promise.resolve({ kind: 'refused', message: 'a standalone run starts no other runs' });
  }

  read(name: string): Promise<ReadResult<StoredRecord>> {
    const stored = this.#stored;
    return Promise.resolve(stored?.record.name === name ? { kind: 'found', value: stored } : { kind: 'absent' });
  }

  write({ name, uid, resourceVersion }: Target, change: RecordChange): Promise<WriteResult> {
    const stored = this.#stored;
    if (stored?.record.name !== name || stored.record.uid !== uid) return Promise.resolve({ kind: 'gone' });
    if (stored.record.resourceVersion !== resourceVersion) return Promise.resolve({ kind: 'conflict', message: 'it was changed meanwhile' });
    const { phase, result, cancel, state } = change;
    const commands: RunCommands = { ...stored.record.commands, ...(cancel === undefined ? {} : { cancel }) };
    this.#set({ ...stored, record: { ...stored.record, commands, ...(phase && { phase }), ...(result && { result }) }, state: state ?? stored.state });
    return Promise.resolve({ kind: 'done', uid, resourceVersion: String(this.#version), warnings: [] });
  }

  /** It goes with the process. */
  delete({ uid }: Target): Promise<WriteResult> {
    return Promise.resolve({ kind: 'done', uid, resourceVersion: '', warnings: [] });
  }

  createMap(manifest: JsonObject): Promise<WriteResult> {
    return this.#createMap(manifest);
  }

  #set({ record, ...content }: StoredRecord): void {
    this.#version += 1;
    this.#stored = { ...content, record: { ...record, resourceVersion: String(this.#version) } };
    this.#changed({ name: record.name, target: record.target, record, gone: false });
  }
}
