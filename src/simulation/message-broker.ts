/** All queues of a simulation whose messages are leased, and the network to them. */
import type { SourceProblem } from '../plan/messages/message.ts';
import type { DepthAnswer, DepthProbe, DepthQuery } from '../reconcile/ports.ts';
import type { VirtualClock } from './clock.ts';
import { type MessageCall, type MessageFaultPlan, noMessageFaults } from './message-faults.ts';
import { SimulatedMessageQueue } from './message-queue.ts';
import type { MessageQueueOptions } from './message-rules.ts';
import type { Random } from './random.ts';

/** The broker's end of a subscription. */
export interface Channel {
  readonly queue: string;
  /** It has been ended: by the broker, the network, or the death of the process. */
  readonly open: boolean;
}

export interface ChannelEvents {
  /** Something may be there to be leased. */
  ready(): void;
  closed(why: string): void;
  /** RabbitMQ: nothing is delivered any more until it consumes again; what it has it keeps. */
  cancelled(): void;
}

interface OpenChannel extends Channel {
  open: boolean;
  readonly events: ChannelEvents;
  readonly stopListening: () => void;
}

/** What a request is about. */
export interface Place {
  readonly connection: string;
  readonly queue: string;
}

/** Why a request came to nothing. */
export class BrokerFailure extends Error {
  readonly reason: SourceProblem;

  constructor(reason: SourceProblem, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface MessageBrokerOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** One way, milliseconds; about 1 unless said otherwise. */
  readonly latency?: (random: Random) => number;
}

export class MessageBroker implements DepthProbe {
  readonly clock: VirtualClock;
  /** What goes wrong with requests from now on. */
  faults: MessageFaultPlan = noMessageFaults;
  readonly #random: Random;
  readonly #latency: (random: Random) => number;
  readonly #queues = new Map<string, SimulatedMessageQueue>();
  readonly #bindings = new Map<string, string>();
  readonly #channels = new Set<OpenChannel>();
  readonly #forbidden = new Set<string>();
  readonly #unknown = new Set<string>();
  #down = false;
  #made = 0;

  constructor({ clock, random, latency = (latencies) => latencies.between(0.5, 1.5) }: MessageBrokerOptions) {
    this.clock = clock;
    this.#random = random;
    this.#latency = latency;
  }

  /** Makes a queue; one of this name must not exist. */
  create(name: string, options: MessageQueueOptions): SimulatedMessageQueue {
    if (this.#queues.has(name)) throw new Error(`queue "${name}" exists`);
    const { deadLetter } = options;
    this.#made += 1;
    const made = new SimulatedMessageQueue(name, options, {
      clock: this.clock,
      generation: this.#made,
      deadLetters: () => (deadLetter === undefined ? undefined : this.#queues.get(deadLetter)),
      closeChannel: (channel, why) => { this.#closeWhere((open) => open === channel, why); },
    });
    this.#queues.set(name, made);
    return made;
  }

  find(name: string): SimulatedMessageQueue | undefined {
    return this.#queues.get(name);
  }

  get all(): readonly SimulatedMessageQueue[] {
    return [...this.#queues.values()];
  }

  /** With everything in it. */
  delete(name: string): void {
    const queue = this.#queues.get(name);
    this.#queues.delete(name);
    this.#closeWhere((channel) => channel.queue === name, `queue "${name}" was deleted`);
    queue?.purge();
  }

  /** Messages that are published there go to that queue. */
  bind(exchange: string, routingKey: string, queue: string): void {
    this.#bindings.set(JSON.stringify([exchange, routingKey]), queue);
  }

  bound(exchange: string, routingKey: string): SimulatedMessageQueue | undefined {
    return this.#queues.get(this.#bindings.get(JSON.stringify([exchange, routingKey])) ?? '');
  }

  /** Nobody reaches it until it is up again. What is in the queues stays; RabbitMQ has ended all channels. */
  setDown(down: boolean): void {
    this.#down = down;
    if (down) this.cut();
  }

  /** Every connection breaks. */
  cut(why = 'the connection was reset'): void {
    this.#closeWhere(() => true, why);
  }

  /** RabbitMQ takes the consumers of a queue away, as when its leader moves. */
  cancelConsumers(name: string): void {
    for (const channel of this.#channels) if (channel.queue === name) this.clock.timer(this.#oneWay(), () => { if (channel.open) channel.events.cancelled(); });
  }

  /** Requests about this queue are refused, until it is allowed again. */
  setForbidden(name: string, forbidden: boolean): void {
    if (forbidden) this.#forbidden.add(name);
    else this.#forbidden.delete(name);
    if (forbidden) this.#closeWhere((channel) => channel.queue === name, `access to queue "${name}" was refused`);
  }

  /** The operator has no connection of this name any more. */
  forgetConnection(connection: string): void {
    this.#unknown.add(connection);
  }

  /**
   * Sends a request: `effect` happens at the broker after a latency, and its answer comes after another. Rejects with a
   * BrokerFailure. What was sent takes effect also when its sender is gone.
   */
  request<T>(call: MessageCall, place: Place, effect: () => T): Promise<T> {
    const fault = this.faults(call);
    return new Promise((resolve, reject) => {
      const fail = (failure: BrokerFailure): void => { this.clock.timer(this.#oneWay(), () => { reject(failure); }); };
      this.clock.timer(this.#oneWay() + (fault === 'slow' ? this.#random.exponential(2000) : 0), () => {
        const problem = this.#down || fault === 'before' ? new BrokerFailure('QueueUnreachable', 'connection refused') : this.#refusal(place);
        if (problem) {
          fail(problem);
          return;
        }
        const answer = effect();
        if (fault === 'after') fail(new BrokerFailure('QueueUnreachable', 'the connection was reset'));
        else this.clock.timer(this.#oneWay(), () => { resolve(answer); });
      });
    });
  }

  /** From within an effect. */
  openChannel(name: string, events: ChannelEvents): Channel {
    const listen = (): void => { this.clock.timer(this.#oneWay(), () => { if (channel.open) events.ready(); }); };
    const stopListening = this.#queues.get(name)?.onReady(listen) ?? (() => undefined);
    const channel: OpenChannel = { queue: name, open: true, events, stopListening };
    this.#channels.add(channel);
    return channel;
  }

  /** The network, or the broker, ends one channel. */
  breakChannel(channel: Channel, why: string): void {
    this.#closeWhere((open) => open === channel, why);
  }

  /** Its own end closes it: nobody is told. */
  closeChannel(channel: Channel): void {
    for (const open of this.#channels) if (open === channel) this.#end(open);
  }

  depth({ source, upTo }: DepthQuery): Promise<DepthAnswer> {
    return this.request('depth', source, (): DepthAnswer => {
      const queue = this.#queues.get(source.queue);
      return { kind: 'known', ready: Math.min(queue?.ready ?? 0, upTo), nextReadyAt: queue?.nextReadyAt };
    }).catch((error: unknown): DepthAnswer => ({ kind: 'unknown', reason: 'QueueUnreachable', message: error instanceof Error ? error.message : '' }));
  }

  #refusal({ connection, queue: name }: Place): BrokerFailure | undefined {
    if (this.#unknown.has(connection)) return new BrokerFailure('ConnectionUnknown', `no connection "${connection}"`);
    if (this.#forbidden.has(name)) return new BrokerFailure('QueueForbidden', `access to queue "${name}" refused`);
    return this.#queues.has(name) ? undefined : new BrokerFailure('QueueNotFound', `no queue "${name}"`);
  }

  #closeWhere(matches: (channel: OpenChannel) => boolean, why: string): void {
    for (const channel of [...this.#channels]) {
      if (!matches(channel)) continue;
      this.#end(channel);
      this.clock.timer(this.#oneWay(), () => { channel.events.closed(why); });
    }
  }

  #end(channel: OpenChannel): void {
    channel.open = false;
    channel.stopListening();
    this.#channels.delete(channel);
    const queue = this.#queues.get(channel.queue);
    if (queue?.rules.kind === 'amqp') queue.channelClosed(channel);
  }

  #oneWay(): number {
    return this.#latency(this.#random);
  }
}
