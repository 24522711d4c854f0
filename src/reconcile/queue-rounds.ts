/** One round of a Queue, or of a document of no known kind: observe, plan, execute, report. Everything about Jobs is decided in plan. */
import type { Clock } from '../lib/clock.ts';
import type { Plan } from '../plan/action.ts';
import type { PlanEnvironment } from '../plan/environment.ts';
import { earliest } from '../plan/give-up.ts';
import { isLive } from '../plan/job-state.ts';
import type { Observed, SpecKey } from '../plan/observed.ts';
import { plan as decide } from '../plan/plan.ts';
import type { DepthReader } from './depth-reader.ts';
import { execute, type ExecuteDeps } from './execute.ts';
import type { Explainer } from './explainer.ts';
import { specText } from './key.ts';
import type { Meter } from './meter.ts';
import type { ClusterCache, Log } from './ports.ts';
import type { Rounds } from './reconciler.ts';
import type { Reporter } from './reporter.ts';
import type { SpecIndex } from './spec-index.ts';
import type { TemplateChecker } from './template-checker.ts';
import type { RoundResult } from './work-queue.ts';

/** A key whose cache is behind its last write is looked at again by the event of that write, or after this time. */
export const behindPause = 1000;

export interface QueueRoundsDeps extends ExecuteDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly cache: ClusterCache;
  readonly specs: SpecIndex;
  readonly depths: DepthReader;
  readonly checker: TemplateChecker;
  readonly explainer: Explainer;
  readonly reporter: Reporter;
  readonly meter: Meter;
  readonly log: Log;
}

export class QueueRounds implements Rounds {
  readonly #deps: QueueRoundsDeps;

  constructor(deps: QueueRoundsDeps) {
    this.#deps = deps;
  }

  async round(key: SpecKey): Promise<RoundResult> {
    const { memory, reporter, clock } = this.#deps;
    if (!memory.caughtUp(key)) return { kind: 'done', again: behindPause };
    const observed = this.#observe(key);
    const plan = decide(observed, this.#deps.environment, clock.now());
    this.#ask(key, plan);
    const executed = await execute(this.#deps, key, plan.actions);
    const unwritten = await reporter.report(observed, plan, executed);
    this.#forgetIfOver(observed);
    const wake = plan.wakeAt === undefined ? undefined : plan.wakeAt - clock.now();
    if (executed.some((one) => one.kind === 'failed')) return { kind: 'failed', again: wake };
    // What was refused is in memory now: the next round says so and waits.
    const refused = executed.some((one) => one.kind === 'waits') ? 0 : undefined;
    return { kind: 'done', again: earliest([wake, unwritten, refused]) };
  }

  #observe(key: SpecKey): Observed {
    const { specs, cache, memory, depths, checker, explainer } = this.#deps;
    return {
      key,
      claims: specs.claims(key),
      jobs: cache.jobs(key),
      orphans: cache.orphans(key),
      reservations: memory.reservations(key),
      depth: depths.reading(key),
      verdict: checker.verdict(key),
      refusal: memory.refusal(key),
      unread: specs.hasUnreadFiles,
      vanished: memory.vanished(key),
      explanations: explainer.explanations(key),
    };
  }

  #ask(key: SpecKey, plan: Plan): void {
    const { depths, checker, explainer } = this.#deps;
    depths.ask(key, plan.demands.find((demand) => demand.kind === 'depth'));
    checker.ask(key, plan.demands.find((demand) => demand.kind === 'verdict'));
    explainer.ask(key, plan.demands.filter((demand) => demand.kind === 'explanation'));
  }

  #forgetIfOver({ key, claims, jobs, orphans, reservations }: Observed): void {
    const gone = claims.length + orphans.length + reservations.length === 0;
    // Series and alerts of a deleted spec must not stay for as long as its finished Jobs are kept.
    if (gone && !jobs.some(isLive)) this.#deps.meter.forget(key);
    if (!gone || jobs.length > 0) return;
    this.#deps.depths.forget(key);
    this.#deps.checker.forget(key);
    this.#deps.memory.forget(key);
    this.#deps.log.debug({ spec: specText(key) }, 'nothing left of this spec');
  }
}
