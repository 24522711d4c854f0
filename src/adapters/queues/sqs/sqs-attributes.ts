/** Message attributes of SQS as headers, and what a dead message carries beside its body. */
import type { Json } from '../../../lib/json.ts';
import type { Failure } from '../../../plan/messages/message.ts';
import type { MessageAttributeValue } from './sqs-api.ts';

type Attributes = Readonly<Record<string, MessageAttributeValue>>;

/** Numbers are numbers where nothing is lost by it, binary values are base64. */
export function headersOf(attributes: Attributes): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, headerOf(value)]));
}

function headerOf({ DataType: type = 'String', StringValue: text = '', BinaryValue: bytes }: MessageAttributeValue): Json {
  if (bytes !== undefined) return Buffer.from(bytes).toString('base64');
  return type.startsWith('Number') && String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** For a message whose own attributes are not at hand any more. */
export function attributesOf(headers: Readonly<Record<string, Json>>): Attributes {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => attributeOf(name, value)));
}

function attributeOf(name: string, value: Json): [string, MessageAttributeValue][] {
  if (typeof value === 'number') return [[name, { DataType: 'Number', StringValue: String(value) }]];
  return textAttribute(name, typeof value === 'string' ? value : JSON.stringify(value));
}

/** SQS takes no more. */
const mostAttributes = 10;

/**
 * The message's own attributes and why it died, as `x-job-chief-*`. There is room for ten: what tells most is left out
 * last, the message's own never.
 */
export function deadAttributes(own: Attributes, { id, queue }: { readonly id: string; readonly queue: string }, failure: Failure): Attributes {
  const ours = [
    ...textAttribute('x-job-chief-id', id),
    ...textAttribute('x-job-chief-reason', failure.reason),
    ...textAttribute('x-job-chief-message', failure.message),
    ...textAttribute('x-job-chief-job', failure.job ?? ''),
    ...attributeOf('x-job-chief-attempt', failure.attempt),
    ...(failure.exitCode === undefined ? [] : attributeOf('x-job-chief-exit-code', failure.exitCode)),
    ...textAttribute('x-job-chief-queue', queue),
  ];
  // Dead once before, and moved back by somebody: what it died of then is history.
  const kept = Object.entries(own).filter(([name]) => !name.startsWith('x-job-chief-'));
  return Object.fromEntries([...kept, ...ours.slice(0, Math.max(mostAttributes - kept.length, 0))]);
}

/** SQS takes neither empty texts nor most control characters. */
function textAttribute(name: string, text: string): [string, MessageAttributeValue][] {
  const clean = text.toWellFormed().replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}');
  return clean === '' ? [] : [[name, { DataType: 'String', StringValue: clean }]];
}
