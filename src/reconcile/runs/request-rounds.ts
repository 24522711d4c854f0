/** One round of a Run: asks for its run, once, and tells in its status what became of it. */
import { labelValue } from '../../lib/label-value.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import { earliest } from '../../plan/give-up.ts';
import type { Claim, SpecKey } from '../../plan/observed.ts';
import type { RequestPlan } from '../../plan/request/action.ts';
import type { ObservedRequest } from '../../plan/request/observed.ts';
import { recordNameOf } from '../../plan/request/record-name.ts';
import { rememberedRun } from '../../plan/request/remembered.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { winningClaim } from '../../plan/winner.ts';
import { specText } from '../key.ts';
import type { Meter } from '../meter.ts';
import type { Log } from '../ports.ts';
import { behindPause } from '../queue-rounds.ts';
import type { RecordCache } from '../record-ports.ts';
import type { Rounds } from '../reconciler.ts';
import type { Reporter } from '../reporter.ts';
import type { TargetWaits } from '../target-waits.ts';
import type { RoundResult } from '../work-queue.ts';
import { afterProblem, untilRecords } from './records-ready.ts';
import { executeRequest, type RequestExecuted, type RequestExecuteDeps } from './request-execute.ts';
import { keyOfRequest } from './request-key.ts';

export interface RequestRoundsDeps extends RequestExecuteDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly plan: (observed: ObservedRequest, environment: PlanEnvironment, now: number) => RequestPlan;
  readonly records: RecordCache;
  readonly reporter: Reporter;
  readonly meter: Meter;
  readonly log: Log;
  readonly targets: TargetWaits;
  /** Asks for a round of a key. */
  readonly changed: (key: SpecKey) => void;
}

export class RequestRounds implements Rounds {
  readonly #deps: RequestRoundsDeps;
  /** Runs by the record that they asked for, which may be gone when its change is told. */
  readonly #askers = new Map<string, SpecKey>();

  constructor(deps: RequestRoundsDeps) {
    this.#deps = deps;
  }

  async round(key: SpecKey): Promise<RoundResult> {
    const { clock, environment, records, recordNames, reporter, plan } = this.#deps;
    const unread = untilRecords(records);
    if (unread !== undefined) return { kind: 'done', again: unread };
    if (!recordNames.caughtUp(key)) return { kind: 'done', again: behindPause };
    const observed = this.#observe(key);
    if (observed.claims.length === 0) this.#gone(key);
    if (await this.#isBehind(observed)) return { kind: 'done', again: behindPause };
    const decided = plan(observed, environment, clock.now());
    const executed: RequestExecuted[] = [];
    for (const action of decided.actions) {
      const one = await executeRequest(this.#deps, observed, action);
      this.#tell(key, one);
      executed.push(one);
    }
    const waits = executed.some(({ kind }) => kind === 'waits');
    // Its record brings the next round at once, which has more to tell; and where the Run is not what is in view, the watch does.
    const asked = executed.some(({ kind, action, result }) => action.kind === 'askRun' && (kind === 'done' || result === 'conflict'));
    const unwritten = waits || asked ? undefined : await reporter.statuses(key, observed.claims, decided.statuses);
    const wake = decided.wakeAt === undefined ? undefined : Math.max(0, decided.wakeAt - clock.now());
    if (executed.some(({ kind }) => kind === 'failed')) return { kind: 'failed', again: wake };
    return { kind: 'done', again: earliest([wake, unwritten, waits ? 0 : undefined, afterProblem(observed.recordsUnknown)]) };
  }

  /** `record`: undefined where it is gone. */
  recordChanged(name: string, record: ObservedRecord | undefined): void {
    const { specs, changed } = this.#deps;
    const key = record ? keyOfRequest(specs, record) : this.#askers.get(name);
    if (key) changed(key);
    if (record && key) this.#askers.set(name, key);
    else this.#askers.delete(name);
  }

  /**
   * The record is gone, this process has written down that there was one, and that is not in view. Another status would take
   * the place of what remembers the run, so the API server itself is asked. Who has taken that status away wants another run.
   */
  async #isBehind({ claims, record }: ObservedRequest): Promise<boolean> {
    const { specs, reporter, environment } = this.#deps;
    const claim = winningClaim(claims)?.claim;
    const name = claim && recordNameOf(claim, environment.instance);
    if (!claim || name === undefined || record || rememberedRun(claim, name) || reporter.statusOf(claim)?.run?.name !== name) return false;
    const standing = await specs.confirm(claim);
    return standing.kind !== 'same' || rememberedRun({ ...claim, source: standing.source }, name) !== undefined;
  }

  #observe(key: SpecKey): ObservedRequest {
    const { specs, records, recordNames, environment, targets } = this.#deps;
    const claims = specs.claims(key);
    const winner = winningClaim(claims)?.claim;
    const name = winner && recordNameOf(winner, environment.instance);
    const record = name === undefined ? undefined : records.get(name);
    const target = winner && this.#targetOf(winner, record);
    if (name !== undefined && record) this.#askers.set(name, key);
    // Also while the run is queued: its status says that its template is gone.
    targets.await(key, record && record.phase !== 'Queued' ? undefined : target);
    return {
      key,
      claims,
      recordsUnknown: records.problem,
      record,
      reserved: recordNames.reservations(key).length > 0,
      target: target && winningClaim(specs.claims(target))?.claim,
      refusal: recordNames.refusal(key),
    };
  }

  /** Of the run where there is one: the Run may name something else by now. */
  #targetOf({ parsed: { spec } }: Claim, record: ObservedRecord | undefined): SpecKey | undefined {
    if (record) return record.target;
    return spec?.kind === 'Run' ? { kind: spec.target.kind, name: labelValue(spec.target.name) } : undefined;
  }

  /** Nothing holds its record any more: retention may have been waiting for that. */
  #gone(key: SpecKey): void {
    const { records, changed, meter, recordNames, log } = this.#deps;
    for (const { request, target } of records.all()) if (request?.run !== undefined && labelValue(request.run) === key.name) changed(target);
    meter.forget(key);
    recordNames.forget(key);
    log.debug({ spec: specText(key) }, 'nothing left of this spec');
  }

  #tell(key: SpecKey, { action, kind, result, message, record }: RequestExecuted): void {
    const { meter, log } = this.#deps;
    meter.action(key, action.kind, action.reason, result);
    const fields = { spec: specText(key), action: action.kind, code: action.reason, run: record, result, because: message };
    if (kind === 'done') log.info(fields, 'changed the cluster');
    else log.warn(fields, 'a change did not come through');
  }
}
