/** When rounds that decide by records look again because records cannot be read yet. */
import type { RecordsProblem } from '../../plan/workflow/observed.ts';
import type { RecordCache } from '../record-ports.ts';

/** At once after a start, less often where they cannot be read. */
const unsyncedPause = 250;
const problemPause = 10_000;

/** Milliseconds; undefined: a round may decide. A moment after the start there are no news for the status. */
export function untilRecords({ synced, problem }: RecordCache): number | undefined {
  return synced || problem ? undefined : unsyncedPause;
}

/** Milliseconds after a round that saw a problem which may pass. */
export function afterProblem(problem: RecordsProblem | undefined): number | undefined {
  return problem && problem.reason !== 'RecordsOff' ? problemPause : undefined;
}
