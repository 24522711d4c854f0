/**
 * An attempt that the state does not tell of. Whoever made it could not write it down before it died, and the Job of the
 * attempt before was deleted meanwhile: by the state alone that one would be made again, beside the one that lives.
 */
import type { RunDraft } from './draft.ts';
import { isApproval, isSubRun, type Line, type Site } from './line.ts';
import { nameOf } from './make.ts';
import type { Attempt } from './state.ts';
import { endedAs } from './step-reason.ts';

/** The attempt after the last, where that is open, nothing shows its Job, and the Job after it is there. */
export function followerOf(draft: RunDraft, site: Site, { attempts }: Line): Attempt | undefined {
  const last = attempts.at(-1);
  if (!last || last.outcome !== undefined || isApproval(site) || isSubRun(site) || draft.job(last.job)) return undefined;
  const job = draft.job(nameOf(draft, site, attempts.length + 1));
  return job && { job: job.name, at: job.createdAt, seen: true };
}

/** How the one before came out nobody can tell any more. */
export function overtaken(attempt: Attempt, now: number): Attempt {
  return endedAs(attempt, now, { outcome: 'errored', reason: 'JobDeleted', message: `Job "${attempt.job}" is gone, and the attempt after it was made` });
}
