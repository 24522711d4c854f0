/** Why a step stands where it stands, and the steps before it that it waits for, down to the one that could do something. */
import type { ObservedJob } from '../../plan/observed.ts';
import { outcomeLine, type StepWait } from '../../plan/run/step-waits.ts';
import type { StepOutcome } from '../../plan/run/state.ts';
import { explainJob, type JobFacts } from './explain-job.ts';
import { explainFew, link, type Link } from './link.ts';

/** The steps of one run. */
export interface StepsView {
  readonly waits: readonly StepWait[];
  readonly job: (name: string) => ObservedJob | undefined;
  readonly facts: JobFacts;
  readonly unblock: (reason: string, step: string, object: string | undefined) => string;
  /** Quotas that stand behind this reason. */
  readonly quotas: (reason: string) => Promise<readonly Link[]>;
  /** The sub-run that a step is; undefined: it is not there, or too deep. */
  readonly subRun: (name: string) => Promise<Link | undefined>;
}

/** Steps behind steps behind steps are followed so far. */
const deepest = 8;

export function explainStep(view: StepsView, wait: StepWait): Promise<Link> {
  return explainAt(view, wait, new Set());
}

/** A step that several others wait for is told of once. */
async function explainAt(view: StepsView, wait: StepWait, told: Set<string>, depth = 0): Promise<Link> {
  const { step, part, outcome, reason, object } = wait;
  const head = { subject: `${part === 'undo' ? 'undo' : 'step'}/${step}`, state: outcome === undefined ? stateOf(wait) : outcomeStates[outcome], reason };
  if (told.has(step)) return link({ ...head, message: 'as above' });
  told.add(step);
  const before = depth >= deepest ? [] : wait.waitsFor.flatMap((name) => view.waits.find((other) => other.step === name && other.part !== 'undo' && !told.has(name)) ?? []);
  // Those that could do something about it first.
  const because = await explainFew(before.toSorted((left, right) => Number(left.reason === 'WaitsForSteps') - Number(right.reason === 'WaitsForSteps')), 'steps', (other) => explainAt(view, other, told, depth + 1));
  return link({
    ...head,
    message: outcomeLine(wait),
    since: wait.since,
    until: wait.until,
    unblock: view.unblock(reason, step, object?.name),
    because: [...because, ...(outcome === undefined ? await objectLinks(view, wait) : [])],
  });
}

const outcomeStates: Readonly<Record<StepOutcome, string>> = { succeeded: 'Succeeded', failed: 'Failed', errored: 'Errored', notStarted: 'NotStarted', refused: 'Refused', skipped: 'Skipped', omitted: 'Omitted', cancelled: 'Cancelled' };

const busy: ReadonlyMap<string, string> = new Map([['JobRunning', 'Running'], ['WorkflowRunning', 'Running'], ['JobStarting', 'Starting'], ['NoPodCreated', 'Starting'], ['JobSuspended', 'Starting'], ['JobEnding', 'Ending'], ['WaitsForRetry', 'Retrying']]);

function stateOf({ reason }: StepWait): string {
  return busy.get(reason) ?? 'Waiting';
}

/** A Job that runs is told of by its step; one that does not start has pods that say why. */
async function objectLinks(view: StepsView, { object, reason }: StepWait): Promise<readonly Link[]> {
  if (object?.kind === 'run') {
    const child = await view.subRun(object.name);
    return child ? [child] : [];
  }
  const job = object && reason !== 'JobRunning' ? view.job(object.name) : undefined;
  return [...(job ? explainJob(job, view.facts).because : []), ...(await view.quotas(reason))];
}
