/** What the resources of the API share. */
import type { Clock } from '../../../lib/clock.ts';
import type { ApiLimits, ApiRuns, ApiSpecs, QueueStats, RunLogs } from '../../../reconcile/api-ports.ts';
import type { MessageBook } from '../../../reconcile/messages/history-ports.ts';
import type { ReadResult } from '../../../reconcile/ports.ts';
import { ApiProblem } from './problem.ts';

export interface ApiDeps {
  readonly instance: string;
  readonly clock: Clock;
  readonly random: () => string;
  readonly specs: ApiSpecs;
  readonly runs: ApiRuns;
  readonly limits: ApiLimits;
  readonly logs: RunLogs;
  readonly queues: QueueStats;
  readonly messages: MessageBook;
  /** What callers put before paths of ours, without a slash at its end; empty: paths are answered as they are. */
  readonly publicUrl: string;
}

/** Seconds after which it is worth another try. */
export const soon = 5;

/** Throws 503 while caches are being filled: what is missing there may exist. */
export function requireSpecs({ specs }: Pick<ApiDeps, 'specs'>): void {
  if (!specs.synced) throw new ApiProblem(503, 'NotReady', 'this replica has not read the specs yet', { retryAfter: soon });
}

/** The same for records; 501 where the installation keeps none. */
export function requireRecords({ runs }: Pick<ApiDeps, 'runs'>): void {
  const { problem, synced } = runs.cache;
  if (problem?.reason === 'RecordsOff') throw new ApiProblem(501, 'RecordsOff', `this installation keeps no records of runs: ${problem.message}`);
  if (problem?.reason === 'Forbidden') throw new ApiProblem(503, 'Missing', problem.message, { retryAfter: 60 });
  if (!synced) throw new ApiProblem(503, 'NotReady', problem?.message ?? 'this replica has not read the records of runs yet', { retryAfter: soon });
}

/** What a live read found; throws 503 where the API server did not say. */
export function found<Value>(read: ReadResult<Value>): Value | undefined {
  if (read.kind === 'failed') throw read.forbidden ? new ApiProblem(503, 'Missing', read.message, { retryAfter: 60 }) : new ApiProblem(503, 'ApiServer', `the API server does not answer: ${read.message}`, { retryAfter: soon });
  return read.kind === 'found' ? read.value : undefined;
}

/** Of a name that no record of this instance has. */
export function unknownRun(name: string): ApiProblem {
  return new ApiProblem(404, 'UnknownRun', `there is no run "${name}"`);
}
