/** Queues as the API shows them. */
import { Type, type Static } from 'typebox';
import { pageOf, textOrNull, timeOrNull } from './fields.ts';

const count = (description: string) => Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, description });

export const queueSchema = Type.Object(
  {
    name: Type.String({ description: 'Logical name of the Queue.' }),
    connection: Type.String({ description: 'Connection of the operator that leads to it.' }),
    queue: Type.String({ description: 'Name of the queue there.' }),
    state: textOrNull('State of the spec.'),
    ready: count('Messages that could be fetched now.'),
    deferred: count('Messages that can be fetched later: delayed, or waiting for another try.'),
    active: count('Messages that were fetched and are not settled.'),
    retrying: count('Of ready and deferred: those that failed before.'),
    dead: count('Messages that failed and are out of tries.'),
    oldestAgeSeconds: Type.Unsafe<number | null>({ type: ['number', 'null'], description: 'For how long the oldest that is ready has been in the queue; null, too, where none is ready.' }),
    upTo: count('Counts stop there: one that has this value is that large or larger.'),
    countedAt: timeOrNull('When it was counted.'),
    unknown: Type.Unsafe<{ readonly reason: string; readonly message: string } | null>({
      type: ['object', 'null'],
      properties: { reason: { type: 'string', description: 'As in the page on reasons.' }, message: { type: 'string', description: 'For people.' } },
      required: ['reason', 'message'],
      description: 'Why nothing could be counted: all counts are null then.',
    }),
  },
  { description: 'A Queue, and what waits in it.', $id: 'Queue' },
);

export const queuePageSchema = pageOf(queueSchema, 'By name.');
export type QueueBody = Static<typeof queueSchema>;
