/** Runs follow the ConfigMap that defines their workflow now, so that deleting the former one does not take them along. */
import type { ConfigMapSource } from '../observed.ts';
import type { ObservedWorkflow } from './observed.ts';
import { recordRef } from './records.ts';
import type { WorkflowDraft } from './round.ts';

/**
 * Only from a claim that lost: an owner that is not known here may be newer than this cache, and handing the run back to
 * the older one would have it collected (docs/adr/0007-handing-over-jobs.md).
 */
export function planOwnership(draft: WorkflowDraft, observed: ObservedWorkflow, winner: ConfigMapSource): void {
  const losers = new Set(observed.claims.flatMap(({ source }) => (source.kind === 'configMap' && source.uid !== winner.uid ? [source.uid] : [])));
  for (const record of observed.records) {
    if (record.deleting || record.ownerUid === undefined || !losers.has(record.ownerUid)) continue;
    draft.act({ kind: 'reownRun', reason: 'OwnerChanged', because: `ConfigMap "${winner.name}" defines the workflow now`, record: recordRef(record), owner: { name: winner.name, uid: winner.uid } });
  }
}
