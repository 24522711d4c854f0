/** What a run asks people for, and which of their answers it cannot make anything of. */
import { nearest } from '../../lib/nearest.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import type { RunCommands } from './record.ts';
import { entryOf } from './standing.ts';
import type { RunState } from './state.ts';

/** Which steps wait to be approved, with the command that does it; undefined: none. */
export function approvalAsked(run: string, spec: WorkflowSpec, { end, steps }: RunState): string | undefined {
  const waiting = end ? [] : approvals(spec).filter(({ name }) => entryOf(steps, name) !== undefined && entryOf(steps, name)?.outcome === undefined);
  const [first] = waiting;
  if (!first) return undefined;
  return `${waiting.length === 1 ? `step "${first.name}" waits` : `${waiting.length} steps wait`} to be approved: job-chief approve ${run} ${first.name}`;
}

/** Parts of the annotation that approve and reject nothing: a sentence each. */
export function unusableApprovals(spec: WorkflowSpec, { approvals: given, misread = [] }: RunCommands): readonly string[] {
  if (given.size + misread.length === 0) return [];
  const steps = approvals(spec);
  const known = new Set(steps.flatMap(({ name, id }) => [name, id]));
  const strangers = [...given.keys()].filter((name) => !known.has(name));
  return [...misread.map((part) => `"${part}" is no answer: write STEP or STEP=rejected`), ...strangers.map((name) => strangerText(name, steps))];
}

function strangerText(name: string, steps: readonly StepSpec[]): string {
  const guess = nearest(name, steps.map((step) => step.name));
  return `no step "${name}" asks for an approval${guess === undefined ? '' : `: did you mean "${guess}"?`}`;
}

function approvals({ steps, finally: after }: WorkflowSpec): StepSpec[] {
  return [...steps, ...after].filter(({ work }) => work.kind === 'approve');
}
