/** Histories of queues, for tests: entries by few words, draws of them, and a store in memory. */
import fc from 'fast-check';
import { historyText } from '../../src/adapters/kubernetes/history-codec.ts';
import { keptEntry, type History, type HistoryEntry } from '../../src/plan/messages/history.ts';
import { outcomes } from '../../src/plan/notes.ts';
import type { SpecKey } from '../../src/plan/observed.ts';
import type { HistoryOwner, HistoryStore, StoredHistory } from '../../src/reconcile/messages/history-ports.ts';
import type { ReadResult, WriteResult } from '../../src/reconcile/ports.ts';
import { sourceText } from '../../src/spec/queue-source.ts';
import { noon, seconds } from './builders.ts';
import { done } from './fakes.ts';
import { orders, rabbitOrders } from './message-builders.ts';

/** A message that was completed a second ago by its first Job. */
export function anEntry(id: string, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id,
    source: sourceText(orders),
    as: 'completed',
    settledAt: noon - seconds(1),
    job: { name: `orders-${id}-1`, serial: 1, attempt: 1, createdAt: noon - seconds(4), startedAt: noon - seconds(3), finishedAt: noon - seconds(2), outcome: 'succeeded' },
    reason: 'Completed',
    leasedAt: noon - seconds(5),
    ...changes,
  };
}

export const aHistory = (entries: readonly HistoryEntry[], since?: number): History => ({ entries, since });

export const idsIn = ({ entries }: History): string[] => entries.map(({ id }) => id);

const aTime = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: noon, max: noon + 5 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 8.64e15 }) });
const aCount = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(Number.MAX_SAFE_INTEGER));

const aDrawnJob = fc.record({
  name: fc.oneof(fc.constantFrom('orders-a', 'orders-b'), fc.string({ maxLength: 80 })),
  carrier: fc.oneof(fc.constant({ kind: 'Run' as const }), fc.nat(99).map((index) => ({ kind: 'index' as const, index }))),
  serial: aCount, attempt: aCount, createdAt: aTime, startedAt: aTime, finishedAt: aTime,
  outcome: fc.constantFrom(...outcomes),
  exitCode: fc.oneof(fc.constantFrom(1, 137), fc.maxSafeInteger()),
}, { requiredKeys: ['name', 'serial', 'attempt', 'createdAt'] });

/** Few ids, times that meet, and texts of any kind: as nobody but an edited Job would have them. */
export function aDrawnEntry(id: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e')): fc.Arbitrary<HistoryEntry> {
  return fc.record({
    id,
    source: fc.constantFrom(sourceText(orders), sourceText(orders), sourceText(rabbitOrders)),
    as: fc.constantFrom('completed' as const, 'taken' as const, 'returned' as const, 'dead' as const, 'kept' as const, 'presumed' as const),
    settledAt: aTime,
    job: aDrawnJob,
    reason: fc.string({ unit: 'binary', maxLength: 90 }),
    detail: fc.string({ unit: 'binary', maxLength: 200 }),
    enqueuedAt: aTime,
    leasedAt: aTime,
  }, { requiredKeys: ['id', 'source', 'as', 'settledAt'] }).map(keptEntry);
}

/** Bytes as they are counted. */
export const sizeOf = (history: History): number => Buffer.byteLength(historyText(history));

/** One history, written conditionally as the API server does it. Answers are given first, one for each request of the kind. */
export class FakeHistories implements HistoryStore {
  held: StoredHistory | undefined;
  owner: HistoryOwner | undefined;
  /** `read`, `create`, `write`. */
  readonly requests: string[] = [];
  answers: { read?: ReadResult<StoredHistory>[]; create?: WriteResult[]; write?: WriteResult[] } = {};
  /** Called before a write arrives. */
  meanwhile: (() => void) | undefined;
  #version = 1;

  read(_queue: SpecKey): Promise<ReadResult<StoredHistory>> {
    this.requests.push('read');
    return Promise.resolve(this.answers.read?.shift() ?? (this.held ? { kind: 'found', value: this.held } : { kind: 'absent' }));
  }

  create(_queue: SpecKey, history: History, owner: HistoryOwner | undefined): Promise<WriteResult> {
    return this.#request('create', () => (this.held ? { kind: 'exists' } : this.put(history, owner)));
  }

  write(_queue: SpecKey, seen: Pick<StoredHistory, 'uid' | 'resourceVersion'>, { history, owner }: { readonly history: History; readonly owner: HistoryOwner | undefined }): Promise<WriteResult> {
    return this.#request('write', () => {
      if (!this.held) return { kind: 'gone' };
      return this.held.uid === seen.uid && this.held.resourceVersion === seen.resourceVersion ? this.put(history, owner ?? this.owner) : { kind: 'conflict', message: 'the object has been modified' };
    });
  }

  /** Somebody writes it. */
  put(history: History, owner?: HistoryOwner): WriteResult {
    const resourceVersion = String((this.#version += 1));
    this.owner = owner;
    this.held = { uid: 'uid-history', resourceVersion, deleting: false, ownerUid: owner?.uid, createdAt: noon, history };
    return done(resourceVersion);
  }

  get ids(): string[] {
    return this.held?.history ? idsIn(this.held.history) : [];
  }

  #request(kind: 'create' | 'write', act: () => WriteResult): Promise<WriteResult> {
    this.requests.push(kind);
    const { meanwhile } = this;
    this.meanwhile = undefined;
    meanwhile?.();
    return Promise.resolve(this.answers[kind]?.shift() ?? act());
  }
}
