/** What RabbitMQ hands out, as a message that others understand. */
import { createHash, randomUUID } from 'node:crypto';
import type { AsyncMessage } from 'rabbitmq-client';
import { isNestedDeeper, type Json, type JsonObject } from '../../../lib/json.ts';
import type { Message } from '../../../plan/messages/message.ts';
import type { MessageIdRule } from '../../../spec/queue-source.ts';

export interface Received {
  readonly message: Message;
  /** Deliveries so far, this one included. Quorum queues count them; of others is known only whether it is the first, so that 2 means two or more. */
  readonly delivery: number;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
}

/** Ids become annotations of Jobs; nothing that names a message is longer. */
const longestId = 1_024;
/** Levels of tables in headers. Whoever publishes decides how many there are, and each costs stack. */
const deepest = 64;

/** `rule` undefined: the property `message_id`. */
export function received(delivery: AsyncMessage, rule: MessageIdRule | undefined): Received {
  const body = bytesOf(delivery.body);
  const tooDeep = isNestedDeeper(delivery.headers, deepest);
  const headers = tooDeep ? {} : jsonTable(delivery.headers ?? {});
  const found = idOf(delivery, headers, body ?? new Uint8Array(), rule ?? { property: 'message_id' });
  const message: Message = {
    id: found.id,
    body: body ?? new Uint8Array(),
    headers,
    contentType: delivery.contentType,
    // AMQP counts whole seconds, and some publishers set it to 0.
    enqueuedAt: delivery.timestamp !== undefined && delivery.timestamp > 0 ? delivery.timestamp * 1_000 : undefined,
  };
  const problem = body === undefined ? 'its body was not kept as it was published; this is an error of job-chief' : tooDeep ? `its headers are nested deeper than ${deepest} levels` : found.problem;
  return { message, delivery: deliveryNumber(delivery, headers), problem };
}

/** undefined: the client made something else of it. */
function bytesOf(body: unknown): Uint8Array | undefined {
  return body instanceof Uint8Array ? body : undefined;
}

function deliveryNumber({ redelivered }: AsyncMessage, headers: JsonObject): number {
  const before = headers['x-delivery-count'];
  if (typeof before === 'number' && Number.isSafeInteger(before) && before >= 0) return before + 1;
  return redelivered ? 2 : 1;
}

/** A message without the id that it should have goes by its content: it can be told from others, and is refused. */
function idOf(delivery: AsyncMessage, headers: JsonObject, body: Uint8Array, rule: MessageIdRule): { id: string; problem?: string } {
  if (rule === 'none') return { id: randomUUID() };
  const hash = createHash('sha256').update(body).digest('hex');
  if (rule === 'bodyHash') return { id: hash };
  const [where, value] = 'property' in rule ? [`property ${rule.property}`, propertyOf(delivery, rule.property)] : [`header ${rule.header}`, headers[rule.header]];
  const id = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  const problem = problemOfId(id, where) ?? (isBlurred(value) ? `its ${where} is a number of more than 53 bits; to tell messages of this queue apart by it, publish it as text` : undefined);
  return problem === undefined && typeof id === 'string' ? { id } : { id: hash, ...(problem !== undefined && { problem }) };
}

function problemOfId(id: Json | undefined, where: string): string | undefined {
  if (id === undefined || id === null || id === '') return `it has no ${where}, by which messages of this queue are told apart`;
  if (typeof id !== 'string') return `its ${where} is no text, and messages of this queue are told apart by it`;
  return id.length > longestId ? `its ${where}, by which messages of this queue are told apart, is longer than ${longestId} characters` : undefined;
}

/** AMQP has 64 bits for whole numbers, and JavaScript 53: two neighbours would be one message. */
function isBlurred(value: Json | undefined): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

function propertyOf(delivery: AsyncMessage, property: 'message_id' | 'correlation_id'): string | undefined {
  return property === 'message_id' ? delivery.messageId : delivery.correlationId;
}

function jsonTable(table: object): Record<string, Json> {
  return Object.fromEntries(Object.entries(table).flatMap(([key, value]) => (value === undefined ? [] : [[key, json(value)]])));
}

/** Values of AMQP tables: bytes become base64, and numbers that JSON has no form for become text. */
function json(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(json);
  return typeof value === 'object' ? jsonTable(value) : null;
}
