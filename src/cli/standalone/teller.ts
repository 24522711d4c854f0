/** Says what a run does: lines while it runs on standard error and its table on standard output, or all of it as JSON lines. */
import type { Clock } from '../../lib/clock.ts';
import type { RunPlan } from '../../plan/run/action.ts';
import { entryOf, isFailure } from '../../plan/run/standing.ts';
import { isoTime } from '../../plan/iso-time.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { Streams } from '../runs/session.ts';
import { againHint } from './again.ts';
import { allSteps } from './load.ts';
import { newsJson, newsLine, nameWidth, Progress, type News } from './progress.ts';
import { reportDocument, reportText } from './report.ts';

export interface TellerOptions extends Streams {
  readonly clock: Clock;
  readonly namespace: string;
  readonly output: 'text' | 'json';
  readonly spec: WorkflowSpec;
  /** What the run is called, and the id that it was told apart by. */
  readonly run: string;
  readonly runId: string | undefined;
  /** An earlier start of it left some. */
  readonly hasJobs: boolean;
}

export class Teller {
  readonly #options: TellerOptions;
  readonly #progress: Progress;
  readonly #width: number;
  #last: RunPlan | undefined;

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#width = nameWidth(options.spec);
    this.#progress = new Progress(options.spec, (news) => { this.#tell(news); });
  }

  round(plan: RunPlan): void {
    const isFirst = this.#last === undefined;
    this.#last = plan;
    if (isFirst) this.note(this.#beginning(plan));
    this.#progress.round(plan, isFirst && this.#options.hasJobs);
  }

  note(message: string): void {
    this.#tell({ event: 'note', message });
  }

  /** The table, and what somebody may want to do about a failure. */
  ended(run: StoredRecord): void {
    const { output, out, spec, screen, clock } = this.#options;
    if (output === 'json') out(JSON.stringify({ time: isoTime(clock.now()), event: 'end', run: reportDocument(spec, run) }));
    else out(reportText(spec, run, { screen, now: clock.now() }));
    const hint = typeof run.state === 'object' ? againHint(spec, run.state, this.#options.namespace) : undefined;
    if (hint !== undefined) this.note(hint);
  }

  /** It was told to stop; what runs goes on. */
  stopped(): void {
    const { liveJobs = 0 } = this.#last ?? {};
    const id = this.#options.runId === undefined ? '' : ` with --run-id ${this.#options.runId}`;
    const going = liveJobs === 0 ? 'no Job of it runs' : liveJobs === 1 ? '1 Job goes on by itself' : `${liveJobs} Jobs go on by themselves`;
    this.note(`run ${this.#options.run} stopped: nothing more is started, ${going}. To go on start the same command again${id}; to end it add --cancel to that`);
  }

  #beginning({ state }: RunPlan): string {
    const { run, runId, namespace, spec, hasJobs } = this.#options;
    const head = `run ${run}${runId === undefined ? '' : ` (--run-id ${runId})`} in namespace ${namespace}`;
    const steps = allSteps(spec);
    if (!hasJobs) return `${head}: starts, ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`;
    const states = steps.flatMap(({ name }) => entryOf(state.steps, name) ?? []);
    const done = states.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'skipped').length;
    const failed = states.filter(({ outcome }) => outcome !== undefined && isFailure(outcome)).length;
    const open = states.filter(({ outcome, attempts, items }) => outcome === undefined && (attempts ?? items ?? []).length > 0).length;
    const found = `${done} of ${steps.length} steps already done${failed === 0 ? '' : `, ${failed} failed`}${open === 0 ? '' : `, ${open} under way`}`;
    return state.end?.outcome === 'succeeded' ? `${head}: already done; --new-run starts another one` : `${head}: goes on, ${found}`;
  }

  #tell(news: News): void {
    const { output, out, err, clock } = this.#options;
    if (output === 'json') out(newsJson(news, clock.now()));
    else err(newsLine(news, clock.now(), this.#width));
  }
}
