/** Reads a Workflow: schema, rules, build. Rules look at the raw value, so that one run shows every kind of problem. */
import { objectAt, stringAt } from '../lib/json.ts';
import { manyPodsFindings } from './for-each-shape.ts';
import { withoutHead, type KindInput, type KindReading } from './kind-reading.ts';
import { outputFindings, parameterFindings } from './parameter-rules.ts';
import type { Finding } from './report.ts';
import { schemaFindings } from './schema-findings.ts';
import { stepFindings } from './step-rules.ts';
import { validator } from './validate.ts';
import { buildWorkflow } from './workflow-build.ts';
import { specDependencies } from './workflow-dependencies.ts';
import { isAboutPath, namedFiles } from './workflow-files.ts';
import { cycleFindings } from './workflow-graph.ts';
import { workflowNotes } from './workflow-notes.ts';
import { forEachTypes, specReferences } from './workflow-references.ts';
import { workflowFindings } from './workflow-rules.ts';
import { workflowJsonSchema } from './workflow-schema.ts';
import { stepTexts, type StepTexts } from './workflow-steps.ts';

const errorsOf = validator(workflowJsonSchema);

export function readWorkflow({ value, name, input, environment }: KindInput): KindReading {
  const steps = stepTexts(value);
  const references = specReferences({ spec: value, steps });
  const errors = errorsOf(value).filter((error) => input.paths !== true || !isAboutPath(error, value));
  const known = references.withoutOpen(errors);
  const dependencies = specDependencies(value, steps, references.mentions);
  const files = namedFiles(steps, input.data);
  const findings: Finding[] = [
    ...withoutHead(schemaFindings(known.errors, value, workflowNotes)),
    ...known.findings,
    ...workflowFindings(value, steps),
    ...parameterFindings(value),
    ...stepFindings(value, steps),
    ...manyPodsFindings(steps),
    ...steps.all.flatMap((step) => outputFindings(objectAt(step.value, 'outputs'), [...step.path, 'outputs'])),
    ...references.findings,
    ...forEachTypes({ spec: value, steps }),
    ...dependencies.findings,
    ...cycleFindings(steps, dependencies.of),
    ...selfFindings(steps, name),
    ...files.findings,
  ];
  return { findings, files: files.keys, build: (identity) => buildWorkflow({ value, steps, dependencies: dependencies.of, files, input, environment }, identity) };
}

/** A run that starts a run of its own workflow would do so for ever. */
function selfFindings({ all }: StepTexts, name: string): Finding[] {
  return all
    .filter((step) => stringAt(step.value['workflow'], 'name') === name)
    .map(({ path }) => ({ code: 'DependencyCycle', message: `the workflow runs itself: ${name} → ${name}`, path: [...path, 'workflow', 'name'], hint: 'name another workflow' }));
}
