/** Where work waits. One key of a Queue's `source` union. */
export type QueueSource = PgBossSource | AmqpSource | SqsSource;

interface SourceBase {
  /** Name of an operator's connection. */
  readonly connection: string;
}

export interface PgBossSource extends SourceBase {
  readonly type: 'pgBoss';
  readonly queue: string;
  /** Postgres schema; undefined: the connection's own, else `pgboss`. */
  readonly schema: string | undefined;
}

/** AMQP 0-9-1: RabbitMQ. */
export interface AmqpSource extends SourceBase {
  readonly type: 'amqp';
  readonly queue: string;
  /** undefined: the connection's own, else `/`. */
  readonly vhost: string | undefined;
  /** Declared when it is opened; undefined: it must exist. */
  readonly declare: AmqpDeclaration | undefined;
  /** What tells one message from another; undefined: its property `message_id`, and a message without one is refused. */
  readonly messageId: MessageIdRule | undefined;
}

/** Arguments of queue.declare. A queue that exists with others is never changed: RabbitMQ refuses, and the status says so. */
export interface AmqpDeclaration {
  readonly type: 'classic' | 'quorum';
  /** Where rejected and expired messages go. */
  readonly deadLetterExchange: string | undefined;
  readonly deadLetterRoutingKey: string | undefined;
}

/** `bodyHash`: equal bodies are one message. `none`: none is known by an id, so that a redelivery may run again. */
export type MessageIdRule = { readonly property: 'message_id' | 'correlation_id' } | { readonly header: string } | 'bodyHash' | 'none';

/** Amazon SQS, or what speaks its protocol. */
export interface SqsSource extends SourceBase {
  readonly type: 'sqs';
  /** Name of the queue, or its whole URL: exactly one of the two in the spec. */
  readonly queue: string;
  readonly url: string | undefined;
}

/** The name of the queue as people know it. */
export function queueOf(source: QueueSource): string {
  return source.queue;
}

/** What makes it this queue and no other, whichever spec names it: goes into names of Jobs. Never change it: names are locks. */
export function sourceIdentity(source: QueueSource): string[] {
  switch (source.type) {
    case 'pgBoss':
      return [source.type, source.connection, source.schema ?? '', source.queue];
    case 'amqp':
      return [source.type, source.connection, source.vhost ?? '', source.queue];
    case 'sqs':
      return [source.type, source.connection, source.url ?? '', source.queue];
  }
}

/** The same as one text: a key for maps. */
export function sourceText(source: QueueSource): string {
  const known = texts.get(source);
  if (known !== undefined) return known;
  const text = JSON.stringify(sourceIdentity(source));
  texts.set(source, text);
  return text;
}

/** Sources never change, the Jobs of a queue share theirs, and a plan asks for each of thousands of them several times. */
const texts = new WeakMap<QueueSource, string>();
