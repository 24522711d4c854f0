/** What is used of the limits of the instance, over prom-client: read at each scrape, since it changes with every Job. */
import type { CapacityView } from '../../reconcile/capacity/capacity.ts';
import { metrics } from './names.ts';
import { gauge, type MetricRegistry } from './registry.ts';

/** What can be read: places by group, the empty one for all Jobs, and how many keys wait for one. */
export interface CapacityReading {
  readonly view: () => readonly CapacityView[];
  readonly waiting: number;
}

/** Returns the hook that takes what is to be read. Until then there are no series. */
export function createCapacityMeter(registry: MetricRegistry): (reading: CapacityReading) => void {
  let source: CapacityReading | undefined;
  gauge(registry, metrics.capacityUsed, (made) => {
    made.reset();
    for (const { group, used } of source?.view() ?? []) made.set({ group }, used);
  });
  gauge(registry, metrics.capacityLimit, (made) => {
    made.reset();
    for (const { group, limit } of source?.view() ?? []) if (limit !== undefined) made.set({ group }, limit);
  });
  gauge(registry, metrics.capacityWaiting, (made) => {
    if (source) made.set(source.waiting);
  });
  return (reading) => {
    source = reading;
  };
}
