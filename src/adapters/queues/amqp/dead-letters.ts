/**
 * Publishes messages that failed for good: confirmed by the server, and `mandatory`, so that one which no queue takes is
 * an answer and not a loss.
 */
import type { AsyncMessage, Envelope, ReturnedMessage } from 'rabbitmq-client';
import { asError, sleep, type Clock } from '../../../lib/clock.ts';
import type { SettleAnswer } from '../../../plan/messages/message.ts';
import type { DeadMessage } from '../../../reconcile/message-ports.ts';
import type { DeadLetterSpec } from '../../../spec/queue.ts';
import type { AmqpSource } from '../../../spec/queue-source.ts';
import { noEncoding, type AmqpChannel } from './channel.ts';
import type { AmqpLink, AmqpSession } from './link.ts';
import { AmqpProblem, explain } from './problem.ts';

/** What a message has in AMQP and nowhere else; it goes along where the delivery is still in hand. */
export type Extras = Pick<Envelope, 'contentEncoding' | 'correlationId' | 'replyTo' | 'type' | 'appId' | 'priority'>;

interface Outlet {
  readonly session: AmqpSession;
  readonly channel: AmqpChannel;
  /** Keys of what no queue took. */
  readonly returned: Set<string>;
}

/** Milliseconds. A server that is short of memory or disk confirms nothing until it has some. */
const longestWait = 15_000;
const longestGoodbye = 3_000;
/** Characters. All headers together must fit into one frame of 128 KiB. */
const longestText = 4_096;
/** Bytes that a message id can have as a property. */
const longestProperty = 255;

export class DeadLetters {
  readonly #link: AmqpLink;
  readonly #clock: Clock;
  #outlet: Promise<Outlet> | undefined;

  constructor(deps: { link: AmqpLink; clock: Clock }) {
    this.#link = deps.link;
    this.#clock = deps.clock;
  }

  /** Never rejects. `failed`: nobody knows whether it arrived, or it certainly did not; it may be published again. */
  async publish(source: AmqpSource, target: DeadLetterSpec, dead: DeadMessage, extras: Extras): Promise<SettleAnswer> {
    const release = this.#link.hold();
    const envelope = envelopeOf(source, target, dead, extras);
    try {
      return (await this.#publish(envelope, Buffer.from(dead.message.body)))
        ? { kind: 'done' }
        : { kind: 'failed', message: `no queue takes what is published to ${nameOf(target)}: it does not exist, or nothing is bound to it` };
    } catch (error) {
      return { kind: 'failed', message: `not published to ${nameOf(target)}: ${asError(error).message}` };
    } finally {
      release();
    }
  }

  /** Waits for the server, but not for one that has stopped reading; its connection is ended by whoever ends the link. */
  async close(): Promise<void> {
    const over = new AbortController();
    const polite = this.#outlet?.then(({ channel }) => channel.close(), () => undefined);
    await Promise.race([polite, sleep(this.#clock, longestGoodbye, over.signal).catch(() => undefined)]);
    over.abort();
  }

  /** Whether a queue has it. Rejects where nobody can tell. */
  async #publish(envelope: Envelope, body: Buffer): Promise<boolean> {
    const outlet = await this.#inTime(this.#opened());
    const key = returnKey(envelope);
    outlet.returned.delete(key);
    try {
      await this.#inTime(outlet.channel.raw.basicPublish(envelope, body));
    } catch (error) {
      // What else is under way there may hang as well; it is published again.
      void outlet.channel.close();
      throw explain(error, outlet.session);
    }
    // What is returned is told before the confirmation, and handed over after it.
    await new Promise((turn) => setImmediate(turn));
    return !outlet.returned.has(key);
  }

  async #opened(): Promise<Outlet> {
    const known = this.#outlet;
    const outlet = await known?.catch(() => undefined);
    if (outlet?.channel.raw.active === true) return outlet;
    // Whoever finds the same meanwhile shares the next.
    const next = this.#outlet === known || this.#outlet === undefined ? this.#open() : this.#outlet;
    this.#outlet = next;
    return next;
  }

  async #open(): Promise<Outlet> {
    const session = await this.#link.session();
    const channel = await session.channel();
    const returned = new Set<string>();
    channel.raw.on('basic.return', (message) => returned.add(returnKey(message)));
    try {
      await channel.raw.confirmSelect();
    } catch (error) {
      throw explain(error, session);
    }
    return { session, channel, returned };
  }

  async #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const over = new AbortController();
    const late = sleep(this.#clock, longestWait, over.signal).then((): never => {
      throw new AmqpProblem('QueueUnreachable', 'RabbitMQ did not confirm it in time');
    });
    // Whichever of the two comes second is heard by nobody.
    for (const loser of [answer, late]) loser.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      over.abort();
    }
  }
}

/** What was published and came back: the same message to the same place is returned each time or never. */
function returnKey({ exchange, routingKey, headers }: Envelope | ReturnedMessage): string {
  return JSON.stringify([exchange, routingKey, headers?.['x-job-chief-id']]);
}

/** For texts about a target. */
function nameOf(target: DeadLetterSpec): string {
  return 'queue' in target ? `queue '${target.queue}'` : `exchange '${target.exchange}' with routing key '${target.routingKey}'`;
}

function envelopeOf(source: AmqpSource, target: DeadLetterSpec, { message, failure }: DeadMessage, extras: Extras): Envelope {
  const { id, headers, contentType, enqueuedAt } = message;
  return {
    ...('queue' in target ? { exchange: '', routingKey: target.queue } : { exchange: target.exchange, routingKey: target.routingKey }),
    mandatory: true,
    durable: true,
    ...extras,
    // What is longer would be cut; the header has it whole.
    ...(Buffer.byteLength(id) <= longestProperty && { messageId: id }),
    ...(contentType !== undefined && { contentType }),
    ...(enqueuedAt !== undefined && { timestamp: Math.floor(enqueuedAt / 1_000) }),
    headers: {
      ...withoutRouting(headers),
      'x-job-chief-id': id,
      'x-job-chief-queue': source.queue,
      'x-job-chief-reason': failure.reason,
      'x-job-chief-message': failure.message.slice(0, longestText),
      'x-job-chief-attempt': failure.attempt,
      ...(failure.job !== undefined && { 'x-job-chief-job': failure.job }),
      ...(failure.exitCode !== undefined && { 'x-job-chief-exit-code': failure.exitCode }),
    },
  };
}

/** `CC` and `BCC` would send it to other queues as well; the rest is counted by the queue that it was in. */
function withoutRouting(headers: DeadMessage['message']['headers']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !['CC', 'BCC', 'x-delivery-count', 'x-acquired-count'].includes(name)));
}

/** What `Message` has no place for. */
export function extrasOf({ contentEncoding, correlationId, replyTo, type, appId, priority }: AsyncMessage): Extras {
  return {
    ...(contentEncoding !== undefined && contentEncoding !== noEncoding && { contentEncoding }),
    ...(correlationId !== undefined && { correlationId }),
    ...(replyTo !== undefined && { replyTo }),
    ...(type !== undefined && { type }),
    ...(appId !== undefined && { appId }),
    ...(priority !== undefined && { priority }),
  };
}
