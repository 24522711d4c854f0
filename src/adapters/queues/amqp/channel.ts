/**
 * A channel of the client with what it lacks: bodies as they were published, and the reason for which it ended.
 *
 * The client reads a body by its content type: JSON becomes an object, text a string. Neither can be turned back into the
 * bytes that were published, which a payload and its sha256 are made of. It leaves a body alone that has a content
 * encoding, so every header frame is given one, `identity`, before the client looks at it.
 */
import type { Channel, Connection } from 'rabbitmq-client';
import { isObject, stringAt } from '../../../lib/json.ts';
import { AmqpProblem } from './problem.ts';

export interface AmqpChannel {
  readonly raw: Channel;
  /** What ended it: an error of the server or the connection, or undefined where we closed it ourselves. */
  readonly ended: Promise<unknown>;
  /** Closes it, unless it is; `ended` gives the reason, if there is none yet. What is unacknowledged goes back. */
  fail(reason: unknown): void;
  /** The same without a reason; resolves when the server has answered. */
  close(): Promise<void>;
}

/** Stands for a content encoding that the publisher did not give. */
export const noEncoding = 'identity';

/** Rejects with the error of the client. `lost` says why the connection ended, once it has. */
export async function openChannel(connection: Connection, lost: () => unknown): Promise<AmqpChannel> {
  const raw = await connection.acquire({ emitErrorsFromChannel: true });
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  let reason: unknown;
  raw.on('error', (error: unknown) => {
    reason ??= error;
  });
  raw.on('close', () => {
    // A connection ends its channels before it says why it ended, and a request that the server ended it for is answered
    // before whoever made it can say so: both in this turn of the event loop.
    setImmediate(() => { resolve(reason ?? lost()); });
  });
  keepBytes(raw);
  return {
    raw,
    ended,
    fail: (why) => {
      reason ??= why;
      void raw.close();
    },
    close: () => raw.close(),
  };
}

function keepBytes(channel: Channel): void {
  const onHeader: unknown = Reflect.get(channel, '_onHeader');
  if (typeof onHeader !== 'function') throw new AmqpProblem('QueueUnsupported', 'this version of the AMQP client cannot be used: it has no _onHeader');
  const keeping = (frame: unknown): void => {
    const fields = isObject(frame) ? frame['fields'] : undefined;
    if (isObject(fields) && stringAt(fields, 'contentEncoding') === undefined) fields['contentEncoding'] = noEncoding;
    Reflect.apply(onHeader, channel, [frame]);
  };
  Object.defineProperty(channel, '_onHeader', { value: keeping });
}
