/** podFailurePolicy: what one failed pod means for its Job. */
import { arrayAt, numberAt, objectAt, stringAt } from '../lib/json.ts';
import type { FailurePolicyRule, JobObject, PodObject } from './job-shape.ts';

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
