/** What users write as `perBatch` of a Queue. */
import { Type } from 'typebox';
import { perMessageSchema } from './message-schema.ts';
import { duration, integer, section } from './schema-fields.ts';

const { settle, payload, schema, retry, deadLetter, waitAfter } = perMessageSchema.properties;

/** `perBatch`: as perMessage, but that all pods of a Job share one environment. */
export const perBatchSchema = Type.Object(
  {
    size: integer({ description: 'Messages of one Job at most. Fewer where their bodies have 900 KiB, or what is noted about them 200 KiB.', default: 100, min: 1, max: 1000 }),
    maxWait: duration({ description: 'Longest time for which a message in hand waits until its batch is full.', default: '5s', min: '0s', max: '1h' }),
    settle,
    payload: section({ file: payload.properties.file }, 'How the container of a message gets its body.'),
    schema,
    retry,
    deadLetter,
    waitAfter,
  },
  { additionalProperties: false, description: 'One Indexed Job for several messages, one pod for each of them, which job-chief takes from the queue and settles one by one. Write {} for the defaults.' },
);
