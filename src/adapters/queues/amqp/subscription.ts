/**
 * The messages of one queue, through as many channels as it takes, one after the other.
 *
 * Modes: opening → open → (the channel ended) waiting → opening …, until it is closed. The queue is declared, or looked
 * for, at each opening; it is never changed.
 */
import type { AsyncMessage } from 'rabbitmq-client';
import { sleep, type Clock } from '../../../lib/clock.ts';
import { growingPause } from '../../../lib/growing-pause.ts';
import type { Lease, SettleAnswer, SourceState, Verdict } from '../../../plan/messages/message.ts';
import type { SubscriptionEvents, Subscription } from '../../../reconcile/message-ports.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { AmqpSource } from '../../../spec/queue-source.ts';
import type { AmqpChannel } from './channel.ts';
import { AmqpConsumer, isStream } from './consumer.ts';
import { received, type Received } from './delivery.ts';
import type { AmqpLink, AmqpSession } from './link.ts';
import { AmqpProblem, explain } from './problem.ts';

export interface SubscriptionDeps {
  readonly link: AmqpLink;
  readonly source: AmqpSource;
  readonly events: SubscriptionEvents;
  readonly clock: Clock;
  readonly log: Log;
  /** A name that no other consumer of this process has. */
  readonly newName: () => string;
  /** Sees each delivery, before anybody else hears of it. */
  readonly onReceived: (received: Received, delivery: AsyncMessage) => void;
}

const firstPause = 250;
const longestPause = 10_000;
/** What was open for so long did not fail at once. */
const stable = 30_000;
/** How long closing may take; who does not answer by then does not hold us up. */
const longestGoodbye = 3_000;
const unheard = 100;

export class AmqpSubscription implements Subscription {
  readonly #deps: SubscriptionDeps;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #credit = 0;
  #taken = 0;
  #channel: AmqpChannel | undefined;
  #consumer: AmqpConsumer | undefined;
  #said: string | undefined;
  #failures = 0;
  /** When RabbitMQ was told last what has become of a message. */
  #toldAt = Number.NEGATIVE_INFINITY;
  /** The queue was found, and consuming was refused after that: it is open only when consuming works. */
  #doubted = false;
  /** The queue turned out to be a stream. It is one until it is gone: nobody consumes it just to hear so again. */
  #stream: AmqpProblem | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  credit(total: number): void {
    this.#credit = Math.max(this.#credit, total);
    this.#consumer?.adjust();
  }

  pause(): void {
    // The next sum may be lower than the last one.
    this.#credit = Math.min(this.#credit, this.#taken);
    this.#consumer?.adjust();
  }

  /** A delivery lives in its channel: RabbitMQ hands the message out again by itself. */
  adopt(): void {
    // nothing to take over
  }

  /** There is nothing to renew: RabbitMQ lets go of a delivery when its consumer_timeout is over. */
  abandon(): void {
    // nothing to stop
  }

  /** undefined: this delivery is not in hand here. */
  settle(token: string, verdict: Verdict): Promise<SettleAnswer> | undefined {
    const answer = this.#consumer?.settle(token, verdict);
    return answer?.finally(() => {
      this.#toldAt = this.#deps.clock.monotonic();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    const over = new AbortController();
    const polite = (async () => {
      await this.#consumer?.stop();
      await this.#handedOn();
      await this.#channel?.close();
      await this.#running;
    })();
    await Promise.race([polite, sleep(this.#deps.clock, longestGoodbye, over.signal).catch(() => undefined)]);
    over.abort();
  }

  /**
   * A channel hands acknowledgements on to a quorum queue by 32 at a time, and forgets the others when it is closed.
   * Nothing tells when it is through.
   */
  async #handedOn(): Promise<void> {
    const since = this.#deps.clock.monotonic() - this.#toldAt;
    if (since < unheard) await sleep(this.#deps.clock, unheard - since);
  }

  async #run(): Promise<void> {
    const release = this.#deps.link.hold();
    while (!this.#stop.signal.aborted) {
      const began = this.#deps.clock.monotonic();
      const problem = await this.#serve();
      if (problem.code === isStream) this.#stream = problem;
      if (problem.problem === 'QueueNotFound') this.#stream = undefined;
      this.#lose(problem.message);
      if (this.#closed()) break;
      if (this.#deps.clock.monotonic() - began > stable) this.#failures = 0;
      this.#failures += 1;
      this.#say({ kind: 'closed', reason: problem.problem, message: problem.message });
      await sleep(this.#deps.clock, growingPause(this.#failures, firstPause, longestPause), this.#stop.signal).catch(() => undefined);
    }
    release();
  }

  /** Opens the queue and keeps it open. Never rejects; resolves with what ended it. */
  async #serve(): Promise<AmqpProblem> {
    let session: AmqpSession | undefined;
    try {
      session = await this.#deps.link.session();
      const channel = await session.channel();
      try {
        if (this.#closed()) throw new AmqpProblem('QueueUnreachable', 'the subscription was closed');
        this.#channel = channel;
        await openQueue(channel, this.#deps.source);
        if (this.#stream) throw this.#stream;
        this.#consume(channel, session);
      } catch (error) {
        await channel.close();
        throw error;
      }
      return problemOf(await channel.ended, session);
    } catch (error) {
      return problemOf(error, session);
    } finally {
      this.#channel = undefined;
    }
  }

  #consume(channel: AmqpChannel, session: AmqpSession): void {
    const { source, events, newName } = this.#deps;
    const open = (): void => {
      this.#failures = 0;
      this.#doubted = false;
      this.#say(openState(session, source));
    };
    this.#consumer = new AmqpConsumer({
      channel,
      queue: source.queue,
      name: newName(),
      wanted: () => this.#wanted(),
      onDelivery: (token, delivery) => this.#lease(token, delivery),
      leased: (lease) => { events.leased(lease); },
      onConsuming: open,
    });
    // Whether we may consume shows only in consuming. Where nothing is wanted, nobody could find out otherwise.
    if (!this.#doubted || this.#wanted() === 0) this.#say(openState(session, source));
    this.#doubted = true;
    this.#consumer.adjust();
  }

  #wanted(): number {
    return Math.max(this.#credit - this.#taken, 0);
  }

  #lease(token: string, delivery: AsyncMessage): Lease {
    this.#taken += 1;
    const one = received(delivery, this.#deps.source.messageId);
    this.#deps.onReceived(one, delivery);
    const { message, problem } = one;
    return { token, message, id: message.id, delivery: one.delivery, receipt: {}, since: this.#deps.clock.now(), ...(problem !== undefined && { problem }) };
  }

  /** What was in hand is not any more. */
  #lose(why: string): void {
    const tokens = this.#consumer?.end() ?? [];
    this.#consumer = undefined;
    if (!this.#closed()) for (const token of tokens) this.#deps.events.lost(token, why);
  }

  #say(state: SourceState): void {
    const text = JSON.stringify(state);
    if (this.#closed() || text === this.#said) return;
    this.#said = text;
    this.#deps.events.state(state);
  }

  #closed(): boolean {
    return this.#stop.signal.aborted;
  }
}

function problemOf(error: unknown, session: AmqpSession | undefined): AmqpProblem {
  if (error instanceof AmqpProblem) return error;
  if (session) return explain(error ?? new Error('the channel was closed'), session);
  return new AmqpProblem('QueueUnreachable', String(error));
}

function openState({ settings }: AmqpSession, { connection }: AmqpSource): SourceState {
  return { kind: 'open', leaseLimit: settings.consumerTimeout, strict: true, limitName: `consumer_timeout of RabbitMQ, as connection "${connection}" has it` };
}

/** Rejects with the server's words where the queue is missing, is declared differently, or may not be looked at. */
async function openQueue({ raw }: AmqpChannel, { queue, declare }: AmqpSource): Promise<void> {
  if (!declare) {
    await raw.queueDeclare({ queue, passive: true });
    return;
  }
  const { type, deadLetterExchange, deadLetterRoutingKey } = declare;
  await raw.queueDeclare({
    queue,
    durable: true,
    arguments: {
      'x-queue-type': type,
      ...(deadLetterExchange !== undefined && { 'x-dead-letter-exchange': deadLetterExchange }),
      ...(deadLetterRoutingKey !== undefined && { 'x-dead-letter-routing-key': deadLetterRoutingKey }),
    },
  });
}
