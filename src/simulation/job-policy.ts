/** podFailurePolicy: what one failed pod means for its Job; successPolicy: which indexes are enough. */
import { parseIndexes } from '../lib/index-ranges.ts';
import { arrayAt, numberAt, objectAt, stringAt } from '../lib/json.ts';
import type { FailurePolicyRule, JobObject, PodObject, SuccessPolicyRule } from './job-shape.ts';

export interface FailureVerdict {
  readonly action: FailurePolicyRule['action'];
  /** For FailJob: the message of the condition. */
  readonly message: string;
}

const counted: FailureVerdict = { action: 'Count', message: '' };

/** The first rule that matches decides; without one the failure counts. */
export function judgeFailure(job: JobObject, pod: PodObject): FailureVerdict {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchRule(rule, pod);
    if (match !== undefined) return { action: rule.action, message: `${match} matching ${rule.action} rule at index ${index}` };
  }
  return counted;
}

function matchRule(rule: FailurePolicyRule, pod: PodObject): string | undefined {
  if (rule.onExitCodes) return matchExitCodes(rule.onExitCodes, pod);
  for (const pattern of rule.onPodConditions ?? []) {
    const found = pod.status.conditions?.find(({ type, status }) => type === pattern.type && status === (pattern.status ?? 'True'));
    if (found) return `Pod ${pod.metadata.namespace}/${pod.metadata.name} has condition ${found.type}`;
  }
  return undefined;
}

function matchExitCodes(rule: NonNullable<FailurePolicyRule['onExitCodes']>, pod: PodObject): string | undefined {
  for (const status of [...arrayAt(pod.status, 'initContainerStatuses'), ...arrayAt(pod.status, 'containerStatuses')]) {
    const name = stringAt(status, 'name') ?? '';
    if (rule.containerName !== undefined && rule.containerName !== name) continue;
    const code = numberAt(objectAt(objectAt(status, 'state'), 'terminated'), 'exitCode');
    // A container that succeeded never matches, whatever the operator.
    if (code === undefined || code === 0) continue;
    if (rule.values.includes(code) === (rule.operator === 'In')) return `Container ${name} for pod ${pod.metadata.namespace}/${pod.metadata.name} failed with exit code ${code}`;
  }
  return undefined;
}

/** Message of the first rule that the completed indexes meet; undefined: none does, or there is none. */
export function meetsSuccessPolicy(job: JobObject, completed: ReadonlySet<number>): string | undefined {
  if (completed.size === 0) return undefined;
  const index = (job.spec.successPolicy?.rules ?? []).findIndex((rule) => meetsRule(rule, completed, job.spec.completions ?? 0));
  return index === -1 ? undefined : `Matched rules at index ${index}`;
}

/** A count alone counts all indexes, one beside a list those of the list; a list alone wants all of its indexes. */
function meetsRule({ succeededIndexes, succeededCount }: SuccessPolicyRule, completed: ReadonlySet<number>, completions: number): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && completed.size >= succeededCount;
  const required = [...parseIndexes(succeededIndexes, completions)];
  return required.length > 0 && required.filter((index) => completed.has(index)).length >= (succeededCount ?? required.length);
}
