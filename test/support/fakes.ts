/** The ports of the shell in memory: they record what was asked of them and answer as they are told. */
import type { JsonObject } from '../../src/lib/json.ts';
import { objectAt, stringAt } from '../../src/lib/json.ts';
import type { ObservedJob, ObservedPod, SpecKey } from '../../src/plan/observed.ts';
import { specText } from '../../src/reconcile/key.ts';
import type { Leadership } from '../../src/reconcile/leadership.ts';
import type { Meter, WorkQueueMeter } from '../../src/reconcile/meter.ts';
import type { ClusterCache, DepthAnswer, DepthProbe, DepthQuery, EventReader, EventSink, JobApi, LiveBatch, LiveJob, LiveView, Log, ReadResult, SpecDocument, SpecSource, StatusSink, WriteResult } from '../../src/reconcile/ports.ts';

export const done = (resourceVersion = '200', changes: { readonly uid?: string; readonly warnings?: readonly string[] } = {}): WriteResult => ({ kind: 'done', resourceVersion, uid: changes.uid ?? 'uid-new', warnings: changes.warnings ?? [] });
export const refusal = (kind: 'conflict' | 'refused' | 'quota' | 'forbidden' | 'unknown', message = `it is ${kind}`): WriteResult => ({ kind, message });

/** Answers are taken from `answers` first; then everything succeeds. */
export class FakeJobs implements JobApi {
  readonly requests: string[] = [];
  readonly manifests: JsonObject[] = [];
  readonly patches: JsonObject[] = [];
  view: LiveView = { highestSequence: 0, liveJobs: [], livePods: [] };
  answers: Partial<{ create: WriteResult | Promise<WriteResult>; dryRun: WriteResult | Promise<WriteResult>; patch: WriteResult; delete: WriteResult; get: ReadResult<LiveJob>; live: ReadResult<LiveView>; batches: ReadResult<readonly LiveBatch[]>[] }> = {};

  async create(manifest: JsonObject): Promise<WriteResult> {
    this.requests.push(`create ${stringAt(objectAt(manifest, 'metadata'), 'name') ?? ''}`);
    this.manifests.push(manifest);
    return (await this.answers.create) ?? done();
  }

  async dryRun(manifest: JsonObject): Promise<WriteResult> {
    this.requests.push('dry run');
    this.manifests.push(manifest);
    return (await this.answers.dryRun) ?? done('');
  }

  async patch(name: string, uid: string, patch: JsonObject): Promise<WriteResult> {
    this.requests.push(`patch ${name} ${uid}`);
    this.patches.push(patch);
    return Promise.resolve(this.answers.patch ?? done());
  }

  async delete(name: string, uid: string, resourceVersion: string): Promise<WriteResult> {
    this.requests.push(`delete ${name} ${uid} ${resourceVersion}`);
    return Promise.resolve(this.answers.delete ?? done());
  }

  async get(name: string): Promise<ReadResult<LiveJob>> {
    this.requests.push(`get ${name}`);
    return Promise.resolve(this.answers.get ?? { kind: 'absent' });
  }

  async batches(key: SpecKey): Promise<ReadResult<readonly LiveBatch[]>> {
    this.requests.push(`batches ${key.name}`);
    return Promise.resolve(this.answers.batches?.shift() ?? { kind: 'found', value: [] });
  }

  async live(key: SpecKey): Promise<ReadResult<LiveView>> {
    this.requests.push(`live ${key.name}`);
    return Promise.resolve(this.answers.live ?? { kind: 'found', value: this.view });
  }
}

export class FakeCache implements ClusterCache {
  synced = true;
  /** Everything up to this resourceVersion is in the cache. */
  seen = 0;
  readonly held = new Map<string, { key: SpecKey; jobs: readonly ObservedJob[]; orphans: readonly ObservedPod[] }>();

  hold(key: SpecKey, jobs: readonly ObservedJob[], orphans: readonly ObservedPod[] = []): void {
    this.held.set(specText(key), { key, jobs, orphans });
  }

  jobs(key: SpecKey): readonly ObservedJob[] {
    return this.held.get(specText(key))?.jobs ?? [];
  }

  keptUntil(key: SpecKey): number | undefined {
    const kept = this.jobs(key).flatMap(({ keepUntil }) => keepUntil ?? []);
    return kept.length === 0 ? undefined : Math.max(...kept);
  }

  orphans(key: SpecKey): readonly ObservedPod[] {
    return this.held.get(specText(key))?.orphans ?? [];
  }

  keys(): readonly SpecKey[] {
    return [...this.held.values()].map(({ key }) => key);
  }

  hasSeen(resourceVersion: string): boolean {
    return this.seen >= Number(resourceVersion);
  }
}

interface Query {
  readonly queue: string;
  readonly upTo: number;
  readonly signal: AbortSignal;
  readonly answer: (answer: DepthAnswer) => void;
}

/** Queries wait until the test answers them. */
export class FakeProbe implements DepthProbe {
  readonly asked: Query[] = [];
  /** When set, queries are answered with it at once. */
  always: DepthAnswer | undefined;

  depth({ source: { queue }, upTo }: DepthQuery, signal: AbortSignal): Promise<DepthAnswer> {
    return new Promise((answer) => {
      this.asked.push({ queue, upTo, signal, answer });
      if (this.always) answer(this.always);
    });
  }

  /** Answers the newest query. */
  answer(answer: DepthAnswer): void {
    this.asked.at(-1)?.answer(answer);
  }
}
export const known = (ready: number, nextReadyAt?: number): DepthAnswer => ({ kind: 'known', ready, nextReadyAt });
export const notKnown = (message = 'connection refused'): DepthAnswer => ({ kind: 'unknown', reason: 'QueueUnreachable', message });

export class FakeSpecs implements SpecSource {
  synced = true;
  readonly documents = new Map<string, SpecDocument>();

  ids(): readonly string[] {
    return [...this.documents.keys()];
  }

  get(id: string): SpecDocument | undefined {
    return this.documents.get(id);
  }

  /** How far the view is behind: nothing of this version has been taken in. */
  unseen: string | undefined;

  hasSeen(resourceVersion: string): boolean {
    return resourceVersion !== this.unseen;
  }

  /** What a look finds instead of what is in view. */
  readonly live = new Map<string, ReadResult<SpecDocument>>();

  look(id: string): Promise<ReadResult<SpecDocument>> {
    const document = this.documents.get(id);
    return Promise.resolve(this.live.get(id) ?? (document ? { kind: 'found', value: document } : { kind: 'absent' }));
  }
}

export class FakeStatusSink implements StatusSink {
  readonly written: { readonly name: string; readonly annotation: string; readonly state: string; readonly health: string }[] = [];
  answer: WriteResult = done();

  async write(configMap: { name: string; uid: string }, status: { annotation: string; state: string; health: string }): Promise<WriteResult> {
    this.written.push({ name: configMap.name, ...status });
    return Promise.resolve(this.answer);
  }
}

type Emitted = Parameters<EventSink['emit']>[0];
export class FakeEvents implements EventSink {
  readonly emitted: Emitted[] = [];

  emit(event: Emitted): void {
    this.emitted.push(event);
  }

  get reasons(): string[] {
    return this.emitted.map(({ reason }) => reason);
  }
}

export class FakeEventReader implements EventReader {
  readonly asked: string[] = [];
  texts_: readonly string[] = [];

  async texts(object: { name: string }): Promise<readonly string[]> {
    this.asked.push(object.name);
    return Promise.resolve(this.texts_);
  }
}

/** Every call as one entry: the name of the hook and what it was told. */
export class FakeMeter implements Meter, WorkQueueMeter {
  readonly calls: (readonly unknown[])[] = [];
  depth(...told: readonly unknown[]): void { this.calls.push(['depth', ...told]); }
  round(...told: readonly unknown[]): void { this.calls.push(['round', ...told]); }
  action(...told: readonly unknown[]): void { this.calls.push(['action', ...told]); }
  finished(...told: readonly unknown[]): void { this.calls.push(['finished', ...told]); }
  spec(...told: readonly unknown[]): void { this.calls.push(['spec', ...told]); }
  created(...told: readonly unknown[]): void { this.calls.push(['created', ...told]); }
  forget(...told: readonly unknown[]): void { this.calls.push(['forget', ...told]); }
  added(): void { this.calls.push(['added']); }
  retried(): void { this.calls.push(['retried']); }
  waited(...told: readonly unknown[]): void { this.calls.push(['waited', ...told]); }
  worked(...told: readonly unknown[]): void { this.calls.push(['worked', ...told]); }
  unfinished(read: () => readonly number[]): void { this.calls.push(['unfinished', read]); }

  of(hook: string): (readonly unknown[])[] {
    return this.calls.filter(([name]) => name === hook).map(([, ...told]) => told);
  }
}

/** Leads until the test says otherwise. */
export class FakeLeadership implements Leadership {
  leading = true;
  readonly #listeners: (() => void)[] = [];

  onChange(told: () => void): void {
    this.#listeners.push(told);
  }

  change(leading: boolean): void {
    this.leading = leading;
    for (const told of this.#listeners) told();
  }
}

export class FakeLog implements Log {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  debug(fields: object, message: string): void { this.lines.push({ level: 'debug', message, fields }); }
  info(fields: object, message: string): void { this.lines.push({ level: 'info', message, fields }); }
  warn(fields: object, message: string): void { this.lines.push({ level: 'warn', message, fields }); }
  error(fields: object, message: string): void { this.lines.push({ level: 'error', message, fields }); }
}

/** A promise and the way to keep it. */
export function promised<Value>(): { readonly promise: Promise<Value>; readonly keep: (value: Value) => void; readonly fail: (error: Error) => void } {
  let keep: (value: Value) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    keep = resolve;
    fail = reject;
  });
  return { promise, keep, fail };
}
