/** By which rule messages of a RabbitMQ queue are told apart while the spec says another than before. */
import type { MessageQueueSpec } from '../../spec/queue.ts';
import { sourceText } from '../../spec/queue-source.ts';
import type { ObservedJob } from '../observed.ts';
import type { MessageJobFacts } from './message.ts';

/**
 * The spec with the rule by which its unsettled Jobs were made: under another one RabbitMQ would hand out their messages
 * again with other ids, and they would run twice. A changed rule counts once no such Job is left.
 */
export function withRuleOfJobs(spec: MessageQueueSpec, jobs: readonly ObservedJob[]): MessageQueueSpec {
  const { source } = spec;
  if (source.type !== 'amqp') return spec;
  const text = sourceText(source);
  for (const { note, settled } of jobs.flatMap(carried)) {
    if (settled) continue;
    const made = note.source;
    // Ids of `none` are new with each delivery anyway.
    if (made.type === 'amqp' && made.messageId !== 'none' && sourceText(made) === text) return { ...spec, source: { ...source, messageId: made.messageId } };
  }
  return spec;
}

function carried({ message, batch }: ObservedJob): readonly MessageJobFacts[] {
  if (batch) return batch.notes.map((note, index) => ({ note, settled: batch.settled.get(index) }));
  return message ? [message] : [];
}
