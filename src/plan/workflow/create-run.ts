/** A run that job-chief starts by itself: its request, and what it keeps of the spec. */
import type { RetentionRule } from '../../spec/common.ts';
import type { RunRequest } from '../run/record.ts';
import type { CreateRun, FrozenSpec } from './action.ts';
import type { WorkflowRound } from './round.ts';

/** Needs no queueing: it is created with the text that it runs. */
export function createRun(round: WorkflowRound, name: string, request: Pick<RunRequest, 'trigger' | 'specHash' | 'source' | 'scheduledAt'>, because: string): CreateRun {
  const { spec } = round;
  const retention = { succeeded: ruleNote(spec.retention.succeeded), failed: ruleNote(spec.retention.failed) };
  return { kind: 'createRun', reason: 'RunDue', because, name, request: { workflow: spec.name, ...request, retention }, parameters: {}, frozen: frozen(round, true) };
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

/** What is not bounded is absent. */
export function ruleNote({ count, age }: RetentionRule): { count?: number; age?: number } {
  return { ...(count === undefined ? {} : { count }), ...(age === undefined ? {} : { age }) };
}
