/** From what was read to what plans take: the same observations that the controller makes, without what only it remembers. */
import { labelValue } from '../../lib/label-value.ts';
import type { Room } from '../../plan/limits/room.ts';
import { noMessages } from '../../plan/messages/view.ts';
import type { Claim, Observed, SpecKey } from '../../plan/observed.ts';
import type { ObservedRun } from '../../plan/run/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { RunState } from '../../plan/run/state.ts';
import { winningClaim } from '../../plan/winner.ts';
import type { ObservedWorkflow } from '../../plan/workflow/observed.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import { isRunnable, type Spec } from '../../spec/parsed.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { refusalIn, verdictIn, type ControllerWord } from './controller-word.ts';
import type { LiveCluster } from './live-cluster.ts';

const nothing: ReadonlyMap<string, string> = new Map();

/** What would be asked for in its name. */
function roomFor({ capacity }: LiveCluster, key: SpecKey, spec: Spec | undefined, target: SpecKey = key): Room {
  const group = spec && 'concurrency' in spec ? spec.concurrency.group : undefined;
  return capacity.room({ key, group, priority: 0, holder: `${target.kind} ${target.name}` });
}

/** Nothing is known of the queue's depth. `word`: of the claim that wins. */
export function observeQueue(live: LiveCluster, key: SpecKey, claims: readonly Claim[], word: ControllerWord | undefined): Observed {
  const { hash = '', spec } = winningClaim(claims)?.claim.parsed ?? {};
  return {
    key,
    claims,
    room: roomFor(live, key, spec),
    jobs: live.cluster.jobs(key),
    orphans: live.cluster.orphans(key),
    reservations: [],
    depth: undefined,
    verdict: verdictIn(word, hash, live.now),
    refusal: refusalIn(word, hash, live.now),
    explanations: nothing,
    ...runsOfMessages(live, key, spec),
  };
}

/** What the messages of a Queue start runs of, and those that there are. Of its leases nobody else knows. */
function runsOfMessages({ records, specs }: LiveCluster, queue: SpecKey, spec: Spec | undefined): Pick<Observed, 'messages'> {
  const runs = records.filter(({ request }) => request?.queue !== undefined && queue.kind === 'queue' && labelValue(request.queue) === queue.name);
  const run = spec?.kind === 'Queue' && spec.mode !== 'drain' ? spec.run : undefined;
  if (!run) return runs.length === 0 ? {} : { messages: { ...noMessages, runs } };
  const claims = specs.filter(({ key }) => key.kind === run.target.kind && key.name === labelValue(run.target.name)).map(({ claim }) => claim);
  return { messages: { ...noMessages, runs, target: winningClaim(claims)?.claim.parsed } };
}

/** Of a workflow, or of whatever else has runs. */
export function observeWorkflow(live: LiveCluster, key: SpecKey, claims: readonly Claim[], word: ControllerWord | undefined): ObservedWorkflow {
  const { hash = '', spec } = winningClaim(claims)?.claim.parsed ?? {};
  return {
    key,
    claims,
    halt: live.capacity.halt(isRunnable(spec) ? spec.concurrency.group : undefined),
    records: live.records.filter(({ target }) => target.kind === key.kind && target.name === key.name),
    recordsUnknown: undefined,
    reservations: new Set(),
    verdict: verdictIn(word, hash, live.now),
    refusal: refusalIn(word, hash, live.now),
    unread: false,
    since: live.now,
  };
}

export interface RunInView {
  readonly stored: StoredRecord;
  /** As the run started with it. */
  readonly spec: WorkflowSpec;
  /** Of the run that it repeats. */
  readonly earlier: RunState | undefined;
  readonly explanations?: ReadonlyMap<string, string>;
}

/** A run that has begun. */
export function observeRun(live: LiveCluster, { stored, spec, earlier, explanations = nothing }: RunInView): ObservedRun {
  const { record, parameters, state } = stored;
  const key: SpecKey = { kind: 'run', name: record.name };
  const mine = live.records.filter(({ request }) => request?.parent?.run === record.name && request.parent.uid === record.uid);
  return {
    record,
    spec,
    parameters,
    state: typeof state === 'object' ? state : { startedAt: live.now, steps: {}, undo: {} },
    jobs: new Map(live.cluster.jobs(key).filter(({ ownerUid }) => ownerUid === undefined || ownerUid === record.uid).map((job) => [job.name, job])),
    orphans: live.cluster.orphans(key),
    reservations: new Map(),
    confirmed: new Set(),
    absent: new Set(),
    refusals: new Map(),
    children: new Map(mine.map((child) => [child.name, child])),
    earlier,
    specGone: isSpecGone(live, record, spec),
    room: roomFor(live, key, spec, record.target),
    explanations,
  };
}

/** As the controller sees it: a run that git asked for ends with what defines it. */
function isSpecGone({ specs }: LiveCluster, { request, target }: ObservedRecord, { onSpecDelete }: WorkflowSpec): boolean {
  if (onSpecDelete !== 'delete' || (request?.trigger !== 'change' && request?.trigger !== 'schedule')) return false;
  const claims = specs.filter(({ key }) => key.kind === target.kind && key.name === target.name);
  return claims.every(({ claim: { source } }) => source.kind === 'configMap' && source.deleting);
}
