/** What a queue stands at while it waits: after outcomes, after refused creates, after Jobs that somebody deleted. */
import { growingPause } from '../lib/growing-pause.ts';
import type { Stand } from './draft.ts';
import { isoTime } from './iso-time.ts';
import type { Observed, Refusal } from './observed.ts';
import type { Wait } from './wait.ts';

const refusalReasons = { quota: 'QuotaExceeded', forbidden: 'Forbidden', refused: 'CreateRefused', denied: 'PolicyDenied', taken: 'JobNameTaken' } as const;

/** After a create that was refused, in the words of whoever refused it. */
export function refusedStand(refusal: Refusal): Stand {
  return { state: 'Blocked', reason: refusalReasons[refusal.kind], message: refusal.message };
}

const waitReasons = { succeeded: 'WaitAfterSucceeded', failed: 'WaitAfterFailed', notStarted: 'WaitAfterNotStarted', refused: 'WaitAfterRefused' } as const;
const outcomeWords = { succeeded: 'succeeded', failed: 'failed', notStarted: 'did not start', refused: 'was refused' } as const;

/** After outcomes: how many of a kind in a row, and until when. */
export function waitStand(wait: Wait): Stand {
  const until = isoTime(wait.until);
  const times = wait.streak === 1 ? 'the last Job' : `${wait.streak} Jobs in a row`;
  if (wait.breakerOpen) return { state: 'Blocked', reason: 'BreakerOpen', message: `${times} ${outcomeWords[wait.class]}; the next probe starts at ${until}` };
  return { state: 'Waiting', reason: waitReasons[wait.class], message: `${times} ${outcomeWords[wait.class]}; the queue is looked at again at ${until}` };
}

/** Somebody, or something, deletes our Jobs: each time we wait longer before we start another. */
export function afterDeletion(draft: { wake(at: number): void }, { vanished }: Pick<Observed, 'vanished'>, now: number): Stand | undefined {
  if (!vanished) return undefined;
  const until = vanished.at + growingPause(vanished.count, 1000, 60_000);
  if (now >= until) return undefined;
  draft.wake(until);
  return { state: 'Waiting', reason: 'JobDeleted', message: `${vanished.count === 1 ? 'a Job was' : `${vanished.count} Jobs in a row were`} deleted before they had finished; the queue is looked at again at ${isoTime(until)}` };
}
