/**
 * Whoever is to be told before something goes is told first: at least once, and until then it stays. Calls take their time
 * and may fail for days, so a plan asks for them and looks at what has come of them, as it does with all that is outside.
 */
import { growingPause } from '../lib/growing-pause.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BeforeDelete } from '../spec/common.ts';
import type { CallDemand } from './action.ts';
import { earliest } from './give-up.ts';
import type { Calls, CallState } from './observed.ts';

/** Calls for one spec at once: deletions are in no hurry. */
const width = 8;
const firstPause = 1000;
const longestPause = 10 * 60_000;

/** What is due to go. */
export interface Due<T> {
  readonly item: T;
  readonly uid: string;
  /** What the call says of it. */
  readonly body: JsonObject;
}

/** What may be deleted now, and what keeps the rest. */
export interface Told<T> {
  readonly gone: readonly T[];
  /** How many stay because the last call for them failed, and why the last one did. */
  readonly failing: { readonly count: number; readonly message: string } | undefined;
}

interface View {
  readonly hook: BeforeDelete | undefined;
  readonly calls: Calls;
  readonly now: number;
}

/** Asks for the calls that are due. Without anybody to tell all may go. */
export function tellBefore<T>(draft: { demand(demand: CallDemand): void; wake(at: number | undefined): void }, due: readonly Due<T>[], { hook, calls, now }: View): Told<T> {
  if (!hook) return { gone: due.map(({ item }) => item), failing: undefined };
  const found = due.map((one) => ({ ...one, state: calls.get(one.uid) }));
  let room = width - found.filter(({ state }) => state?.kind === 'underWay').length;
  for (const { uid, body, state } of found) {
    const start = isDue(state, now) && room > 0;
    if (start) room -= 1;
    // Also of those that are told already: what nobody demands any more is forgotten.
    draft.demand({ kind: 'call', id: uid, ...hook, body, start });
  }
  draft.wake(earliest(found.map(({ state }) => (state?.kind === 'failed' ? retryAt(state) : undefined)).filter((at) => at === undefined || at > now)));
  return { gone: found.filter(({ state }) => state?.kind === 'accepted').map(({ item }) => item), failing: failingOf(found.map(({ state }) => state)) };
}

function isDue(state: CallState | undefined, now: number): boolean {
  return state === undefined || (state.kind === 'failed' && now >= retryAt(state));
}

function retryAt({ at, count }: Extract<CallState, { kind: 'failed' }>): number {
  return at + growingPause(count, firstPause, longestPause);
}

function failingOf(states: readonly (CallState | undefined)[]): Told<never>['failing'] {
  const failed = states.flatMap((state) => (state?.kind === 'failed' ? [state] : []));
  const [last] = [...failed].sort((left, right) => right.at - left.at);
  return last && { count: failed.length, message: last.message };
}
