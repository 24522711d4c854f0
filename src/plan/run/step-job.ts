/** The manifest of one attempt of a step: what the user wrote, and what job-chief adds to it. */
import type { JsonObject } from '../../lib/json.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import type { PlanEnvironment } from '../environment.ts';
import type { Each } from './items.ts';
import { stepJobName } from './names.ts';
import type { ObservedRecord } from './record.ts';

export interface StepJobInput {
  readonly record: Pick<ObservedRecord, 'name' | 'uid' | 'workflow'>;
  readonly spec: WorkflowSpec;
  readonly step: StepSpec;
  /** `undo` takes the limits of step.undo. */
  readonly role: 'do' | 'undo';
  /** JobTemplateSpec or whole manifest with all references replaced. */
  readonly template: JsonObject;
  /** Which item (or manifest of jobFiles) this Job is for; undefined: the step is one Job. */
  readonly index: number | undefined;
  /** From 1. */
  readonly attempt: number;
  /** The items of a forEach. Without `index` the Job is an Indexed one for all of them. */
  readonly each: Each | undefined;
  /** Quantity that onOOM gave this attempt. */
  readonly memory: string | undefined;
  /** Milliseconds, references replaced. */
  readonly timeout: number | undefined;
  readonly environment: PlanEnvironment;
}

export interface StepJob {
  readonly jobName: string;
  readonly manifest: JsonObject;
  /** ConfigMap that it mounts: to be created before it. */
  readonly map?: JsonObject;
}

/** The whole Job. */
export function stepJob(input: StepJobInput): StepJob {
  const { record, step, role, index, attempt, each } = input;
  const jobName = stepJobName(input.spec.name, { uid: record.uid, step: step.name, role, index, attempt }, each !== undefined && index === undefined);
  return { jobName, manifest: input.template };
}
