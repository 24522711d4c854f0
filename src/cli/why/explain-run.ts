/** Why a run stands where it stands: in its queue, at its steps, or at its end. */
import { planRun } from '../../plan/run/plan-run.ts';
import type { ObservedRun } from '../../plan/run/observed.ts';
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import { stepWaits, type StepWait } from '../../plan/run/step-waits.ts';
import type { RunState } from '../../plan/run/state.ts';
import { isOver } from '../../plan/run/summary.ts';
import { isQueued } from '../../plan/workflow/admission.ts';
import { isFailure } from '../../plan/run/standing.ts';
import { UserError } from '../exit-code.ts';
import { frozenSpec } from '../live/frozen-spec.ts';
import { observeRun } from '../live/observe.ts';
import { hint } from '../runs/lookup.ts';
import { explainAdmission, holdersOf, recordsOf } from './explain-workflow.ts';
import { explainStep, type StepsView } from './explain-step.ts';
import { explainFew, link, type Link } from './link.ts';
import { explanationsFor, quotaLinks, unblockOf, type View } from './view.ts';

export interface RunQuestion {
  /** Only this step, and what it waits for. */
  readonly step: string | undefined;
}

/** Sub-runs of sub-runs are followed so far. */
const deepest = 3;

/** With all of its steps that are under way, or with one of them. Throws a UserError where there is no such step. */
export function explainRun(view: View, record: ObservedRecord, question: RunQuestion = { step: undefined }): Promise<Link> {
  return explainAt(view, record, { ...question, depth: 0 });
}

type Question = RunQuestion & { readonly depth: number };

async function explainAt(view: View, record: ObservedRecord, question: Question): Promise<Link> {
  if (record.phase === 'Queued') return explainQueued(view, record);
  const stored = await view.content(record.name);
  if (!stored) return headOf(view, record, { reason: 'RunCancelled', message: 'its record has been deleted' });
  const spec = frozenSpec(stored);
  if (!spec || stored.state === 'broken') return headOf(view, record, { reason: 'RunUnreadable', message: stored.state === 'broken' ? 'the state in its record cannot be read' : 'the spec in its record cannot be read' });
  const first = observeRun(view.live, { stored, spec, earlier: await earlierOf(view, record) });
  const { demands } = planRun(first, view.environment, view.live.now);
  const observed = { ...first, explanations: await explanationsFor(view, demands) };
  const steps = stepsView(view, observed, question.depth);
  if (question.step !== undefined) return oneStep(steps, question.step);
  return isOver(record.phase) ? explainEnd(view, record, steps) : explainLive(view, record, { observed, steps });
}

async function earlierOf({ content }: View, { request }: ObservedRecord): Promise<RunState | undefined> {
  const earlier = request?.rerunOf;
  const stored = earlier && (await content(earlier.run));
  return stored?.record.uid === earlier?.uid && typeof stored?.state === 'object' ? stored.state : undefined;
}

function stepsView(view: View, observed: ObservedRun, depth: number): StepsView {
  const { record, jobs } = observed;
  const waits = stepWaits(observed, view.environment, view.live.now);
  const target = nameOf(record);
  return {
    waits,
    job: (name) => jobs.get(name),
    facts: { now: view.live.now, explanations: observed.explanations, unblock: (reason, object) => unblockOf(view, target, reason, { run: record.name, object }) },
    unblock: (reason, step, object) => unblockOf(view, target, reason, { run: record.name, step, object }),
    quotas: (reason) => quotaLinks(view, reason),
    subRun: async (name) => {
      const child = view.live.records.find((each) => each.name === name);
      return child && depth < deepest ? explainAt(view, child, { step: undefined, depth: depth + 1 }) : undefined;
    },
  };
}

function oneStep(steps: StepsView, name: string): Promise<Link> {
  const known = steps.waits.map(({ step }) => step);
  const wait = steps.waits.find(({ step, part }) => step === name && part !== 'undo');
  if (!wait) throw new UserError(`the run has no step "${name}"${hint(name, known, `its steps: ${known.join(', ')}`)}`);
  return explainStep(steps, wait);
}

interface LiveRun {
  readonly observed: ObservedRun;
  readonly steps: StepsView;
}

async function explainLive(view: View, record: ObservedRecord, { observed, steps }: LiveRun): Promise<Link> {
  const { reason, message, wakeAt } = planRun(observed, view.environment, view.live.now);
  const because = await explainFew(worthTelling(steps.waits), 'steps', (wait) => explainStep(steps, wait));
  const step = steps.waits.find((wait) => wait.reason === reason && wait.outcome === undefined)?.step;
  return link({
    ...headOf(view, record, { reason, message }, step),
    since: observed.state.startedAt,
    until: reason === 'WaitsForRetry' ? wakeAt : undefined,
    because,
  });
}

/** Steps that have begun, or could; those that only wait for others are told of where nothing else is. Failures say why a run stops. */
function worthTelling(waits: readonly StepWait[]): readonly StepWait[] {
  const open = waits.filter(({ outcome }) => outcome === undefined);
  const begun = open.filter(({ reason }) => reason !== 'WaitsForSteps');
  const failed = waits.filter(({ outcome }) => outcome !== undefined && isFailure(outcome));
  return begun.length + failed.length > 0 ? [...begun, ...failed] : open.slice(0, 1);
}

async function explainEnd(view: View, record: ObservedRecord, steps: StepsView): Promise<Link> {
  const { result, phase } = record;
  const bad = steps.waits.filter(({ outcome }) => outcome !== undefined && isFailure(outcome));
  const because = await explainFew(bad, 'steps', (wait) => explainStep(steps, wait));
  return link({ ...headOf(view, record, { reason: endReasons[phase], message: result?.message ?? '' }), since: result?.finishedAt, because });
}

const endReasons: Readonly<Record<ObservedRecord['phase'], string>> = { Queued: 'RunQueued', Running: 'WorkflowRunning', Suspended: 'RunSuspended', Succeeded: 'RunSucceeded', Failed: 'RunFailed', Cancelled: 'RunCancelled' };

/** Its workflow has to admit it: who is before it, and what keeps all of them. */
function explainQueued(view: View, record: ObservedRecord): Link {
  const { target, commands } = record;
  const named = nameOf(record);
  if (commands.cancel !== undefined) return headOf(view, record, { reason: 'RunCancelled', message: `it is being cancelled: ${commands.cancel}` });
  if (commands.suspend) return headOf(view, record, { reason: 'RunSuspended', message: 'it is suspended, and does not start' });
  const queue = recordsOf(view, target).filter(isQueued).toSorted((left, right) => (right.request.priority ?? 0) - (left.request.priority ?? 0) || left.createdAt - right.createdAt || (left.name < right.name ? -1 : 1));
  const place = queue.findIndex(({ name }) => name === record.name) + 1;
  const message = `number ${place} of ${queue.length} that ${queue.length === 1 ? 'waits' : 'wait'}`;
  return link({ ...headOf(view, record, { reason: 'RunQueued', message }), since: record.createdAt, because: [explainAdmission(view, target, named, holdersOf(view, target))] });
}

/** Kind and logical name of what it runs. */
function nameOf(record: ObservedRecord): { readonly kind: string; readonly name: string } {
  return { kind: record.target.kind, name: targetName(record) };
}

function headOf(view: View, record: ObservedRecord, { reason, message }: { readonly reason: string; readonly message: string }, step?: string): Link {
  const named = nameOf(record);
  const winner = view.live.specs.find(({ key }) => key.kind === record.target.kind && key.name === record.target.name);
  return link({ subject: `run/${record.name}`, state: record.phase, reason, message, unblock: unblockOf(view, winner ?? named, reason, { run: record.name, ...(step !== undefined && { step }) }) });
}
