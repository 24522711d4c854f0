/** Which of the runs that wait may start: as many at once as concurrency.max says, by priority and age. */
import { priorityOf } from '../limits/priority.ts';
import type { ObservedRecord } from '../run/record.ts';
import { frozen } from './create-run.ts';
import { isActive, isReadable, recordRef, type ReadableRecord } from './records.ts';
import type { Candidate, WorkflowDraft, WorkflowRound } from './round.ts';

export interface Queue {
  readonly ready: readonly Candidate[];
  /** Requests that the workflow's trigger does not take. */
  readonly refused: readonly ReadableRecord[];
}

/** Queued runs. One that somebody has cancelled or suspended meanwhile does not start. */
export function queueOf(round: WorkflowRound): Queue {
  const { records } = round.observed;
  const queued = records.filter(isQueued);
  const ready = queued.filter((record) => isTaken(record, round));
  // Thousands may wait.
  const names = new Set(ready.length === 0 ? [] : records.map(({ name }) => name));
  return { ready: ready.map((record) => candidate(record, round, names)), refused: queued.filter((record) => !isTaken(record, round)) };
}

/** Waits for its turn. */
export function isQueued(record: ObservedRecord): record is ReadableRecord {
  return isReadable(record) && record.phase === 'Queued' && !record.deleting && record.commands.cancel === undefined && !record.commands.suspend;
}

/** A step of another run, and whoever repeats a run that there was, needs no trigger. */
function isTaken({ request }: ReadableRecord, { spec }: WorkflowRound): boolean {
  const asked = request.trigger === 'request' || request.trigger === 'message';
  return !asked || request.rerunOf !== undefined || spec.trigger.onRequest;
}

/** `names`: of all records of the workflow. */
function candidate(record: ReadableRecord, round: WorkflowRound, names: ReadonlySet<string>): Candidate {
  const { name, request, createdAt } = record;
  const because = request.parent ? `run "${request.parent.run}" waits for it in step "${request.parent.step}"` : 'its turn has come';
  return {
    name,
    what: `run "${name}"`,
    priority: priorityOf(round.spec, request),
    since: createdAt,
    needsRoom: !waitsWithin(record, names),
    start: () => ({ action: { kind: 'admitRun', reason: 'RunStarted', because, record: recordRef(record), frozen: frozen(round, false) }, missed: [] }),
  };
}

/**
 * A run of this workflow waits for it, itself or through runs of others: were it to wait for a place, both would wait for
 * ever. The record of a parent is among ours exactly when it runs the same workflow; further up its request tells.
 */
function waitsWithin({ request }: ReadableRecord, names: ReadonlySet<string>): boolean {
  const { parent } = request;
  if (request.trigger !== 'step' || !parent) return false;
  return (request.workflow !== undefined && parent.within?.includes(request.workflow) === true) || names.has(parent.run);
}

export interface Admitted {
  readonly started: readonly Candidate[];
  readonly waiting: readonly Candidate[];
}

/** Starts what there is room for. Names that were asked for and are not in view yet have their place. */
export function admit(draft: WorkflowDraft, round: WorkflowRound, candidates: readonly Candidate[]): Admitted {
  const { observed, spec } = round;
  const started: Candidate[] = [];
  const waiting: Candidate[] = [];
  let room = spec.concurrency.max - observed.records.filter(isActive).length - unseen(round).length;
  for (const candidate of [...candidates].sort(byTurn)) {
    if (candidate.needsRoom && room <= 0) {
      waiting.push(candidate);
      continue;
    }
    room -= 1;
    started.push(candidate);
    const { action, missed } = candidate.start();
    draft.act(action);
    draft.missed.push(...missed);
  }
  return { started, waiting };
}

function byTurn(left: Candidate, right: Candidate): number {
  // Not by difference: that of two infinities is no number.
  const waits = left.since === right.since ? 0 : left.since < right.since ? -1 : 1;
  return right.priority - left.priority || waits || (left.name < right.name ? -1 : 1);
}

/** Names that were asked for and that the cache does not show yet. */
export function unseen({ observed }: Pick<WorkflowRound, 'observed'>): string[] {
  return [...observed.reservations].filter((name) => !observed.records.some((record) => record.name === name));
}
