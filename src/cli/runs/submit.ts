/** Writes down that somebody asks for a run. The controller takes it from there. */
import type { JsonObject } from '../../lib/json.ts';
import { requestRun } from '../../plan/workflow/request-run.ts';
import { targetOf, type RunRequest } from '../../plan/run/record.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { RunTarget } from '../../spec/run.ts';
import { UserError } from '../exit-code.ts';
import { hint, requireRun, requireRunnable, runTarget } from './lookup.ts';
import { parametersFor, problemsOf, type GivenParameters } from './parameters.ts';
import { isFinished } from './phases.ts';
import type { RunClient } from './run-client.ts';
import type { SpecView } from './spec-view.ts';
import type { Target } from './target.ts';

export interface SubmitDeps {
  readonly runs: RunClient;
  /** A text that nobody else draws. */
  readonly random: () => string;
}

/** A run that was asked for, and what its requester should know besides. */
export interface Submitted {
  readonly name: string;
  readonly target: RunTarget;
  readonly notes: readonly string[];
}

export interface RunOptions {
  /** What is to be run; without a kind a workflow or a template, whichever has the name. */
  readonly target: Target;
  readonly given: GivenParameters;
  readonly key: string | undefined;
}

/** Throws a UserError where it takes no such request. */
export async function submitRun(deps: SubmitDeps, { target, given, key }: RunOptions): Promise<Submitted> {
  const { spec, view } = await requireRunnable(deps.runs, target);
  if (!spec.trigger.onRequest) throw new UserError(`workflow "${spec.name}" takes no requests: its trigger has no onRequest: true`);
  return write(deps, spec, { parameters: parametersFor(spec.parameters, given), key, rerunOf: undefined, notes: notesOf(spec, view) });
}

export interface RerunOptions {
  readonly run: string;
  /** First step that runs again. */
  readonly from: string | undefined;
  readonly key: string | undefined;
}

/** With the parameters of the earlier run, and the workflow as it is now. */
export async function submitRerun(deps: SubmitDeps, { run, from, key }: RerunOptions): Promise<Submitted> {
  const { record } = await requireRun(deps.runs, run);
  if (!isFinished(record)) throw new UserError(`run "${run}" is not over (${record.phase}): wait for it, or cancel it first`);
  const content = await deps.runs.content(run);
  const { spec, view } = await requireRunnable(deps.runs, runTarget(record));
  const steps = spec.steps.map(({ name }) => name);
  if (from !== undefined && !steps.includes(from)) throw new UserError(`${kindOf(spec)} "${spec.name}" has no step "${from}" now${hint(from, steps, `its steps: ${steps.join(', ')}`)}`);
  const parameters = content?.parameters ?? {};
  const [problem] = problemsOf(spec.parameters, parameters);
  if (problem !== undefined) throw new UserError(`the parameters of run "${run}" do not fit the ${kindOf(spec)} as it is now: ${problem}`);
  return write(deps, spec, { parameters, key, notes: notesOf(spec, view), rerunOf: { run, uid: record.uid, ...(from === undefined ? {} : { from }) } });
}

interface Wanted {
  readonly parameters: JsonObject;
  readonly key: string | undefined;
  readonly rerunOf: RunRequest['rerunOf'];
  readonly notes: readonly string[];
}

async function write({ runs, random }: SubmitDeps, spec: WorkflowSpec, { parameters, key, rerunOf, notes }: Wanted): Promise<Submitted> {
  const { name, request } = requestRun(spec, { instance: runs.instance, key: key ?? random(), ...(rerunOf && { rerunOf }) });
  const before = key === undefined ? undefined : await runs.run(name);
  const result = await runs.create({ name, request, parameters, data: undefined, owner: undefined });
  const submitted = { name, target: targetOf(request) };
  if (result.kind === 'done') return { ...submitted, notes: before ? [`this key was used before: the run is ${before.record.phase}`] : notes };
  if (result.kind === 'exists') throw new UserError(`idempotency key "${key ?? ''}" was used before for a run of "${spec.name}" with other parameters: run "${name}"`);
  throw new UserError(`the run cannot be written down: ${'message' in result ? result.message : result.kind}`);
}

function kindOf({ kind }: WorkflowSpec): string {
  return kind.toLowerCase();
}

function notesOf(spec: WorkflowSpec, { status }: SpecView): string[] {
  const what = `the ${kindOf(spec)}`;
  return [
    ...(spec.suspend ? [`${what} is suspended: the run waits`] : []),
    ...(spec.observe ? [`${what} has observe: true: the run waits`] : []),
    ...(status ? [] : [`${what} has no status: unless statuses are switched off, no controller looks after it, and the run waits for one`]),
  ];
}
