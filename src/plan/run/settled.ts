/** Which of what a run started needs nobody any more: how it came out is written down. */
import type { RunState } from './state.ts';

/** Names of Jobs and sub-runs whose attempts have an outcome. */
export function settledNames({ steps, undo }: RunState): ReadonlySet<string> {
  const attempts = [...Object.values(steps), ...Object.values(undo)].flatMap((state) => [...(state.attempts ?? []), ...(state.items ?? []).flatMap((item) => item.attempts)]);
  return new Set(attempts.flatMap(({ job, outcome }) => (outcome === undefined ? [] : [job])));
}
