/**
 * What is in hand of one queue on one channel, and the consumer by which it came.
 *
 * AMQP knows no credit. Its nearest relative is the prefetch count of a consumer, which bounds what is unacknowledged:
 * each acknowledgement makes room for one more delivery, wanted or not, and the count of a consumer never changes. So a
 * consumer is made for as many messages as are wanted now, and cancelled before the first of them is acknowledged, and
 * when something else is wanted; what is in hand stays in hand meanwhile. Deliveries of cancelled consumers are
 * acknowledged as they come.
 *
 * What can still come too much: messages that are on their way when the credit is taken back (`pause`), no more than it was.
 */
import type { AsyncMessage } from 'rabbitmq-client';
import type { Lease, SettleAnswer, Verdict } from '../../../plan/messages/message.ts';
import type { AmqpChannel } from './channel.ts';
import { AmqpProblem } from './problem.ts';

export interface ConsumerDeps {
  readonly channel: AmqpChannel;
  readonly queue: string;
  /** Begins the tokens of its deliveries; no other consumer of this process has it. */
  readonly name: string;
  /** How many messages there is credit for now. */
  readonly wanted: () => number;
  /** A message came; counts against the credit. */
  readonly onDelivery: (token: string, delivery: AsyncMessage) => Lease;
  readonly leased: (lease: Lease) => void;
  /** The server lets us consume. */
  readonly onConsuming: () => void;
}

/** One consumer of AMQP. */
interface Intake {
  readonly tag: string;
  /** How many messages the server may still send on its own. */
  room: number;
}

interface Held {
  readonly tag: number;
  readonly intake: Intake;
}

interface Waiting {
  readonly held: Held;
  readonly verdict: Verdict;
  readonly answer: (answer: SettleAnswer | Promise<SettleAnswer>) => void;
}

/** Code of the problem that a queue is a stream, which only its deliveries tell. */
export const isStream = 'STREAM';

/** The protocol has 16 bits for it. */
const largestPrefetch = 65_535;

export class AmqpConsumer {
  readonly #deps: ConsumerDeps;
  readonly #held = new Map<string, Held>();
  /** Verdicts that wait until their consumer is cancelled. */
  #waiting: Waiting[] = [];
  #intake: Intake | undefined;
  #intakes = 0;
  #lastTag = 0;
  #adjusting: Promise<void> | undefined;
  #prefetch = 1;
  /** A round trip that is about to begin, for all that is told until then. */
  #proof: Promise<unknown> | undefined;
  /** How many verdicts wait for the end of theirs. */
  #unproven = new Set<Promise<SettleAnswer>>();
  #again = false;
  #over = false;

  constructor(deps: ConsumerDeps) {
    this.#deps = deps;
    deps.channel.raw.on('basic.cancel', () => {
      deps.channel.fail(new AmqpProblem('QueueNotFound', `RabbitMQ has cancelled our consumer of queue '${deps.queue}': the queue was deleted, or has moved`));
    });
  }

  /** Looks again at how many messages are wanted. */
  adjust(): void {
    if (this.#over) return;
    this.#again = true;
    this.#adjusting ??= this.#adjust().finally(() => {
      this.#adjusting = undefined;
      // What was asked for between the last look and this moment.
      if (this.#again) this.adjust();
    });
  }

  /** undefined: this delivery is not in hand here. */
  settle(token: string, verdict: Verdict): Promise<SettleAnswer> | undefined {
    const held = this.#held.get(token);
    if (!held) return undefined;
    this.#held.delete(token);
    if (held.intake !== this.#intake) return this.#tell(held, verdict);
    return new Promise((answer) => {
      this.#waiting.push({ held, verdict, answer });
      this.adjust();
    });
  }

  /** Stops consuming; resolves when all verdicts are told, or cannot be told any more. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#adjusting;
    this.#tellWaiting();
    await Promise.all(this.#unproven);
  }

  /** The channel has ended: gives the tokens of all that was in hand, once. */
  end(): readonly string[] {
    this.#over = true;
    this.#tellWaiting();
    const tokens = [...this.#held.keys()];
    this.#held.clear();
    return tokens;
  }

  async #adjust(): Promise<void> {
    while (this.#again && !this.#over) {
      this.#again = false;
      try {
        await this.#cancel();
        await this.#consume();
      } catch (error) {
        // Whatever goes wrong with a request ends the channel, and the answer is told to nobody else.
        this.#deps.channel.fail(error);
        return;
      }
    }
  }

  /** Ends a consumer that may send more than is wanted, or less, or some of whose messages are to be settled. */
  async #cancel(): Promise<void> {
    const intake = this.#intake;
    if (!intake || (this.#waiting.length === 0 && intake.room === this.#room())) return;
    await this.#deps.channel.raw.basicCancel(intake.tag);
    // What came before the answer is handed over in the next turn of the event loop.
    await new Promise((turn) => setImmediate(turn));
    this.#intake = undefined;
    this.#tellWaiting();
  }

  async #consume(): Promise<void> {
    const room = this.#room();
    if (this.#intake || room === 0 || this.#over) return;
    const { raw } = this.#deps.channel;
    this.#prefetch = room;
    await raw.basicQos({ prefetchCount: room });
    const intake: Intake = { tag: `${this.#deps.name}.${(this.#intakes += 1)}`, room };
    this.#intake = intake;
    await raw.basicConsume({ queue: this.#deps.queue, consumerTag: intake.tag }, (delivery) => { this.#take(delivery, intake); });
    this.#deps.onConsuming();
  }

  #room(): number {
    return this.#over ? 0 : Math.min(this.#deps.wanted(), largestPrefetch);
  }

  #take(delivery: AsyncMessage, intake: Intake): void {
    const tag = delivery.deliveryTag;
    // Deliveries of a channel are numbered one by one. One that we never saw would stay unacknowledged for ever.
    if (tag !== this.#lastTag + 1) this.#deps.channel.fail(new AmqpProblem('QueueUnreachable', `delivery ${this.#lastTag + 1} of the channel did not arrive`));
    this.#lastTag = tag;
    if (this.#over || !this.#deps.channel.raw.active) return;
    if (delivery.headers?.['x-stream-offset'] !== undefined) {
      this.#deps.channel.fail(new AmqpProblem('QueueUnsupported', `queue '${this.#deps.queue}' is a stream, whose messages cannot be settled one by one: name a classic or a quorum queue`, isStream));
      return;
    }
    intake.room -= 1;
    const token = `${this.#deps.name}.${tag}`;
    const lease = this.#deps.onDelivery(token, delivery);
    this.#held.set(token, { tag, intake });
    if (intake.room === 0) this.adjust();
    this.#deps.leased(lease);
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { held, verdict, answer } of waiting) answer(this.#tell(held, verdict));
  }

  /** Tells the server, and makes sure that it has heard. */
  #tell({ tag }: Held, verdict: Verdict): Promise<SettleAnswer> {
    const { raw } = this.#deps.channel;
    if (!raw.active) return Promise.resolve(lost);
    if (verdict.kind === 'complete') raw.basicAck({ deliveryTag: tag });
    else raw.basicNack({ deliveryTag: tag, requeue: verdict.kind === 'release' });
    const answer = this.#heard().then((): SettleAnswer => ({ kind: 'done' }), () => lost);
    this.#unproven.add(answer);
    return answer.finally(() => this.#unproven.delete(answer));
  }

  /**
   * The protocol has no answer to an acknowledgement. But a channel is served in order: when the server has answered
   * what was sent later, it has seen it. To set the prefetch count that is set already changes nothing.
   */
  #heard(): Promise<unknown> {
    this.#proof ??= new Promise((turn) => setImmediate(turn)).then(() => {
      this.#proof = undefined;
      return this.#deps.channel.raw.basicQos({ prefetchCount: this.#prefetch });
    });
    return this.#proof;
  }
}

/** Of a delivery whose channel is closed: RabbitMQ has taken it back. */
export const lost: SettleAnswer = { kind: 'lost', message: 'the channel by which the message came is closed: RabbitMQ hands it out again, unless it has heard us' };
