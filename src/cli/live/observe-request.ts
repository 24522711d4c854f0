/** What a round of a Run would look at. */
import { labelValue } from '../../lib/label-value.ts';
import type { Claim, SpecKey } from '../../plan/observed.ts';
import type { ObservedRequest } from '../../plan/request/observed.ts';
import { recordNameOf } from '../../plan/request/record-name.ts';
import { winningClaim } from '../../plan/winner.ts';
import { refusalIn, type ControllerWord } from './controller-word.ts';
import type { LiveCluster } from './live-cluster.ts';

export interface RequestView {
  /** All that defines the Run. */
  readonly claims: readonly Claim[];
  readonly word: ControllerWord | undefined;
  /** What defines a name: as it is, or as it would be. */
  readonly claimsOf: (key: SpecKey) => readonly Claim[];
}

export function observeRequest(live: LiveCluster, key: SpecKey, { claims, word, claimsOf }: RequestView): ObservedRequest {
  const claim = winningClaim(claims)?.claim;
  const spec = claim?.parsed.spec;
  const name = claim && recordNameOf(claim, live.instance);
  const target = spec?.kind === 'Run' ? claimsOf({ kind: spec.target.kind, name: labelValue(spec.target.name) }) : [];
  return {
    key,
    claims,
    recordsUnknown: undefined,
    record: live.records.find((record) => record.name === name),
    reserved: false,
    target: winningClaim(target)?.claim,
    refusal: refusalIn(word, claim?.parsed.hash ?? '', live.now),
  };
}
