/** A run that job-chief starts by itself: its request, and what it keeps of the spec. */
import type { Retention, RetentionRule } from '../../spec/common.ts';
import type { RunRequest } from '../run/record.ts';
import type { CreateRun, FrozenSpec } from './action.ts';
import type { WorkflowRound } from './round.ts';

/** Needs no queueing: it is created with the text that it runs. */
export function createRun(round: WorkflowRound, name: string, request: Pick<RunRequest, 'trigger' | 'specHash' | 'source' | 'scheduledAt'>, because: string): CreateRun {
  const { spec } = round;
  return { kind: 'createRun', reason: 'RunDue', because, name, request: { workflow: spec.name, ...request, retention: retentionNote(spec.retention) }, parameters: {}, frozen: frozen(round, true) };
}

/**
 * `owned`: the spec's ConfigMap takes the run along when it is deleted. A run that somebody asked for is owned by nothing
 * in git, for accepted work survives the deletion of its workflow; a sub-run is owned by its parent already.
 */
export function frozen({ spec, winner, index }: WorkflowRound, owned: boolean): FrozenSpec {
  const { source } = winner;
  const owner = owned && source.kind === 'configMap' && spec.onSpecDelete === 'delete' ? { name: source.name, uid: source.uid } : undefined;
  return { claim: index, owner };
}

/** What is needed of retention after the spec is gone. */
export function retentionNote({ succeeded, failed, beforeDelete }: Retention): NonNullable<RunRequest['retention']> {
  return { succeeded: ruleNote(succeeded), failed: ruleNote(failed), ...(beforeDelete && { beforeDelete }) };
}

/** What is not bounded is absent. */
function ruleNote({ count, age }: RetentionRule): { count?: number; age?: number } {
  return { ...(count === undefined ? {} : { count }), ...(age === undefined ? {} : { age }) };
}
