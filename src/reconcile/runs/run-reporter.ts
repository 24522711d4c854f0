/** What becomes of runs, told: a log line for each change, events on the record and on the workflow's ConfigMap, and counts by workflow. */
import { reasons, type Reason } from '../../plan/reason.ts';
import { stepNews, type StepNews } from '../../plan/run/news.ts';
import type { ObservedRecord, RunPhase } from '../../plan/run/record.ts';
import type { RunEnd, RunState } from '../../plan/run/state.ts';
import { winnerOf } from '../../plan/winner.ts';
import { approvalsAnnotation, cancelAnnotation } from '../../spec/keys.ts';
import { runKey } from '../key.ts';
import type { Meter, RunMeter } from '../meter.ts';
import type { EventSink, Log, WriteResult } from '../ports.ts';
import type { RecordCache } from '../record-ports.ts';
import type { SpecIndex } from '../spec-index.ts';
import type { TaskNews } from './job-tasks.ts';
import { keyOfRequest } from './request-key.ts';
import type { RunExecuted } from './run-execute.ts';

export interface RunReporterDeps {
  readonly events: EventSink;
  readonly meter: Meter;
  readonly runMeter: RunMeter;
  readonly log: Log;
  readonly records: RecordCache;
  readonly specs: SpecIndex;
}

type EmittedOn = Parameters<EventSink['emit']>[0]['configMap'];

const ends = { succeeded: 'RunSucceeded', failed: 'RunFailed', cancelled: 'RunCancelled' } as const satisfies Record<RunEnd['outcome'], Reason>;

export class RunReporter {
  readonly #deps: RunReporterDeps;

  constructor(deps: RunReporterDeps) {
    this.#deps = deps;
  }

  /** Nothing had been decided about the run before. */
  started(record: ObservedRecord): void {
    const { request } = record;
    const scheduled = request?.scheduledAt === undefined ? '' : ` for ${new Date(request.scheduledAt).toISOString()}`;
    this.#tell(record, 'RunStarted', `run "${record.name}" has started (${request?.trigger ?? 'unknown trigger'}${scheduled})`);
  }

  /** The label says `phase`, and there is no result. */
  mislabelled(record: ObservedRecord, phase: RunPhase): void {
    this.#tell(record, 'RecordEdited', `the label of record "${record.name}" was set to ${phase} by somebody, or its result was taken away: a run is over by its result alone, and to end one there is the annotation ${cancelAnnotation}`);
  }

  /** `why`: what cannot be made anything of. */
  unusableApproval(record: ObservedRecord, why: string): void {
    this.#tell(record, 'ApprovalUnusable', `annotation ${approvalsAnnotation} of run "${record.name}": ${why}`);
  }

  /** What a round decided. */
  decided(record: ObservedRecord, before: RunState, after: RunState): void {
    if (before === after) return;
    for (const news of stepNews(before, after)) this.#step(record, news);
    if (after.stopping && before.stopping?.mode !== after.stopping.mode) {
      const { mode, reason, message } = after.stopping;
      this.#tell(record, mode === 'revert' ? 'RunReverting' : 'RunStopping', `run "${record.name}" starts no more steps: ${stoppingText(reason, message)}`);
    }
  }

  /** Nothing of the run may start, by the limits of the instance. */
  waits(record: ObservedRecord, code: Reason, message: string): void {
    this.#deps.log.info({ ...fieldsOf(record), code, because: message }, 'run waits');
  }

  /** What a patch, a deletion or a sub-run came to. */
  executed(record: ObservedRecord, executed: readonly RunExecuted[]): void {
    for (const { action, kind, result, message, job } of executed) {
      this.#deps.meter.action(runKey(record.name), action.kind, action.reason, result);
      const fields = { ...fieldsOf(record), action: action.kind, code: action.reason, job, result, because: message };
      if (kind === 'done') this.#deps.log.info(fields, 'changed the cluster');
      else this.#deps.log.warn(fields, 'a change did not come through');
    }
  }

  /** What a create or a look-up came to, whenever that was. */
  task(name: string, { action, result, message, job, took }: TaskNews): void {
    const { meter, runMeter, log, records } = this.#deps;
    meter.action(runKey(name), action.kind, action.reason, result);
    const record = records.get(name);
    const fields = { ...(record ? fieldsOf(record) : { run: name }), step: action.step, action: action.kind, code: action.reason, job: action.jobName, result, because: message };
    if (!job) {
      log.warn(fields, 'a change did not come through');
      return;
    }
    log.info(fields, action.kind === 'lookUp' ? 'found a Job' : 'created a Job');
    if (action.kind === 'createStepJob') runMeter.edge(took / 1000);
  }

  /** The run is over and its record says so. */
  ended(name: string, state: RunState): void {
    const record = this.#deps.records.get(name);
    if (!record || !state.end) return;
    const { outcome, reason, message, at } = state.end;
    const code = reason === 'RunUnreadable' ? reason : ends[outcome];
    this.#tell(record, code, `run "${name}" ${outcome === 'cancelled' ? 'was cancelled' : outcome}${message === '' ? '' : `: ${message}`}`);
    this.#deps.runMeter.finished(record.target, { trigger: record.request?.trigger ?? 'request', outcome, seconds: Math.max(0, at - state.startedAt) / 1000 });
  }

  recordWritten(name: string, result: WriteResult): void {
    this.#deps.runMeter.recordWrite(result.kind);
    if (result.kind === 'done') return;
    if (result.kind === 'conflict') {
      // Approvals and other commands are written there by people.
      this.#deps.log.info({ run: name, result: result.kind, because: result.message }, 'a record was changed by somebody else, and is read again');
      return;
    }
    const message = 'message' in result ? result.message : result.kind;
    this.#deps.log.warn({ run: name, result: result.kind, because: message }, 'a record was not written');
  }

  unread(record: ObservedRecord, message: string): void {
    this.#deps.log.warn({ ...fieldsOf(record), code: 'RecordsUnread', because: message }, 'a record could not be read');
  }

  #step(record: ObservedRecord, news: StepNews): void {
    const { log, runMeter } = this.#deps;
    if (news.outcome !== undefined && !news.undo) runMeter.step(record.target, news.outcome);
    log.info({ ...fieldsOf(record), step: news.step, code: news.code, outcome: news.outcome, because: news.message }, 'step changed');
    if (news.told) this.#emit(record, news.code, `run "${record.name}": ${news.message}`);
  }

  #tell(record: ObservedRecord, code: Reason, message: string): void {
    this.#deps.log.info({ ...fieldsOf(record), code, because: message }, 'run changed');
    this.#emit(record, code, message);
  }

  /** The ConfigMap of the Run that asked for it, if it is still there. */
  #runOf(record: ObservedRecord): EmittedOn | undefined {
    const { specs } = this.#deps;
    const key = keyOfRequest(specs, record);
    const claim = key && specs.claims(key).find(({ source }) => source.kind === 'configMap' && source.uid === record.request?.source);
    return claim?.source.kind === 'configMap' ? claim.source : undefined;
  }

  /** On the record, and where people look first: on what defines the workflow now, and on the Run that asked for it. */
  #emit(record: ObservedRecord, reason: Reason, message: string): void {
    const event = { related: undefined, type: reasons[reason], reason, message };
    this.#deps.events.emit({ ...event, configMap: { name: record.name, uid: record.uid } });
    const claims = this.#deps.specs.claims(record.target);
    const source = claims[winnerOf(claims) ?? -1]?.source;
    if (source?.kind === 'configMap') this.#deps.events.emit({ ...event, configMap: source });
    const run = this.#runOf(record);
    if (run) this.#deps.events.emit({ ...event, configMap: run });
  }
}

/** The message about a failed step says already that it failed. */
function stoppingText(reason: string, message: string): string {
  if (message === '') return reason;
  return reason === 'StepFailed' ? message : `${reason}: ${message}`;
}

function fieldsOf({ name, target }: ObservedRecord): Readonly<Record<string, string>> {
  return { run: name, [target.kind]: target.name };
}
