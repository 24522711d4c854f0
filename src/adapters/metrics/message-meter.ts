/** What is counted about messages, over prom-client. Series of a queue start at zero with it and go with it. */
import type { SpecKey } from '../../plan/observed.ts';
import { messageResults, type MessageMeter } from '../../reconcile/meter.ts';
import { metrics } from './names.ts';
import { counter, gauge, histogram, type MetricRegistry } from './registry.ts';

export function createMessageMeter(registry: MetricRegistry): MessageMeter {
  const messages = counter(registry, metrics.messages);
  const inHand = gauge(registry, metrics.messagesInHand);
  const oldest = gauge(registry, metrics.messagesOldest);
  const stages = histogram(registry, metrics.messageStage);
  const batches = histogram(registry, metrics.batchMessages);
  const known = new Set<string>();
  // A rate over the first loss must not be lost.
  const labelsOf = ({ kind, name }: SpecKey): { kind: string; name: string } => {
    const labels = { kind, name };
    if (known.has(name)) return labels;
    known.add(name);
    inHand.set(labels, 0);
    for (const result of messageResults) messages.inc({ ...labels, result }, 0);
    return labels;
  };
  return {
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    message: (queue, result) => messages.inc({ ...labelsOf(queue), result }),
    batch: (count) => batches.observe(count),
    inHand: (queue, count) => inHand.set(labelsOf(queue), count),
    oldest: (queue, seconds) => {
      const labels = labelsOf(queue);
      if (seconds === undefined) oldest.remove(labels);
      else oldest.set(labels, seconds);
    },
    forget: ({ kind, name }) => {
      if (!known.delete(name)) return;
      inHand.remove({ kind, name });
      oldest.remove({ kind, name });
      for (const result of messageResults) messages.remove({ kind, name, result });
    },
  };
}
