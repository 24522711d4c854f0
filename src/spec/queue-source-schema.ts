/** What users write as `source` of a Queue: one key for each kind of queue. */
import { Type } from 'typebox';
import { subdomainMessage, subdomainPattern, word } from './schema-fields.ts';

/** The kinds of queues, one of which a source has. */
export const sourceKinds = ['pgBoss', 'amqp', 'sqs'] as const;

const connection = Type.String({
  description: "Name of one of the operator's connections, of the same type.",
  minLength: 1,
  maxLength: 253,
  pattern: subdomainPattern,
  errorMessage: subdomainMessage,
});

/**
 * pg-boss 5 to 10 take any text as a queue's name; 11 and later letters, digits, `_`, `-`, `.` and `/`. None checks the
 * length; PostgreSQL refuses an index entry of more than about 2,700 bytes.
 */
const pgBossQueue = Type.String({
  description: 'Name of the queue, exactly as pg-boss knows it.',
  minLength: 1,
  maxLength: 2_600,
  pattern: '^[^\\u0000]+$',
  errorMessage: 'must be the name of a queue: 1 to 2600 characters without NUL',
});

/** All versions of pg-boss stop at 50; a quoted name (pg-boss 12) may hold nearly anything. */
const schemaName = Type.Optional(
  Type.String({
    description: "PostgreSQL schema of pg-boss. Default: the connection's own, else pgboss.",
    minLength: 1,
    maxLength: 50,
    pattern: '^[^"\\u0000]+$',
    errorMessage: 'must be the name of a PostgreSQL schema: 1 to 50 characters without quotes',
  }),
);

/** A short string of AMQP 0-9-1 has 255 bytes. */
const amqpName = (description: string) =>
  Type.String({ description, minLength: 1, maxLength: 255, pattern: '^[^\\u0000]+$', errorMessage: 'must be 1 to 255 characters without NUL' });

const amqpDeclare = Type.Optional(
  Type.Object(
    {
      type: word(['quorum', 'classic'], 'Type of the queue.', 'quorum'),
      deadLetterExchange: Type.Optional(amqpName('Exchange to which the queue gives messages that were rejected or have expired (x-dead-letter-exchange).')),
      deadLetterRoutingKey: Type.Optional(amqpName('Routing key for those. Default: the one that the message was published with. Needs deadLetterExchange.')),
    },
    { additionalProperties: false, description: 'Declares the queue, durable, when it is opened. A queue that exists with other arguments is never changed. Without it the queue must exist.' },
  ),
);

/** How messages are told from each other. */
export type MessageIdDocument = 'bodyHash' | 'none' | { readonly property: 'message_id' | 'correlation_id' } | { readonly header: string };

const messageId = Type.Optional(
  Type.Unsafe<MessageIdDocument>({
    anyOf: [
      { enum: ['bodyHash', 'none'] },
      { type: 'object', additionalProperties: false, required: ['property'], properties: { property: { enum: ['message_id', 'correlation_id'], description: 'Property of the message.' } } },
      { type: 'object', additionalProperties: false, required: ['header'], properties: { header: { type: 'string', minLength: 1, maxLength: 255, description: 'Header of the message.' } } },
    ],
    description:
      'What tells one message from another: a property, a header, the hash of the body (bodyHash: equal bodies are one message), or nothing (none: a message that comes again runs again). A message without the id that is named here is invalid. Default: its property message_id.',
    errorMessage: 'must be {property: message_id}, {property: correlation_id}, {header: NAME}, bodyHash or none',
  }),
);

/** Names as Amazon takes them; those of FIFO queues end in `.fifo`. */
export const sqsNamePattern = '^([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\\.fifo)$';
export const sqsNameMessage = 'must be the name of a queue of SQS: 1 to 80 letters, digits, "-" and "_", of a FIFO queue with .fifo at the end';

const pgBoss = Type.Object({ connection, queue: pgBossQueue, schema: schemaName }, { additionalProperties: false, description: 'A queue of pg-boss in PostgreSQL.' });

const amqp = Type.Object(
  {
    connection,
    queue: amqpName('Name of the queue.'),
    vhost: Type.Optional(amqpName("Virtual host of the queue. Default: the connection's own, else /.")),
    declare: amqpDeclare,
    messageId,
  },
  { additionalProperties: false, description: 'A queue of RabbitMQ, or of another server that speaks AMQP 0-9-1.' },
);

const sqs = Type.Object(
  {
    connection,
    queue: Type.Optional(Type.String({ description: 'Name of the queue. Exactly one of queue and url.', pattern: sqsNamePattern, errorMessage: sqsNameMessage })),
    url: Type.Optional(
      Type.String({
        description: 'Whole URL of the queue, such as that of another account. Its last part is the name.',
        maxLength: 2_048,
        pattern: '^https?://[^\\s/?#@]+/([^\\s?#@]+/)?([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\\.fifo)$',
        errorMessage: 'must be the URL of a queue, such as "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"',
      }),
    ),
  },
  { additionalProperties: false, description: 'A queue of Amazon SQS, or of what speaks its protocol.', oneOf: [{ required: ['queue'] }, { required: ['url'] }] },
);

/** `source`. */
export const queueSourceSchema = Type.Object(
  { pgBoss: Type.Optional(pgBoss), amqp: Type.Optional(amqp), sqs: Type.Optional(sqs) },
  { additionalProperties: false, description: 'Where work waits: exactly one kind of queue.', oneOf: sourceKinds.map((kind) => ({ required: [kind] })) },
);
