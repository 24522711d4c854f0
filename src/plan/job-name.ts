/** Names of Jobs: the lock that makes creating twice harmless. */
import { digest } from '../lib/digest.ts';

/** Leaves room for what Kubernetes appends to a Job's name for its pods (63 in all, Indexed Jobs have less). */
const usualLongest = 52;
const hashLength = 12;

/**
 * Deterministic: the same parts give the same name, in this process or another. The logical name is there for people,
 * the hash over all parts makes it unique.
 */
export function jobName(logicalName: string, parts: readonly (string | number)[], longest = usualLongest): string {
  const head = logicalName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest - hashLength - 1)
    .replace(/^-+|-+$/g, '');
  const hash = digest(parts, hashLength);
  return head === '' ? `job-${hash}` : `${head}-${hash}`;
}
