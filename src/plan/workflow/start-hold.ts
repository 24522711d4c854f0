/** What would keep a run that is asked for now from starting at once: for whoever asks, before any round has looked at it. */
import { priorityOf } from '../limits/priority.ts';
import type { Shortage } from '../limits/room.ts';
import type { Reason } from '../reason.ts';
import type { ObservedRecord, RunRequest } from '../run/record.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { isQueued } from './admission.ts';
import { isActive } from './records.ts';

export interface Hold {
  readonly reason: Reason;
  readonly message: string;
}

/** What is looked at for one request. */
export interface AskedRun {
  readonly spec: WorkflowSpec;
  /** Name of the run, and what asks for it. */
  readonly name: string;
  readonly request: RunRequest;
  /** Of the workflow or template, as far as they are in view; the run itself may be among them. */
  readonly records: readonly ObservedRecord[];
  /** What keeps another Job of its group from starting. */
  readonly shortage: Shortage | undefined;
  /** What is said of this text by whoever asked the API server about it; undefined: nothing that holds it up. */
  readonly refused: Hold | undefined;
}

/**
 * In the order in which a round looks: the spec, the instance, the templates, the other runs of the spec, and last the
 * places, for which its first Job waits. undefined: nothing that is known here.
 */
export function startHold(asked: AskedRun): Hold | undefined {
  const { spec, name, records, shortage, refused } = asked;
  const own = records.find((record) => record.name === name);
  // It was asked for before, with the same key.
  if (own && !isQueued(own)) return undefined;
  if (spec.suspend) return { reason: 'SpecSuspended', message: 'suspend is true: no runs are started' };
  if (spec.observe) return { reason: 'SpecObserved', message: 'observe is true: no runs are started' };
  const short = shortage && { reason: shortage.reason, message: shortage.message };
  if (shortage && shortage.state !== 'Waiting') return short;
  return refused ?? queuedBehind(asked) ?? short;
}

/** Runs that have begun take a place of concurrency.max, and those that wait with no smaller priority get theirs before. */
function queuedBehind({ spec, name, request, records }: AskedRun): Hold | undefined {
  const { max } = spec.concurrency;
  const active = records.filter(isActive).length;
  const before = records.filter((record) => record.name !== name && isQueued(record) && priorityOf(spec, record.request) >= priorityOf(spec, request)).length;
  if (active + before < max) return undefined;
  const waiting = before === 0 ? '' : `; ${before} ${before === 1 ? 'waits' : 'wait'} before it`;
  return { reason: 'RunQueued', message: `${active} of ${max} ${max === 1 ? 'run has' : 'runs have'} begun and ${active === 1 ? 'is' : 'are'} not over${waiting}` };
}
