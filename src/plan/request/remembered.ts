/**
 * What the status of a Run says about a run whose record is gone. Retention keeps the record for as long as its Run is
 * there, so that only somebody's hand deletes it: even then nothing runs twice, unless the status was taken away as well.
 */
import { isObject, parseJson, stringAt } from '../../lib/json.ts';
import type { RequestedRun, State } from '../action.ts';
import type { Claim } from '../observed.ts';

export interface Remembered {
  readonly state: State;
  readonly message: string;
  readonly run: RequestedRun;
}

const ends: readonly State[] = ['Succeeded', 'Failed', 'Cancelled'];
const endOf: Readonly<Partial<Record<string, State>>> = { succeeded: 'Succeeded', failed: 'Failed', cancelled: 'Cancelled' };

/** `name`: of the record that is gone. undefined: the status tells of no such run. */
export function rememberedRun({ source }: Claim, name: string): Remembered | undefined {
  const status = source.kind === 'configMap' ? parseJson(source.writtenStatus) : undefined;
  const run = isObject(status) ? status['run'] : undefined;
  if (!isObject(status) || !isObject(run) || stringAt(run, 'name') !== name) return undefined;
  // The status may have told of something else since, such as records that cannot be read.
  const state = endOf[stringAt(run, 'outcome') ?? ''] ?? ends.find((end) => end === stringAt(status, 'state'));
  return { state: state ?? 'Failed', message: `the record of run "${name}" was deleted${state === undefined ? ' before the run had ended' : `; it ${words[state] ?? ''}`}`, run: run as unknown as RequestedRun };
}

const words: Readonly<Partial<Record<State, string>>> = { Succeeded: 'succeeded', Failed: 'failed', Cancelled: 'was cancelled' };
