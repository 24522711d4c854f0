/** Work queue metrics under client-go's names, so that dashboards made for other controllers show job-chief too. */
import type { WorkQueueMeter } from '../../reconcile/meter.ts';
import { metrics } from './names.ts';
import { counter, gauge, histogram, type MetricRegistry } from './registry.ts';

const labels = { name: 'job-chief' } as const;

export function createWorkQueueMeter(registry: MetricRegistry): WorkQueueMeter {
  let readUnfinished = (): readonly number[] => [];
  const depth = gauge(registry, metrics.queueDepth);
  const adds = counter(registry, metrics.queueAdds);
  const retries = counter(registry, metrics.queueRetries);
  const wait = histogram(registry, metrics.queueWait);
  const work = histogram(registry, metrics.queueWork);
  gauge(registry, metrics.queueUnfinished, (made) => made.set(labels, readUnfinished().reduce((sum, seconds) => sum + seconds, 0)));
  gauge(registry, metrics.queueLongest, (made) => made.set(labels, Math.max(0, ...readUnfinished())));
  depth.set(labels, 0);
  adds.inc(labels, 0);
  retries.inc(labels, 0);
  return {
    depth: (size) => depth.set(labels, size),
    added: () => adds.inc(labels),
    retried: () => retries.inc(labels),
    waited: (seconds) => wait.observe(labels, seconds),
    worked: (seconds) => work.observe(labels, seconds),
    unfinished: (read) => {
      readUnfinished = read;
    },
  };
}
