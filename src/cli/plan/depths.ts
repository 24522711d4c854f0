/** Queues asked how many messages wait, by the connections of the controller's configuration. */
import { systemClock } from '../../lib/clock.ts';
import type { Log } from '../../reconcile/ports.ts';
import { Connections } from '../../adapters/queues/connections.ts';
import { openSources } from '../../adapters/queues/sources.ts';
import { loadConfig } from '../../config/load.ts';
import type { PlanDeps } from './plan-files.ts';

export interface QueueDepths {
  readonly depth: NonNullable<PlanDeps['depth']>;
  readonly close: () => Promise<void>;
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Milliseconds that one answer may take. */
const patience = 15_000;

/** Throws a ConfigError where the configuration cannot be used. `file` absent: the one that the environment names. */
export async function queueDepths(file: string | undefined): Promise<QueueDepths> {
  const clock = systemClock;
  const { config } = loadConfig({ env: process.env, file });
  const connections = new Connections({ definitions: config.connections, clock, log: silent });
  await connections.load();
  const sources = openSources({ connections, clock, log: silent, onWake: () => undefined });
  return { depth: (demand) => sources.probe.depth(demand, AbortSignal.timeout(patience)), close: () => sources.close() };
}
