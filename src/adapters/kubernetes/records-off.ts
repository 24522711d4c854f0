/** Records of an installation that has none: every question has the same answer. */
import type { ReadResult, WriteResult } from '../../reconcile/ports.ts';
import type { RecordCache, RecordStore } from '../../reconcile/record-ports.ts';

/** `reason` is a sentence for people, such as which setting says so. Unsynced for good: nothing is known about runs. */
export function recordsOff(reason: string): { readonly cache: RecordCache; readonly store: RecordStore } {
  const refused = (): Promise<WriteResult> => Promise.resolve({ kind: 'forbidden', message: reason });
  const unread = (): Promise<ReadResult<never>> => Promise.resolve({ kind: 'failed', message: reason, forbidden: true });
  return {
    cache: { synced: false, problem: { reason: 'RecordsOff', message: reason }, all: () => [], of: () => [], ofQueue: () => [], childrenOf: () => [], get: () => undefined, hasSeen: () => false },
    store: { create: refused, read: unread, write: refused, delete: refused, createMap: refused },
  };
}
