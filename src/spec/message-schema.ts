/** What users write as `perMessage` of a Queue. */
import { Type } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import { payloadPath } from './keys.ts';
import { retrySchema } from './retry-schema.ts';
import { duration, integer, section, word } from './schema-fields.ts';

/** Names of environment variables; they are keys of a Secret as well. */
const envPattern = '^[A-Za-z_][A-Za-z0-9_]{0,252}$';
const envMessage = 'must be the name of an environment variable: letters, digits and "_", with no digit at the beginning';

/** `false` is what tools that speak YAML 1.1 make of `off`. */
const payloadFile = Type.Optional(
  Type.Unsafe<string | false>({
    anyOf: [{ type: 'string', pattern: '^/[^\\u0000:]*[^/\\u0000:]$', maxLength: 1_024 }, { enum: ['off', false] }],
    description: 'Path in every container at which the body is a file, byte for byte, at most 900 KiB; off: no file.',
    default: payloadPath,
    errorMessage: `must be the absolute path of a file without ":", such as "${payloadPath}", or off`,
  }),
);

const payload = section(
  {
    file: payloadFile,
    env: Type.Optional(
      Type.String({ description: 'Environment variable that holds the body: text of at most 128,000 bytes. Without it there is none.', pattern: envPattern, errorMessage: envMessage }),
    ),
  },
  'How containers get the body of the message.',
);

const env = Type.Optional(
  Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    description:
      'Environment variables of every container, by name. In their texts $(message.body.PATH), $(message.headers.NAME), $(message.id), $(message.attempt) and $(message.sha256) are replaced. A value has at most 128,000 bytes.',
    default: {},
    maxProperties: 200,
    propertyNames: { pattern: envPattern, errorMessage: envMessage },
    additionalProperties: { type: 'string', maxLength: 32_768 },
  }),
);

const { attempts: _attempts, onOOM: _onOOM, ...retryFields } = retrySchema.properties;

const retry = Type.Optional(
  Type.Object(
    { attempts: integer({ description: 'Jobs, or runs, for one delivery of a message, the first one counted.', default: 1, min: 1, max: 100 }), ...retryFields },
    { additionalProperties: false, description: 'How often, and after what, a failed message is tried again before its queue hears of it, each time as a new Job. Without it there is one attempt for each delivery.' },
  ),
);

const parameters = Type.Optional(
  Type.Unsafe<JsonObject>({
    type: 'object',
    description:
      'With template or workflow: values of its parameters. In their texts $(message.body.PATH), $(message.headers.NAME), $(message.id), $(message.attempt) and $(message.sha256) are replaced; a text that is one reference and nothing else becomes the value itself.',
    default: {},
  }),
);

/** Where failed messages go: one of `queue`, `exchange` and `policy`. */
const deadLetter = Type.Optional(
  Type.Object(
    {
      queue: Type.Optional(Type.String({ description: 'Queue on the same connection, to which they are published with the reason.', minLength: 1, maxLength: 2_600, pattern: '^[^\\u0000]+$', errorMessage: 'must be the name of a queue' })),
      exchange: Type.Optional(Type.String({ description: 'Exchange of RabbitMQ, in place of a queue.', minLength: 1, maxLength: 255, pattern: '^[^\\u0000]+$', errorMessage: 'must be the name of an exchange: 1 to 255 characters without NUL' })),
      routingKey: Type.Optional(Type.String({ description: 'Routing key for that exchange. Default: none, which is enough for a fanout exchange.', maxLength: 255 })),
      policy: Type.Optional(Type.Literal(true, { description: "Write true to leave it to the queue's own policy." })),
    },
    {
      additionalProperties: false,
      description:
        "Where messages go that are invalid, or whose attempts are used up: exactly one of queue, exchange and policy. Without it the queue's own policy decides (retryLimit of pg-boss, redrive policy of SQS, dead-letter exchange of RabbitMQ).",
      oneOf: ['queue', 'exchange', 'policy'].map((field) => ({ required: [field] })),
    },
  ),
);

/** `perMessage`. */
export const perMessageSchema = Type.Object(
  {
    settle: word(
      ['onCompletion', 'onJobCreated'],
      'When the queue is told: by the result of the Job, or as soon as the Job and its payload are stored, so that the Job is the only record of the message.',
      'onCompletion',
    ),
    payload,
    env,
    parameters,
    schema: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', description: 'JSON Schema (2020-12) that the body must satisfy. Others are invalid: no Job is started for them.' })),
    retry,
    deadLetter,
    waitAfter: section(
      {
        notStarted: duration({ description: 'Wait after a Job whose pod could not start. Grows with repetition.', default: '2m', min: '0s', max: '24h' }),
        refused: duration({ description: 'Wait after the API server or a policy refused a Job. Grows with repetition.', default: '30s', min: '0s', max: '24h' }),
      },
      'How long no Job is started after one that never ran.',
    ),
  },
  { additionalProperties: false, description: 'One Job, or one run of a template or workflow, for each message, which job-chief takes from the queue and settles. Write {} for the defaults.' },
);
