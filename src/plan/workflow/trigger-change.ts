/** Trigger onChange: one run for each revision of the spec. */
import { priorityOf } from '../limits/priority.ts';
import type { Claim } from '../observed.ts';
import { createRun } from './create-run.ts';
import { changeName, isActive, newestChange, runsText } from './records.ts';
import { noWish, type Candidate, type Wish, type WorkflowRound } from './round.ts';

/**
 * A run is due while the newest change run had another text, or stood in another ConfigMap or file. Only that one is
 * compared: going back to an earlier text is a change, too. Of several changes while a run waits, only the last counts.
 */
export function changeWish(round: WorkflowRound): Wish {
  const due = dueChange(round);
  if (!due) return noWish;
  const older = round.spec.onSpecChange === 'replace' ? round.observed.records.filter(isActive).filter(({ request }) => request.trigger === 'change') : [];
  if (older.length > 0) {
    const waits = { reason: 'RunReplaced', message: `the run of this revision waits for ${runsText(older)}, which it replaces, to end` } as const;
    return { cancel: older.filter(({ commands }) => commands.cancel === undefined), start: undefined, waits };
  }
  const start: Candidate['start'] = () => ({ action: createRun(round, due.name, { trigger: 'change', ...due.revision }, due.because), missed: [] });
  return { ...noWish, start: { name: due.name, what: 'the run of this revision', priority: priorityOf(round.spec), since: -Infinity, needsRoom: true, start } };
}

interface DueChange {
  readonly name: string;
  readonly revision: { readonly specHash: string; readonly source: string };
  readonly because: string;
}

/** What the winning text is to be run as; undefined where it has been, or is not to be. */
export function dueChange({ observed, environment, spec, winner }: WorkflowRound): DueChange | undefined {
  const newest = newestChange(observed.records, environment.instance);
  const revision = { specHash: spec.hash, source: sourceId(winner) };
  const isSame = newest?.request.specHash === revision.specHash && newest.request.source === revision.source;
  if (!spec.trigger.onChange || isSame) return undefined;
  const name = changeName(environment.instance, newest?.name ?? '', { workflow: spec.name, ...revision });
  // It exists, but what it was made for cannot be read any more: the name says it.
  if (observed.records.some((record) => record.name === name)) return undefined;
  return { name, revision, because: newest ? `the workflow has changed since run "${newest.name}"` : 'the workflow runs when it changes, and has not run yet' };
}

/** A ConfigMap that was deleted and created again is another one; a file is its path. */
function sourceId({ source }: Claim): string {
  return source.kind === 'configMap' ? source.uid : source.path;
}
