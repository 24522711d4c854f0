/** A message as SQS hands it out. */
import type { Message } from '../../../plan/messages/message.ts';
import type { SqsMessage } from './sqs-api.ts';
import { headersOf } from './sqs-attributes.ts';

export interface ReadMessage {
  readonly message: Message;
  readonly handle: string;
  readonly delivery: number | undefined;
}

/** undefined: it lacks what every message of SQS has, and nothing could be done with it. */
export function readMessage({ MessageId: id, ReceiptHandle: handle, Body: body = '', MessageAttributes: attributes = {}, Attributes: facts = {} }: SqsMessage): ReadMessage | undefined {
  if (id === undefined || handle === undefined) return undefined;
  const headers = headersOf(attributes);
  const contentType = headers['content-type'] ?? headers['Content-Type'] ?? headers['contentType'];
  const message: Message = {
    id,
    body: new TextEncoder().encode(body),
    headers,
    contentType: typeof contentType === 'string' ? contentType : undefined,
    enqueuedAt: numberOf(facts.SentTimestamp),
  };
  return { message, handle, delivery: numberOf(facts.ApproximateReceiveCount) };
}

function numberOf(text: string | undefined): number | undefined {
  const number = Number(text ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : undefined;
}
