/** What happens in a run, told as it happens: one line for each change of a step, and what the run waits for. */
import { isoTime } from '../../plan/iso-time.ts';
import type { RunPlan } from '../../plan/run/action.ts';
import type { RunState } from '../../plan/run/state.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { elapsed } from '../runs/elapsed.ts';
import { stepViews, type StepView } from '../../plan/run/step-views.ts';
import { oneLine } from '../runs/table.ts';

/** Anything worth a line. `step`: a step is in another state than before. */
export type News =
  | { readonly event: 'step'; readonly step: StepView }
  | { readonly event: 'waits'; readonly reason: string; readonly message: string }
  | { readonly event: 'note'; readonly message: string };

/** Every run has these at some time, and the lines of its steps say more. */
const usual: ReadonlySet<string> = new Set(['WaitsForSteps', 'RunFinishing', 'RunSucceeded', 'RunFailed', 'RunCancelled']);

export class Progress {
  readonly #spec: WorkflowSpec;
  readonly #tell: (news: News) => void;
  #state: RunState | undefined;
  readonly #seen = new Map<string, string>();
  #waits = '';

  constructor(spec: WorkflowSpec, tell: (news: News) => void) {
    this.#spec = spec;
    this.#tell = tell;
  }

  /** After each round. `quietly`: what was so before this process began is told in one line by somebody else. */
  round({ state, reason, message }: RunPlan, quietly = false): void {
    if (state !== this.#state) for (const view of stepViews(this.#spec, { state, over: false, progress: none })) this.#step(view, quietly);
    this.#state = state;
    const waits = usual.has(reason) ? '' : `${reason}: ${message}`;
    if (waits !== '' && waits !== this.#waits) this.#tell({ event: 'waits', reason, message });
    this.#waits = waits;
  }

  #step(view: StepView, quietly: boolean): void {
    const { name, part, state, attempts, items } = view;
    const key = `${part} ${name}`;
    const shown = JSON.stringify([state, attempts, items?.succeeded]);
    const before = this.#seen.get(key);
    if (before === shown || (before === undefined && state === 'Waiting' && view.reason === undefined)) return;
    this.#seen.set(key, shown);
    if (!quietly || !isOver(view)) this.#tell({ event: 'step', step: view });
  }
}

const none: ReadonlyMap<string, number> = new Map();
const open: ReadonlySet<string> = new Set(['Waiting', 'Starting', 'Running', 'Retrying']);

export function isOver({ state }: StepView): boolean {
  return !open.has(state);
}

/** For people. */
export function newsLine(news: News, now: number, width: number): string {
  const time = isoTime(now);
  if (news.event === 'note') return `${time}  ${oneLine(news.message)}`;
  if (news.event === 'waits') return `${time}  waits: ${news.reason}: ${oneLine(news.message)}`;
  return `${time}  ${nameOf(news.step).padEnd(width)}  ${stepText(news.step)}`;
}

/** For programs: one JSON document in a line. */
export function newsJson(news: News, now: number): string {
  const time = isoTime(now);
  if (news.event !== 'step') return JSON.stringify({ time, ...news });
  const { step } = news;
  const { name, part, phase, state, attempts, items, exitCode, reason, message, object } = step;
  const ran = ranFor(step);
  return JSON.stringify({ time, event: 'step', step: name, part, phase, state, attempts, items, exitCode, reason, message: message === '' ? undefined : message, job: object, ranSeconds: ran === undefined ? undefined : Math.round(ran) / 1000 });
}

/** Width of the column of names. */
export function nameWidth(spec: WorkflowSpec): number {
  return Math.max(...[...spec.steps, ...spec.finally].map((step) => step.name.length + (step.undo ? 'undo '.length : 0)));
}

function nameOf({ name, part }: StepView): string {
  return part === 'undo' ? `undo ${name}` : name;
}

function stepText(view: StepView): string {
  const { state, attempts, items, reason, message } = view;
  const ran = ranFor(view);
  const parts = [
    ...(items?.succeeded === undefined ? [] : [`${items.succeeded} of ${items.all}`]),
    ...(attempts > 1 ? [`attempt ${attempts}`] : []),
    ...(isOver(view) && ran !== undefined ? [`ran ${elapsed(ran)}`] : []),
    ...[reason, message].filter((text) => text !== undefined && text !== ''),
  ];
  return oneLine(`${state}${parts.length === 0 ? '' : `  ${parts.join(', ')}`}`);
}

/** Milliseconds, retries included. */
function ranFor({ ranAt, endedAt }: StepView): number | undefined {
  return ranAt === undefined || endedAt === undefined ? undefined : Math.max(0, endedAt - ranAt);
}
