/** What follows an attempt that did not succeed. */
import type { RunDraft } from './draft.ts';
import { isApproval, retryOf, templateOf, type Line, type Site } from './line.ts';
import { resolvedTemplate, resolverFor } from './make.ts';
import { retryAfter, type Retry } from './retry.ts';

/** After the last attempt of the line has ended. Nobody is asked twice for an approval, and what was refused or cancelled stays so. */
export function nextAttempt(draft: RunDraft, site: Site, line: Line): Retry {
  const outcome = line.attempts.at(-1)?.outcome;
  if (outcome === 'refused' || outcome === 'cancelled' || isApproval(site)) return { kind: 'over' };
  const retry = retryOf(site);
  if (retry.attempts <= line.attempts.length) return { kind: 'over' };
  // Only the rule for memory looks into the template, where the limit may be a reference.
  const resolved = retry.onOOM ? resolvedTemplate(site, resolverFor(draft, site)) : undefined;
  return retryAfter(retry, line.attempts, resolved?.kind === 'value' ? resolved.value : templateOf(site).template);
}
