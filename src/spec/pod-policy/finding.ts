/** What a policy has against a Job. */
import { pathText, type FieldPath } from '../field-path.ts';

export interface PolicyFinding {
  /** In the manifest of the Job, such as `spec.template.spec.hostNetwork`. */
  readonly path: FieldPath;
  /** What is wrong, one sentence without a full stop. */
  readonly message: string;
  /** Key of `podPolicy` that says no; undefined: no policy could allow it. */
  readonly key: string | undefined;
  /** What to do about it. */
  readonly hint: string;
}

/** Most that are told in one sentence. */
const mostTold = 3;

/** All of them as one sentence for people; '' where there are none. */
export function policyText(findings: readonly PolicyFinding[]): string {
  const told = findings.slice(0, mostTold).map(({ path, message, hint }) => `${pathText(path)}: ${message} (${hint})`);
  const left = findings.length - told.length;
  return [...told, ...(left > 0 ? [`${left} more`] : [])].join('; ');
}
