/** Documents whose kind does not exist: each is told so, nothing else happens. */
import type { Plan } from './action.ts';
import { Draft } from './draft.ts';
import type { Observed } from './observed.ts';
import { queueStatus, rejected } from './status.ts';

export function planUnknown(observed: Observed, now: number): Plan {
  const draft = new Draft();
  observed.claims.forEach((claim, index) => draft.statuses.push({ claim: index, status: queueStatus(rejected(claim.parsed.problems), claim, observed) }));
  return draft.finish(now);
}
