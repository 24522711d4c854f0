/** The timeout of a step, which may be a reference. */
import { parseDuration } from '../../lib/duration.ts';
import { shown } from '../../lib/show.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import type { RunDraft } from './draft.ts';
import { Resolver, type Resolved } from './lookup.ts';

export type TimeLimit = { readonly kind: 'none' } | { readonly kind: 'limit'; readonly milliseconds: number } | Exclude<Resolved<never>, { kind: 'value' }>;

/** `resolver`: the one that reads the rest of the step, so that what the limit depends on is known with it. */
export function timeLimit(draft: RunDraft, step: StepSpec, resolver = new Resolver(draft)): TimeLimit {
  const { timeout } = step;
  if (timeout === undefined) return { kind: 'none' };
  if (typeof timeout === 'number') return { kind: 'limit', milliseconds: timeout };
  const resolved = resolver.resolve(timeout, 'text');
  if (resolved.kind !== 'value') return resolved;
  const milliseconds = typeof resolved.value === 'string' ? parseDuration(resolved.value) : undefined;
  if (milliseconds !== undefined && milliseconds > 0) return { kind: 'limit', milliseconds };
  return { kind: 'problem', reason: 'ReferenceInvalid', message: `timeout: ${shown(resolved.value)} is no duration such as "90s", "1h30m" or "7d"` };
}
