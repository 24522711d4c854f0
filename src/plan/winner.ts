/** Which of several claims defines a logical name. */
import type { Claim } from './observed.ts';

/**
 * Index of the winner: newest first, then the smaller name. Claims that are being deleted never win. The newest wins
 * even when it is broken: it is what its author means now, and falling back to an older text would hide that.
 */
export function winnerOf(claims: readonly Claim[]): number | undefined {
  const living = claims.map((claim, index) => ({ claim, index })).filter(({ claim }) => !(claim.source.kind === 'configMap' && claim.source.deleting));
  living.sort((left, right) => right.claim.source.createdAt - left.claim.source.createdAt || (sortText(left.claim) < sortText(right.claim) ? -1 : 1));
  return living[0]?.index;
}

/** The winner, with its index. */
export function winningClaim(claims: readonly Claim[]): { readonly index: number; readonly claim: Claim } | undefined {
  const index = winnerOf(claims);
  const claim = index === undefined ? undefined : claims[index];
  return claim && index !== undefined ? { index, claim } : undefined;
}

/** Ends in the kind, since a file and a ConfigMap may have one name. */
function sortText(claim: Claim): string {
  return `${sourceName(claim)} ${claim.source.kind}`;
}

/** The ConfigMap's name, or the file's path. */
export function sourceName(claim: Claim): string {
  return claim.source.kind === 'configMap' ? claim.source.name : claim.source.path;
}
