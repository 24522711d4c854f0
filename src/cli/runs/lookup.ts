/** Finds what a user named, or says what was probably meant. */
import { nearest } from '../../lib/nearest.ts';
import { targetName } from '../../plan/run/record.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import type { FoundRun, RunClient } from './run-client.ts';
import { firstProblem, winner, workflowIn, type SpecView } from './spec-view.ts';

/** The run of this name. */
export async function requireRun(runs: RunClient, name: string): Promise<FoundRun> {
  const found = await runs.run(name);
  if (found) return found;
  const all = await runs.runs();
  const own = all.filter((record) => targetName(record) === name);
  const [newest] = own;
  if (newest) throw new UserError(`"${name}" is a workflow, not a run; its newest run is "${newest.name}"`);
  throw new UserError(`there is no run "${name}" in namespace ${runs.namespace}${hint(name, all.map((run) => run.name), 'job-chief status lists them')}`);
}

/** What defines a workflow of this name, sound. */
export async function requireWorkflow(runs: RunClient, name: string): Promise<{ readonly spec: WorkflowSpec; readonly view: SpecView }> {
  const specs = await runs.specs();
  const found = winner(specs, name);
  if (!found) throw new UserError(noWorkflow(runs, specs, name));
  const spec = workflowIn(found);
  if (!spec) throw new UserError(`the spec of workflow "${name}" has errors: ${firstProblem(found.claim.parsed) ?? 'it cannot be read'}`);
  return { spec, view: found };
}

function noWorkflow(runs: RunClient, specs: readonly SpecView[], name: string): string {
  const other = specs.find((spec) => spec.name === name);
  if (other) return `"${name}" is a ${other.kind}, not a Workflow`;
  const names = specs.filter(({ kind }) => kind === 'Workflow').map((spec) => spec.name);
  return `there is no workflow "${name}" in namespace ${runs.namespace}${hint(name, names, names.length === 0 ? 'there is none at all' : `there is ${names.toSorted().join(', ')}`)}`;
}

/** `; did you mean "…"?`, or another piece of advice. */
export function hint(name: string, known: readonly string[], otherwise: string): string {
  const guess = nearest(name, known);
  return guess === undefined ? `; ${otherwise}` : `; did you mean "${guess}"?`;
}
