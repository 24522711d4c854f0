/** Finds what a user named, or says what was probably meant. */
import { nearest } from '../../lib/nearest.ts';
import { targetName, targetOf, type ObservedRecord } from '../../plan/run/record.ts';
import type { RunTarget } from '../../spec/run.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import type { FoundRun, RunClient } from './run-client.ts';
import { firstProblem, runnableIn, winner, type SpecView } from './spec-view.ts';
import type { Target } from './target.ts';

/** The run of this name. */
export async function requireRun(runs: RunClient, name: string): Promise<FoundRun> {
  const found = await runs.run(name);
  if (found) return found;
  const all = await runs.runs();
  const own = all.filter((record) => targetName(record) === name);
  const [newest] = own;
  if (newest) throw new UserError(`"${name}" is a ${runTarget(newest).kind}, not a run; its newest run is "${newest.name}"`);
  throw new UserError(`there is no run "${name}" in namespace ${runs.namespace}${hint(name, all.map((run) => run.name), 'job-chief status lists them')}`);
}

/** What a record is a run of; where its request is unreadable as far as its labels tell. */
export function runTarget(record: ObservedRecord): RunTarget {
  return record.request ? targetOf(record.request) : { kind: record.target.kind === 'template' ? 'template' : 'workflow', name: record.target.name };
}

/** What can be run and is sound: a workflow or a template of this name. Throws a UserError otherwise. */
export async function requireRunnable(runs: RunClient, target: Target): Promise<{ readonly spec: WorkflowSpec; readonly view: SpecView }> {
  const { name } = target;
  const specs = await runs.specs();
  const kinds = (['workflow', 'template'] as const).filter((kind) => target.kind === undefined || target.kind === kind);
  const [found, other] = kinds.flatMap((kind) => winner(specs, { kind, name }) ?? []);
  if (!found) throw new UserError(nothingToRun(runs, specs, target));
  if (other) throw new UserError(`there is a workflow and a template "${name}": say which, as workflow/${name} or template/${name}`);
  const spec = runnableIn(found);
  if (!spec) throw new UserError(`the spec of ${found.kind.toLowerCase()} "${name}" has errors: ${firstProblem(found.claim.parsed) ?? 'it cannot be read'}`);
  return { spec, view: found };
}

function nothingToRun(runs: RunClient, specs: readonly SpecView[], { kind, name }: Target): string {
  const other = specs.find((spec) => spec.name === name);
  const wanted = kind === 'workflow' || kind === 'template' ? [kind] : ['workflow', 'template'];
  if (other) return `"${name}" is a ${other.kind}, not a ${wanted.map((word) => (word === 'workflow' ? 'Workflow' : 'Template')).join(' or a ')}`;
  const names = specs.filter((spec) => wanted.includes(spec.kind.toLowerCase())).map((spec) => spec.name);
  return `there is no ${wanted.join(' or ')} "${name}" in namespace ${runs.namespace}${hint(name, names, names.length === 0 ? 'there is none at all' : `there is ${names.toSorted().join(', ')}`)}`;
}

/** `; did you mean "…"?`, or another piece of advice. */
export function hint(name: string, known: readonly string[], otherwise: string): string {
  const guess = nearest(name, known);
  return guess === undefined ? `; ${otherwise}` : `; did you mean "${guess}"?`;
}
