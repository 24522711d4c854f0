/** What the engine tells and asks, and a command for one run does not need. */
import type { EngineOptions } from '../../engine.ts';

const nothing = (): void => undefined;

/** No metrics, no queues. */
export const quiet: Pick<EngineOptions, 'meter' | 'runMeter' | 'workQueueMeter' | 'clientMeter' | 'watchMeter' | 'probe' | 'wakes'> = {
  meter: { round: nothing, action: nothing, finished: nothing, spec: nothing, depth: nothing, created: nothing, forget: nothing },
  runMeter: { active: nothing, finished: nothing, step: nothing, edge: nothing, missed: nothing, recordWrite: nothing, forget: nothing },
  workQueueMeter: { depth: nothing, added: nothing, retried: nothing, waited: nothing, worked: nothing, unfinished: nothing },
  clientMeter: { request: nothing, watch: nothing, retry: nothing },
  watchMeter: () => ({ contact: nothing, event: nothing, relist: nothing, poison: nothing, size: nothing }),
  probe: { depth: () => Promise.resolve({ kind: 'unknown', reason: 'ConnectionUnknown', message: 'a standalone run has no queues' }) },
  wakes: { interest: () => nothing },
};
