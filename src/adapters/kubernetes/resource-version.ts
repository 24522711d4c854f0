/** Versions of one resource type may be compared as numbers (KEP-5504); they outgrow what a double holds exactly. */

/** Whether `seen` is at least `wanted`. Versions that are no numbers are only ever equal. */
export function hasReached(seen: string | undefined, wanted: string): boolean {
  if (seen === undefined) return false;
  if (seen === wanted) return true;
  if (!isNumber(seen) || !isNumber(wanted)) return false;
  return seen.length === wanted.length ? seen > wanted : seen.length > wanted.length;
}

function isNumber(version: string): boolean {
  return /^[1-9]\d*$/.test(version);
}
