/** The parts of Jobs and Pods that the simulation acts on. Whatever else is in them is kept and ignored. */
import type { JsonObject } from '../lib/json.ts';
import type { KubeObject } from './objects.ts';

export interface Condition extends JsonObject {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface FailurePolicyRule extends JsonObject {
  action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  onExitCodes?: { containerName?: string; operator: 'In' | 'NotIn'; values: number[] };
  onPodConditions?: { type: string; status?: string }[];
}

export interface SuccessPolicyRule extends JsonObject {
  succeededIndexes?: string;
  succeededCount?: number;
}

export interface Container extends JsonObject {
  name: string;
  image?: string;
  restartPolicy?: string;
  env?: JsonObject[];
}

export interface PodSpec extends JsonObject {
  containers: Container[];
  initContainers?: Container[];
  restartPolicy?: string;
  nodeName?: string;
  terminationGracePeriodSeconds?: number;
  volumes?: JsonObject[];
}

export interface JobSpec extends JsonObject {
  parallelism: number;
  completions?: number;
  completionMode: 'NonIndexed' | 'Indexed';
  backoffLimit: number;
  backoffLimitPerIndex?: number;
  maxFailedIndexes?: number;
  activeDeadlineSeconds?: number;
  ttlSecondsAfterFinished?: number;
  suspend: boolean;
  podReplacementPolicy: 'Failed' | 'TerminatingOrFailed';
  podFailurePolicy?: { rules: FailurePolicyRule[] };
  successPolicy?: { rules: SuccessPolicyRule[] };
  managedBy?: string;
  selector: { matchLabels: Record<string, string> };
  template: { metadata: { labels: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec };
}

export interface JobStatus extends JsonObject {
  active?: number;
  ready?: number;
  terminating?: number;
  succeeded?: number;
  failed?: number;
  startTime?: string;
  completionTime?: string;
  completedIndexes?: string;
  failedIndexes?: string;
  conditions?: Condition[];
}

export interface JobObject extends KubeObject {
  spec: JobSpec;
  status: JobStatus;
}

export interface ContainerStatus extends JsonObject {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: { waiting?: JsonObject; running?: JsonObject; terminated?: JsonObject };
  lastState: { terminated?: JsonObject };
}

export interface PodStatus extends JsonObject {
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  reason?: string;
  message?: string;
  startTime?: string;
  conditions?: Condition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

export interface PodObject extends KubeObject {
  spec: PodSpec;
  status: PodStatus;
}

/** A stored object of the jobs resource; validated on the way in. */
export function asJob(object: KubeObject): JobObject {
  return object as JobObject;
}

export function asPod(object: KubeObject): PodObject {
  return object as PodObject;
}

export function conditionOf(status: { conditions?: Condition[] }, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

export function hasCondition(status: { conditions?: Condition[] }, type: string): boolean {
  return conditionOf(status, type)?.status === 'True';
}

/** Complete or Failed. */
export function isFinished(job: JobObject): boolean {
  return hasCondition(job.status, 'Complete') || hasCondition(job.status, 'Failed');
}

/** Succeeded or Failed. */
export function isTerminal(pod: PodObject): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** The conditions with one of them set; its transition time stays where the status did not change. */
export function withCondition(conditions: readonly Condition[] | undefined, next: Condition): Condition[] {
  const old = conditions?.find((condition) => condition.type === next.type);
  const kept = old?.status === next.status && old.lastTransitionTime !== undefined ? { ...next, lastTransitionTime: old.lastTransitionTime } : next;
  return old ? (conditions ?? []).map((condition) => (condition === old ? kept : condition)) : [...(conditions ?? []), kept];
}
