/** One queue in the hand of one process: opens, leases by credit, keeps leases, loses them, and opens again. */
import type { Timer } from '../lib/clock.ts';
import type { Receipt, SourceProblem, SourceState } from '../plan/messages/message.ts';
import type { Subscription, SubscriptionEvents } from '../reconcile/message-ports.ts';
import type { QueueSource } from '../spec/queue-source.ts';
import { BrokerFailure, type Channel, type MessageBroker } from './message-broker.ts';
import type { MessageCall } from './message-faults.ts';
import type { Delivery, SimulatedMessageQueue } from './message-queue.ts';
import type { Held } from './message-held.ts';
import type { SimulatedProcess } from './process.ts';

export interface SubscriptionDeps {
  readonly broker: MessageBroker;
  readonly process: SimulatedProcess;
  readonly source: QueueSource;
  readonly events: SubscriptionEvents;
  /** Gives it a token. */
  readonly hold: (held: Held) => string;
  readonly drop: (token: string) => void;
  readonly over: () => void;
}

interface Mine {
  readonly delivery: Delivery;
  timer: Timer | undefined;
  abandoned: boolean;
}

const firstPause = 250;
const longestPause = 30_000;
/** As many as SQS gives at once. */
const batch = 10;

export class SimulatedSubscription implements Subscription {
  readonly #deps: SubscriptionDeps;
  readonly #mine = new Map<string, Mine>();
  readonly #adopting = new Map<string, { readonly id: string; readonly receipt: Receipt }>();
  #channel: Channel | undefined;
  #total = 0;
  #delivered = 0;
  #fetching = false;
  #again = false;
  #cancelled = false;
  #said = '';
  #closed = false;
  /** Under way, or to be tried again after a pause. */
  #opening = true;
  #failures = 0;

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
    // Not before it has been returned to whoever subscribes.
    deps.process.clock.timer(1, () => { this.#open(); });
  }

  credit(total: number): void {
    this.#total = Math.max(this.#total, total);
    this.#pull();
  }

  pause(): void {
    this.#total = this.#delivered;
  }

  adopt(id: string, receipt: Receipt): void {
    if (this.#deps.source.type === 'amqp' || this.#closed) return;
    this.#adopting.set(JSON.stringify([id, receipt]), { id, receipt });
    if (this.#channel) this.#adoptAll();
  }

  abandon(token: string): void {
    const mine = this.#mine.get(token);
    if (mine) mine.abandoned = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const channel = this.#channel;
    this.#channel = undefined;
    const left = [...this.#mine.values()].filter(({ abandoned }) => !abandoned);
    for (const token of [...this.#mine.keys()]) this.#deps.drop(token);
    if (channel && this.#deps.source.type === 'amqp') {
      await this.#deps.process.call(() => this.#closing(channel));
    } else {
      if (channel) this.#deps.broker.closeChannel(channel);
      await Promise.all(left.map(({ delivery }) => this.#release(delivery)));
    }
    this.#deps.over();
  }

  /** With its process: the network closes what is open. */
  die(): void {
    if (this.#channel) this.#deps.broker.closeChannel(this.#channel);
    this.#channel = undefined;
  }

  // Opening

  #open(): void {
    if (this.#closed) return;
    const { broker, source, process } = this.#deps;
    this.#request('open', () => {
      if (!process.alive) return undefined;
      const channel: Channel = broker.openChannel(source.queue, {
        ready: () => { if (process.alive) this.#pull(); },
        closed: (why) => { if (process.alive && this.#channel === channel) this.#broken('QueueUnreachable', why); },
        cancelled: () => { if (process.alive && this.#channel === channel) this.#consumerGone(); },
      });
      return channel;
    }, (channel) => { this.#opened(channel); }, () => {
      this.#opening = false;
      return true;
    });
  }

  #opened(channel: Channel | undefined): void {
    this.#opening = false;
    if (!channel) return;
    if (this.#closed || !channel.open) {
      this.#deps.broker.closeChannel(channel);
      this.#openLater();
      return;
    }
    this.#channel = channel;
    this.#failures = 0;
    this.#cancelled = false;
    const rules = this.#queue?.rules;
    const says = rules?.saysLimit ?? rules?.limit;
    this.#say({ kind: 'open', leaseLimit: says === 'nothing' ? undefined : says, strict: rules?.kind !== 'sqs', limitName: `the lease of queue "${this.#deps.source.queue}"` });
    this.#adoptAll();
    this.#pull();
  }

  #broken(reason: SourceProblem, message: string): void {
    if (this.#channel) this.#deps.broker.closeChannel(this.#channel);
    this.#channel = undefined;
    if (this.#deps.source.type === 'amqp') for (const token of [...this.#mine.keys()]) this.#lose(token, message);
    this.#say({ kind: 'closed', reason, message });
    this.#openLater();
  }

  #say(state: SourceState): void {
    const text = JSON.stringify(state);
    if (text !== this.#said) this.#deps.events.state(state);
    this.#said = text;
  }

  #consumerGone(): void {
    this.#cancelled = true;
    this.#deps.process.clock.timer(firstPause, () => {
      this.#cancelled = false;
      this.#pull();
    });
  }

  // Leasing

  #pull(): void {
    const channel = this.#channel;
    const wanted = Math.min(this.#total - this.#delivered, batch);
    if (!channel || this.#closed || this.#cancelled || wanted <= 0) return;
    this.#again = this.#fetching;
    if (this.#fetching) return;
    this.#fetching = true;
    // What pg-boss and SQS were asked for goes out, whoever is there to have it.
    const mayLease = (): boolean => channel.open || this.#deps.source.type !== 'amqp';
    this.#request('fetch', () => (mayLease() ? (this.#queue?.lease(wanted, channel) ?? []) : []), (deliveries) => {
      this.#fetching = false;
      for (const delivery of deliveries) this.#came(delivery, channel);
      if (deliveries.length > 0 || this.#again) this.#pull();
    }, () => {
      this.#fetching = false;
      return this.#channel === channel;
    });
  }

  #came(delivery: Delivery, channel: Channel): void {
    // It has come back by itself, and nobody here has had it.
    if (this.#deps.source.type === 'amqp' && !channel.open) return;
    this.#delivered += 1;
    if (this.#closed) void this.#release(delivery);
    else this.#take(delivery, channel, { message: true, adopted: false });
  }

  #take(delivery: Delivery, channel: Channel, withIt: { readonly message: boolean; readonly adopted: boolean }): void {
    const { hold, events, process } = this.#deps;
    const token = hold({ delivery, channel, forget: () => { this.#forget(token); } });
    this.#mine.set(token, { delivery, timer: undefined, abandoned: false });
    this.#keep(token, delivery);
    const { message, problem } = delivery.stored;
    events.leased({
      token,
      message: withIt.message ? message : undefined,
      id: message.id,
      delivery: delivery.number,
      receipt: this.#receipt(delivery),
      since: process.clock.now(),
      adopted: withIt.adopted,
      ...(problem === undefined ? {} : { problem }),
    });
  }

  #receipt({ handle, stored }: Delivery): Receipt {
    switch (this.#deps.source.type) {
      case 'pgBoss': return { id: stored.message.id };
      case 'sqs': return { handle };
      case 'amqp': return {};
    }
  }

  #adoptAll(): void {
    for (const [key, { id, receipt }] of this.#adopting) {
      this.#adopting.delete(key);
      this.#request('adopt', () => this.#adoptable(id, receipt), (delivery) => {
        if (!delivery) return;
        if (this.#closed) void this.#release(delivery);
        else this.#take(delivery, this.#channel ?? { queue: this.#deps.source.queue, open: false }, { message: this.#deps.source.type === 'pgBoss', adopted: true });
      }, () => {
        this.#adopting.set(key, { id, receipt });
        return true;
      });
    }
  }

  #adoptable(id: string, receipt: Receipt): Delivery | undefined {
    const queue = this.#queue;
    if (queue?.rules.kind === 'pgBoss') {
      const stored = queue.find(id);
      return stored?.state === 'inFlight' ? stored.delivery : undefined;
    }
    const delivery = queue?.byHandle(receipt['handle'] ?? '');
    return delivery && queue?.extend(delivery, queue.rules.holds) === true ? delivery : undefined;
  }

  // Keeping

  #keep(token: string, delivery: Delivery): void {
    const rules = this.#queue?.rules;
    if (!rules || rules.kind === 'amqp') return;
    const { process, broker } = this.#deps;
    if (rules.kind === 'pgBoss') this.#after(token, rules.limit - (broker.clock.now() - delivery.startedAt), () => { this.#lose(token, 'it expired'); });
    else this.#renewFrom(token, process.clock.monotonic() + rules.holds);
  }

  #renewFrom(token: string, until: number): void {
    const { process } = this.#deps;
    const left = until - process.clock.monotonic();
    if (left <= 0) {
      this.#lose(token, 'its visibility timeout is over');
      return;
    }
    const holds = this.#queue?.rules.holds ?? 0;
    this.#after(token, left > holds / 2 ? left / 2 : Math.min(left, 1000), () => { this.#renew(token, until); });
  }

  #renew(token: string, until: number): void {
    const mine = this.#mine.get(token);
    if (!mine) return;
    const queue = this.#queue;
    if (mine.abandoned || !queue) {
      this.#renewFrom(token, until);
      return;
    }
    const { process, broker, source } = this.#deps;
    const asked = process.clock.monotonic();
    void process.call(() => broker.request('renew', source, () => queue.extend(mine.delivery, queue.rules.holds)).catch(() => undefined)).then((extended) => {
      if (!this.#mine.has(token)) return;
      if (extended === false) this.#lose(token, 'somebody else has received it, or it was held for too long');
      else this.#renewFrom(token, extended === true ? asked + queue.rules.holds : until);
    });
  }

  #lose(token: string, why: string): void {
    if (!this.#mine.has(token)) return;
    this.#deps.drop(token);
    this.#deps.events.lost(token, why);
  }

  #after(token: string, delay: number, run: () => void): void {
    const mine = this.#mine.get(token);
    if (mine) mine.timer = this.#deps.process.clock.timer(delay, run);
  }

  #forget(token: string): void {
    this.#mine.get(token)?.timer?.cancel();
    this.#mine.delete(token);
  }

  // Requests

  async #release(delivery: Delivery): Promise<void> {
    const { broker, process, source } = this.#deps;
    await process.call(() => broker.request('settle', source, () => this.#queue?.settle(delivery, { kind: 'release' })).catch(() => undefined));
  }

  async #closing(channel: Channel): Promise<void> {
    const { broker, source } = this.#deps;
    await broker.request('settle', source, () => undefined).catch(() => undefined);
    broker.closeChannel(channel);
  }

  /** `otherwise` says whether a failure ends the channel. */
  #request<T>(call: MessageCall, effect: () => T, then: (answer: T) => void, otherwise: () => boolean): void {
    const { broker, process, source } = this.#deps;
    process.call(() => broker.request(call, source, effect)).then(then, (error: unknown) => {
      if (!otherwise() || this.#closed) return;
      const failure = error instanceof BrokerFailure ? error : new BrokerFailure('QueueUnreachable', String(error));
      this.#broken(failure.reason, failure.message);
    });
  }

  #openLater(): void {
    if (this.#closed || this.#opening) return;
    this.#opening = true;
    const pause = Math.min(firstPause * 2 ** Math.min(this.#failures, 10), longestPause);
    this.#failures += 1;
    this.#deps.process.clock.timer(pause, () => { this.#open(); });
  }

  get #queue(): SimulatedMessageQueue | undefined {
    return this.#deps.broker.find(this.#deps.source.queue);
  }
}
