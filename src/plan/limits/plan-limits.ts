/** One round of a Limits: what it says, for whoever wrote it. What it does is done where Jobs start (plan/limits/free.ts). */
import { formatDuration } from '../../lib/duration.ts';
import type { LimitsSpec } from '../../spec/limits.ts';
import type { Plan, Status } from '../action.ts';
import { Draft, type Stand } from '../draft.ts';
import type { Claim, Observed } from '../observed.ts';
import { claimStatus, rejected, superseded } from '../status.ts';
import { sourceName, winningClaim } from '../winner.ts';

export function planLimits({ claims }: Observed, now: number): Plan {
  const draft = new Draft();
  const winner = winningClaim(claims);
  if (winner) draft.statuses.push({ claim: winner.index, status: statusOf(standOf(winner.claim), winner.claim) });
  claims.forEach((claim, index) => {
    if (!winner || index === winner.index || (claim.source.kind === 'configMap' && claim.source.deleting)) return;
    draft.statuses.push({ claim: index, status: statusOf(superseded(claim, sourceName(winner.claim)), claim) });
  });
  return draft.finish(now);
}

function statusOf(stand: Stand, claim: Claim): Status {
  return claimStatus(stand, claim, { last: undefined, verdict: undefined });
}

function standOf({ parsed: { spec, problems } }: Claim): Stand {
  if (spec?.kind !== 'Limits') return broken(rejected(problems));
  if (spec.suspend) return { state: 'Suspended', reason: 'InstanceSuspended', message: 'suspend is true: nothing starts in the whole instance' };
  return { state: 'Idle', reason: 'LimitsInForce', message: textOf(spec) };
}

function broken(stand: Stand): Stand {
  return { ...stand, message: `${stand.message}; until this is mended, nothing starts in the whole instance` };
}

/** How much is used moves all the time: metrics show it. */
function textOf({ maxJobs, groups, startRate }: LimitsSpec): string {
  const shown = [...groups].slice(0, 10).map(([name, max]) => `${name} ${max}`);
  const parts = [
    ...(maxJobs === undefined ? [] : [`at most ${maxJobs} live ${maxJobs === 1 ? 'Job' : 'Jobs'}`]),
    ...(shown.length === 0 ? [] : [`groups: ${shown.join(', ')}${groups.size > shown.length ? ` and ${groups.size - shown.length} more` : ''}`]),
    ...(startRate === undefined ? [] : [`at most ${startRate.starts} new in ${formatDuration(startRate.within)}`]),
  ];
  return parts.length === 0 ? 'bounds nothing' : parts.join('; ');
}
