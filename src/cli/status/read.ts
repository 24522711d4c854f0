/** Gathers what status shows. */
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import type { RunState } from '../../plan/run/state.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { RunTarget } from '../../spec/run.ts';
import { UserError } from '../exit-code.ts';
import { criticalPath, type CriticalPath } from '../runs/critical-path.ts';
import { isOf } from '../runs/find-run.ts';
import { frozenSpec } from '../runs/frozen-spec.ts';
import { hint, runTarget } from '../runs/lookup.ts';
import { isFinished } from '../runs/phases.ts';
import type { RunClient } from '../runs/run-client.ts';
import { readTarget, targetText, type Target } from '../runs/target.ts';
import { stepViews, type StepView } from '../../plan/run/step-views.ts';
import { standing, winner, runnableIn, type SpecView } from '../runs/spec-view.ts';

/** Everything about one run. */
export interface RunDetails {
  readonly record: ObservedRecord;
  readonly parameters: JsonObject;
  readonly state: RunState | undefined;
  /** How it stands, or ended. */
  readonly message: string;
  readonly steps: readonly StepView[];
  readonly path: CriticalPath | undefined;
}

/** A run in a list. */
export interface ListedRun {
  readonly record: ObservedRecord;
  /** undefined: it has not started, or nobody knows. */
  readonly startedAt: number | undefined;
}

export type Shown =
  /** Without a name: all specs and the latest runs. */
  | { readonly kind: 'overview'; readonly specs: readonly SpecView[]; readonly runs: readonly ListedRun[] }
  /** The specs of one name, and the runs of that workflow. */
  | { readonly kind: 'spec'; readonly specs: readonly SpecView[]; readonly runs: readonly ListedRun[]; readonly isWorkflow: boolean }
  | { readonly kind: 'run'; readonly details: RunDetails };

export interface ReadDeps {
  readonly runs: RunClient;
  readonly clock: Clock;
}

/** Throws a UserError where nothing has the name. */
export async function readStatus(deps: ReadDeps, name: string | undefined): Promise<Shown> {
  const { runs } = deps;
  if (name === undefined) {
    const [specs, records] = await Promise.all([runs.specs(), runs.runs()]);
    return { kind: 'overview', specs: sorted(specs), runs: await listed(runs, records) };
  }
  const target = readTarget(name);
  const content = target.kind === undefined ? await runs.content(name) : undefined;
  if (content) return { kind: 'run', details: await readDetails(deps, content) };
  return readNamed(runs, target);
}

async function readNamed(runs: RunClient, target: Target): Promise<Shown> {
  const { kind, name } = target;
  const [specs, records] = await Promise.all([runs.specs(), runs.runs()]);
  const named = specs.filter((spec) => spec.name === name && (kind === undefined || spec.kind.toLowerCase() === kind));
  const own = records.filter((record) => (kind === undefined ? targetName(record) === name : isOf(record, target)));
  // Runs outlive their workflow.
  if (named.length > 0 || own.length > 0) return { kind: 'spec', specs: sorted(named), runs: await listed(runs, own), isWorkflow: own.length > 0 || named.some(({ claim }) => isRunnable(claim.parsed.spec)) };
  const known = [...specs.map((spec) => spec.name), ...records.map((record) => record.name)];
  throw new UserError(`there is no ${kind === undefined ? `spec and no run "${name}"` : targetText(target)} in namespace ${runs.namespace}${hint(name, known, known.length === 0 ? 'there are none at all' : 'job-chief status lists them')}`);
}

/** More runs at once than people look at: the others show when they were asked for. */
const mostReads = 20;

/** Only the data of a run that is under way says when it started. */
async function listed(runs: RunClient, records: readonly ObservedRecord[]): Promise<readonly ListedRun[]> {
  const live = records.filter((record) => !isFinished(record) && record.phase !== 'Queued').slice(0, mostReads);
  const starts = new Map(await Promise.all(live.map(async ({ name }): Promise<readonly [string, number | undefined]> => {
    const state = (await runs.content(name))?.state;
    return [name, typeof state === 'object' ? state.startedAt : undefined];
  })));
  return records.map((record) => ({ record, startedAt: record.result?.startedAt ?? starts.get(record.name) }));
}

function sorted(specs: readonly SpecView[]): SpecView[] {
  return specs.toSorted((left, right) => compare(left.kind, right.kind) || compare(left.name, right.name));
}

function compare(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

async function readDetails({ runs, clock }: ReadDeps, content: StoredRecord): Promise<RunDetails> {
  const { record, parameters, data } = content;
  const state = typeof content.state === 'object' ? content.state : undefined;
  // A queued run has no text yet: what it would start with now.
  const current = data ? undefined : winner(await runs.specs(), runTarget(record));
  const spec = data ? frozenSpec(record, data) : current && runnableIn(current);
  const over = isFinished(record);
  const progress = over ? noProgress : await progressOf(runs, record, state);
  const steps = spec ? stepViews(spec, { state, over, progress }) : [];
  return {
    record,
    parameters,
    state,
    steps,
    message: record.result?.message ?? liveMessage(content, steps, current),
    path: spec && pathOf(spec, state, clock.now()),
  };
}

function pathOf(spec: WorkflowSpec, state: RunState | undefined, now: number): CriticalPath | undefined {
  return state && criticalPath(spec, state, state.end?.at ?? now);
}

const noProgress: ReadonlyMap<string, number> = new Map();

/** Only its Job knows how far an Indexed Job has come. */
function progressOf(runs: RunClient, { name }: ObservedRecord, state: RunState | undefined): Promise<ReadonlyMap<string, number>> {
  const isNeeded = Object.values(state?.steps ?? {}).some((step) => step.each && !step.items && step.outcome === undefined);
  return isNeeded ? runs.progress(name) : Promise.resolve(noProgress);
}

function liveMessage({ record, state }: StoredRecord, steps: readonly StepView[], current: SpecView | undefined): string {
  if (record.phase === 'Queued') return queuedMessage(runTarget(record).kind, current);
  if (state === 'broken') return 'the state in its record cannot be read';
  const own = steps.filter(({ part }) => part === 'steps');
  const ended = own.filter(({ state: word }) => !['Waiting', 'Starting', 'Running', 'Retrying'].includes(word)).length;
  const stopping = state?.stopping ? `${state.stopping.message}; ` : '';
  const approvals = steps.filter(({ reason }) => reason === 'WaitsForApproval').map(({ name }) => name);
  const asked = approvals.length === 0 ? '' : `; waits for approval: ${approvals.join(', ')}`;
  return `${stopping}${ended} of ${own.length} steps have ended${asked}`;
}

function queuedMessage(kind: RunTarget['kind'], current: SpecView | undefined): string {
  if (!current) return `waits for its ${kind}, which no ConfigMap defines`;
  const { state, message } = standing(current);
  return `waits for its turn; the ${kind} is ${state}: ${message}`;
}
