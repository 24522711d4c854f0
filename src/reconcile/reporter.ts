/** What a round tells the world, after it acted: one status write per claim, then events, logs and metrics. */
import type { Clock } from '../lib/clock.ts';
import type { ClaimStatus, Plan, Status } from '../plan/action.ts';
import type { Claim, Observed, ObservedJob, SpecKey } from '../plan/observed.ts';
import { earliest } from '../plan/give-up.ts';
import { reasons, type Reason } from '../plan/reason.ts';
import type { Executed } from './execute.ts';
import { specText } from './key.ts';
import type { Leadership } from './leadership.ts';
import type { MessageMeter, Meter } from './meter.ts';
import type { EventSink, Log } from './ports.ts';
import { identityOf } from './spec-index.ts';
import { readStatus, type StatusWriter } from './status-writer.ts';

/** Reasons whose beginning is an event of its own; the others show in the status only. */
const announced: ReadonlySet<Reason> = new Set([
  'RunChanged', 'RunForgotten', 'TargetUnknown', 'TargetBroken', 'RequestRefused', 'ParametersRefused',
  'SpecRejected',
  'SpecSuperseded',
  'SpecSuspended',
  'TemplateRefused',
  'BreakerOpen',
  'ConnectionUnknown',
  'QueueUnreachable',
  'QueueForbidden',
  'QueueNotFound',
  'QueueUnsupported',
  'QueueRefused',
  'LeaseTooShort',
  'RecordsOff',
  'QuotaExceeded',
  'CreateRefused',
  'Forbidden',
  'NoPodCreated',
]);
/** What a Queue that leases messages goes through with each of them. */
const routine: ReadonlySet<string> = new Set(['QueueListening', 'MessageReceived', 'MessagesRunning']);
/** Actions on Jobs that become events; the rest is in the log. */
const told: ReadonlySet<string> = new Set(['create', 'end', 'mark', 'scale']);

export interface ReporterDeps {
  readonly clock: Clock;
  readonly statuses: StatusWriter;
  readonly events: EventSink;
  readonly meter: Meter;
  readonly messageMeter: MessageMeter;
  readonly log: Log;
  readonly leadership: Leadership;
}

interface Announced {
  readonly reason: string | undefined;
  readonly accepted: string | undefined;
  readonly observedHash: string | undefined;
}

export class Reporter {
  readonly #deps: ReporterDeps;
  /** What was last announced about a claim, by ConfigMap UID or file path. */
  readonly #announced = new Map<string, Announced>();
  /** Claims whose open breaker was announced, with the revision: a probe that fails as well is no news. */
  readonly #broken = new Map<string, string | undefined>();
  /** What claims stand at by the last round, for whoever asks this process. */
  readonly #statuses = new Map<string, Status>();

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** Returns after how many milliseconds a status is left to write, if any. */
  async report(observed: Observed, plan: Plan, executed: readonly Executed[]): Promise<number | undefined> {
    const winner = observed.claims[plan.statuses[0]?.claim ?? -1];
    for (const one of executed) this.#action(observed, winner, one);
    // Refused or failed on the way: the next round knows better what the spec stands at. Or another process does.
    if (executed.some((one) => one.kind === 'waits')) return undefined;
    return this.statuses(observed.key, observed.claims, plan.statuses);
  }

  /** Writes and announces what each claim stands at. Returns after how many milliseconds one is left to write, if any. */
  async statuses(key: SpecKey, claims: readonly Claim[], statuses: readonly ClaimStatus[]): Promise<number | undefined> {
    if (!this.#deps.leadership.leading) return undefined;
    this.#meter(key, claims, statuses[0]?.status);
    const delays: (number | undefined)[] = [];
    for (const { claim: index, status } of statuses) {
      const claim = claims[index];
      if (claim) delays.push(await this.#status(key, claim, status));
    }
    return earliest(delays);
  }

  /** A Job that had not finished vanished, and its spec is still there: somebody deleted it. */
  jobVanished(key: SpecKey, job: { readonly name: string; readonly uid: string }, claims: readonly Claim[]): void {
    const source = claims[0]?.source;
    const message = `Job "${job.name}" was deleted before it had finished`;
    this.#deps.log.warn({ spec: specText(key), code: 'JobDeleted', job: job.name }, 'a Job was deleted by somebody else');
    if (source?.kind === 'configMap') this.#deps.events.emit({ configMap: source, related: job, type: reasons.JobDeleted, reason: 'JobDeleted', message });
  }

  /** Another process announced meanwhile: what it has written tells what, as after a restart. */
  startAnew(): void {
    this.#announced.clear();
    this.#broken.clear();
    this.#statuses.clear();
    this.#deps.statuses.startAnew();
  }

  forget(claim: Claim): void {
    this.#announced.delete(identityOf(claim));
    this.#broken.delete(identityOf(claim));
    this.#statuses.delete(identityOf(claim));
    if (claim.source.kind === 'configMap') this.#deps.statuses.forget(claim.source.uid);
  }

  #action(observed: Observed, winner: Claim | undefined, executed: Executed): void {
    const { action, result, message, job } = executed;
    const { meter, log } = this.#deps;
    meter.action(observed.key, action.kind, action.reason, result);
    const fields = { spec: specText(observed.key), hash: winner?.parsed.hash, action: action.kind, code: action.reason, job: job?.name, result, because: message };
    if (executed.kind !== 'done') {
      log.warn(fields, 'a change did not come through');
      return;
    }
    log.info(fields, 'changed the cluster');
    if (result === 'gone') return;
    if (action.kind === 'mark') this.#finished(observed, action);
    if (action.kind === 'mark' && action.outcome.outcome === 'succeeded' && winner) this.#broken.delete(identityOf(winner));
    if (action.kind === 'create' && observed.depth) meter.created(observed.key, (this.#deps.clock.now() - observed.depth.at) / 1000);
    if (!wasTold(observed, action)) this.#tellAction(winner, executed);
  }

  #tellAction(winner: Claim | undefined, { action, job, message }: Executed): void {
    if (winner?.source.kind !== 'configMap' || !job || !told.has(action.kind)) return;
    const reason = action.kind === 'create' ? 'JobCreated' : action.reason;
    this.#deps.events.emit({ configMap: winner.source, related: job, type: reasons[reason], reason, message: `Job "${job.name}": ${message}` });
  }

  #finished(observed: Observed, action: Extract<Executed['action'], { kind: 'mark' }>): void {
    // A verdict that differs is no second end.
    if (action.outcome.verdict !== undefined) return;
    const job = observed.jobs.find((one) => one.uid === action.job.uid);
    const starts = (job?.pods ?? []).map((pod) => pod.startedAt).filter((at) => at !== undefined);
    const startup = job && starts.length > 0 ? (Math.min(...starts) - job.createdAt) / 1000 : undefined;
    const ran = action.ran === undefined ? undefined : action.ran / 1000;
    this.#deps.meter.finished(observed.key, action.outcome.outcome, action.outcome.reason, { ran, startup });
    if (job?.message) this.#stages(job, { starts, startup, endedAt: action.endedAt });
  }

  #stages({ finished }: ObservedJob, { starts, startup, endedAt = finished?.at }: { readonly starts: readonly number[]; readonly startup: number | undefined; readonly endedAt: number | undefined }): void {
    if (startup !== undefined) this.#deps.messageMeter.stage('created_to_started', Math.max(0, startup));
    if (endedAt !== undefined && starts.length > 0) this.#deps.messageMeter.stage('started_to_finished', Math.max(0, endedAt - Math.min(...starts)) / 1000);
  }

  #meter(key: SpecKey, claims: readonly Claim[], first: Status | undefined): void {
    if (!first) return;
    const accepted = first.conditions.some((condition) => condition.type === 'Accepted' && condition.status !== 'False');
    this.#deps.meter.spec(key, { state: first.state, accepted, liveJobs: first.liveJobs ?? 0, claims: claims.length });
  }

  /** undefined: no round of this process has looked at the claim, or another process leads now. */
  statusOf(claim: Claim): Status | undefined {
    return this.#deps.leadership.leading ? this.#statuses.get(identityOf(claim)) : undefined;
  }

  async #status(key: SpecKey, claim: Claim, status: Status): Promise<number | undefined> {
    this.#statuses.set(identityOf(claim), status);
    this.#announce(key, claim, status);
    return claim.source.kind === 'configMap' ? this.#deps.statuses.write(claim.source, status) : undefined;
  }

  #announce(key: SpecKey, claim: Claim, status: Status): void {
    const before = this.#before(claim);
    if (isRecheck(before, status)) return;
    const accepted = status.conditions.find((condition) => condition.type === 'Accepted')?.status;
    this.#announced.set(identityOf(claim), { reason: status.reason, observedHash: status.observedHash, accepted: accepted === 'Unknown' ? before?.accepted : accepted });
    if (accepted === 'True' && before?.accepted !== 'True') this.#tell(key, claim, { reason: 'SpecAccepted', message: `${claim.parsed.kind ?? 'spec'} "${claim.parsed.name}" is accepted` });
    if (status.reason === before?.reason) return;
    this.#deps.log[levelOf(before, status)]({ spec: specText(key), hash: claim.parsed.hash, state: status.state, code: status.reason, because: status.message }, 'state changed');
    if (this.#isTrouble(claim, status)) this.#tell(key, claim, status);
  }

  /** Between two probes of an open breaker there is the Job of the probe. It closes with a success, another revision, or when nothing waits. */
  #isTrouble(claim: Claim, { state, reason, observedHash }: Status): boolean {
    const id = identityOf(claim);
    if (state === 'Idle') this.#broken.delete(id);
    if (reason !== 'BreakerOpen') return announced.has(reason);
    const known = this.#broken.has(id) && this.#broken.get(id) === observedHash;
    this.#broken.set(id, observedHash);
    return !known;
  }

  /** After a restart the written status says what was announced last. Kept, since it is soon written over. */
  #before(claim: Claim): Announced | undefined {
    const known = this.#announced.get(identityOf(claim));
    if (known || claim.source.kind !== 'configMap') return known;
    const found = readStatus(claim.source.writtenStatus);
    this.#announced.set(identityOf(claim), found);
    if (found.reason === 'BreakerOpen') this.#broken.set(identityOf(claim), found.observedHash);
    return found;
  }

  #tell(key: SpecKey, claim: Claim, { reason, message }: { reason: Reason; message: string }): void {
    if (claim.source.kind === 'configMap') this.#deps.events.emit({ configMap: claim.source, related: undefined, type: reasons[reason], reason, message });
    else this.#deps.log.info({ spec: specText(key), file: claim.source.path, code: reason, because: message }, 'spec file');
  }
}

function levelOf(before: Announced | undefined, { reason }: Status): 'debug' | 'info' {
  return routine.has(reason) && routine.has(before?.reason ?? '') ? 'debug' : 'info';
}

/** A check of the same revision, after a restart or a Job, is no news: what it comes to may be what was said before. */
function isRecheck(before: Announced | undefined, status: Status): boolean {
  return status.reason === 'SpecChecking' && before?.observedHash === status.observedHash;
}

/** The end of a Job that was given up on is no news: why, was told when it was. Nor is what becomes of one message after another: the log has it. */
function wasTold(observed: Observed, action: Executed['action']): boolean {
  if ('job' in action && observed.jobs.find((job) => job.uid === action.job.uid)?.message !== undefined) return true;
  if (action.kind !== 'mark' || action.outcome.outcome === 'succeeded') return false;
  return observed.jobs.find((job) => job.uid === action.job.uid)?.recorded?.phase === 'ending';
}
