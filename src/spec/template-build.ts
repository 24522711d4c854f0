/** From a valid document to the Template that the rest of job-chief sees: a workflow of one step, started on request. */
import { type Json } from '../lib/json.ts';
import { buildCommon, fillDefaults, type Filled, type Identity } from './common-build.ts';
import { parameterSpec } from './parameter-rules.ts';
import { buildStep } from './step-build.ts';
import { templateJsonSchema, type TemplateDocument } from './template-schema.ts';
import type { CheckedWorkflow } from './workflow-checked.ts';
import type { WorkflowSpec } from './workflow.ts';

/** Builds the spec. The document must have passed the schema and the rules. */
export function buildTemplate(checked: CheckedWorkflow, identity: Identity): WorkflowSpec {
  const { value, steps, input, files } = checked;
  const filled = fillDefaults(templateJsonSchema, value) as unknown as Filled<TemplateDocument>;
  const built = steps.all.map((step) => buildStep(step, checked));
  return {
    kind: 'Template',
    // Whoever asked for a run was promised it: neither an edit nor a deletion ends it.
    ...buildCommon({ ...filled, onSpecChange: 'keep' }, identity, input, { onSpecDelete: 'finish', includeLastRun: filled.health.includeLastRun }),
    parameters: Object.fromEntries(Object.entries(filled.parameters).map(([name, declared]) => [name, parameterSpec(declared)])),
    trigger: { onChange: false, onRequest: true, schedule: undefined },
    steps: built,
    finally: [],
    maxParallel: undefined,
    onFailure: 'stop',
    outputs: Object.fromEntries(built.flatMap(({ name, outputs }) => Object.keys(outputs).map((output): [string, Json] => [output, `$(steps.${name}.outputs.${output})`]))),
    files: files.keys,
  };
}
