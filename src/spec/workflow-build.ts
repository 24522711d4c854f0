/** From a valid document to the Workflow that the rest of job-chief sees. */
import { objectAt } from '../lib/json.ts';
import { buildCommon, fillDefaults, milliseconds, type Filled, type Identity } from './common-build.ts';
import { parameterSpec } from './parameter-rules.ts';
import { buildStep } from './step-build.ts';
import type { CheckedWorkflow } from './workflow-checked.ts';
import { workflowJsonSchema, type WorkflowDocument } from './workflow-schema.ts';
import type { StepSpec, TriggerSpec, WorkflowSpec } from './workflow.ts';

/** Builds the spec. The document must have passed the schema and the rules. */
export function buildWorkflow(checked: CheckedWorkflow, identity: Identity): WorkflowSpec {
  const { value, steps, input } = checked;
  const filled = fillDefaults(workflowJsonSchema, value) as unknown as Filled<WorkflowDocument>;
  const given = value as unknown as WorkflowDocument;
  const built = (late: boolean): StepSpec[] => steps.all.filter((step) => step.late === late).map((step) => buildStep(step, checked));
  return {
    kind: 'Workflow',
    ...buildCommon(filled, identity, input, { onSpecDelete: given.onSpecDelete, includeLastRun: given.health?.includeLastRun ?? filled.trigger.onChange }),
    parameters: Object.fromEntries(Object.entries(filled.parameters).map(([name, declared]) => [name, parameterSpec(declared)])),
    trigger: triggerOf(filled.trigger, given.trigger.startingDeadline),
    steps: built(false),
    finally: built(true),
    maxParallel: given.maxParallel,
    onFailure: filled.onFailure,
    outputs: objectAt(filled, 'outputs') as WorkflowSpec['outputs'],
    files: checked.files.keys,
  };
}

function triggerOf({ onChange, onRequest, schedules, timeZone, concurrencyPolicy }: Filled<WorkflowDocument>['trigger'], startingDeadline: string | undefined): TriggerSpec {
  const deadline = startingDeadline === undefined ? undefined : milliseconds(startingDeadline);
  return { onChange, onRequest, schedule: schedules.length === 0 ? undefined : { lines: schedules, timeZone, concurrencyPolicy, startingDeadline: deadline } };
}
