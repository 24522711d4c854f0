/** What /livez and /readyz ask the engine. */
import type { Checks } from './adapters/http/health.ts';
import type { Clock } from './lib/clock.ts';

/** A watch loop that neither tried nor heard anything for this long is stuck; a silent watch is cut after 3 minutes. */
export const stuckAfter = 5 * 60_000;

export interface Checked {
  readonly synced: boolean;
  /** Per watch: monotonic time of the last attempt or byte. */
  lastContacts(): Readonly<Record<string, number>>;
}

/**
 * One check for each watch: a process whose main loop lives while one watch is dead would be blind to a part of the
 * cluster. They ask whether loops try, never whether the API server answers: an outage must not restart everybody.
 */
export function healthChecks(engine: Checked, clock: Pick<Clock, 'monotonic'>, stopping: () => boolean): { readonly liveness: Checks; readonly readiness: Checks } {
  const watch = (resource: string) => () => {
    const age = clock.monotonic() - (engine.lastContacts()[resource] ?? 0);
    return { ok: age < stuckAfter, detail: `last contact ${Math.round(age / 1000)} s ago` };
  };
  return {
    liveness: Object.fromEntries(Object.keys(engine.lastContacts()).map((resource) => [`watch-${resource}`, watch(resource)])),
    readiness: { synced: () => ({ ok: engine.synced }), running: () => ({ ok: !stopping() }) },
  };
}
