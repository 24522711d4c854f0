/**
 * A queue in memory whose messages are leased and settled, with the rules of pg-boss, of RabbitMQ or of SQS. It is the
 * broker's side, and the ground truth for invariants: what was delivered, acknowledged, dead-lettered or dropped.
 */
import type { Timer } from '../lib/clock.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Failure, Message, Verdict } from '../plan/messages/message.ts';
import type { VirtualClock } from './clock.ts';
import { type MessageQueueOptions, type MessageRules, rulesOf } from './message-rules.ts';

export interface StoredMessage {
  readonly message: Message;
  /** It lacks what its source knows messages by. */
  readonly problem: string | undefined;
  /** Place in the queue: it keeps it when it comes back. */
  readonly order: number;
  /** `dropped`: rejected or expired, and nobody wanted to have it. */
  state: 'ready' | 'inFlight' | 'completed' | 'dead' | 'dropped';
  readyAt: number;
  /** Deliveries as the queue counts them. */
  counted: number;
  /** All of them. */
  deliveries: number;
  /** Acknowledgements that took effect: never more than one. */
  completions: number;
  settledAt: number | undefined;
  output: JsonObject | undefined;
  failure: Failure | undefined;
  /** The delivery in flight, or the one before. */
  delivery: Delivery | undefined;
}

/** One handing-out of a message. */
export interface Delivery {
  /** Receipt handle of SQS; others do not give it away. */
  readonly handle: string;
  readonly stored: StoredMessage;
  /** As the queue counts them, this one included. */
  readonly number: number;
  readonly startedAt: number;
  /** AMQP: it lives no longer than this. */
  readonly channel: object;
}

/** What the broker makes of a request to settle. `lost`: that delivery is not in flight any more. */
export type Settled = 'done' | 'already' | 'lost';

export interface Sent {
  readonly id?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Message['headers'];
  readonly contentType?: string;
  /** Milliseconds until it may be taken. */
  readonly startAfter?: number;
  readonly problem?: string;
}

export interface MessageQueueDeps {
  readonly clock: VirtualClock;
  /** Another one for each queue: handles of one that was deleted are worth nothing in its successor. */
  readonly generation: number;
  /** Where messages go that were rejected or delivered too often; undefined: nobody has them. */
  readonly deadLetters: () => SimulatedMessageQueue | undefined;
  /** The broker ends a channel: consumer_timeout. */
  readonly closeChannel: (channel: object, why: string) => void;
}

export class SimulatedMessageQueue {
  readonly name: string;
  readonly rules: MessageRules;
  readonly messages: StoredMessage[] = [];
  readonly #deps: MessageQueueDeps;
  readonly #ready = new Set<StoredMessage>();
  readonly #inFlight = new Map<Delivery, Timer>();
  readonly #onReady = new Set<() => void>();
  readonly #onTold: ((stored: StoredMessage, verdict: Verdict) => void)[] = [];
  #deliveries = 0;

  constructor(name: string, options: MessageQueueOptions, deps: MessageQueueDeps) {
    this.name = name;
    this.rules = rulesOf(options);
    this.#deps = deps;
  }

  /** Publishes one message for each of them. */
  send(...sent: readonly Sent[]): StoredMessage[] {
    const stored = sent.map((one, index) => this.#stored(one, this.messages.length + index));
    this.messages.push(...stored);
    for (const one of stored) this.#makeReady(one, one.readyAt);
    return stored;
  }

  sendMany(count: number, changes: Sent = {}): StoredMessage[] {
    return this.send(...Array.from({ length: count }, () => changes));
  }

  /** Calls `run` whenever a message may have become ready, until the returned function is called. */
  onReady(run: () => void): () => void {
    this.#onReady.add(run);
    return () => { this.#onReady.delete(run); };
  }

  /** Calls `run` with each verdict that is about to take effect. */
  onTold(run: (stored: StoredMessage, verdict: Verdict) => void): void {
    this.#onTold.push(run);
  }

  /** The first of this id. */
  find(id: string): StoredMessage | undefined {
    return this.messages.find(({ message }) => message.id === id);
  }

  get ready(): number {
    return this.#readyNow().length;
  }

  get nextReadyAt(): number | undefined {
    const now = this.#deps.clock.now();
    const later = [...this.#ready].map(({ readyAt }) => readyAt).filter((at) => at > now);
    return later.length === 0 ? undefined : Math.min(...later);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Neither acknowledged nor given up. */
  get unfinished(): number {
    return this.#ready.size + this.#inFlight.size;
  }

  get dropped(): number {
    return this.messages.filter(({ state }) => state === 'dropped').length;
  }

  /** Hands out the oldest that are ready. What was handed out too often goes where dead ones go instead. */
  lease(count: number, channel: object): Delivery[] {
    const leased: Delivery[] = [];
    for (const stored of this.#readyNow()) {
      if (leased.length === count) break;
      this.#ready.delete(stored);
      if (this.rules.deadOnDelivery(stored.counted + 1)) this.#bury(stored, undefined);
      else leased.push(this.#deliver(stored, channel));
    }
    return leased;
  }

  /** By the delivery that SQS and RabbitMQ know it by. */
  settle(delivery: Delivery | undefined, verdict: Verdict): Settled {
    if (delivery === undefined) return 'lost';
    const { stored } = delivery;
    if (stored.delivery !== delivery) return 'lost';
    if (stored.state === 'completed') return 'already';
    // SQS deletes what nobody else has received since, also when its time was over.
    const late = this.rules.kind === 'sqs' && verdict.kind === 'complete' && this.#ready.has(stored);
    if (!this.#inFlight.has(delivery) && !late) return 'lost';
    this.#tell(stored, verdict);
    return 'done';
  }

  /** By the id alone: pg-boss looks at the state of the row. */
  settleRow(id: string, verdict: Verdict): Settled {
    const stored = this.find(id);
    if (stored?.state === 'completed') return 'already';
    if (stored?.state !== 'inFlight') return 'lost';
    this.#tell(stored, verdict);
    return 'done';
  }

  /** The delivery with this handle, if it is the last one of its message. */
  byHandle(handle: string): Delivery | undefined {
    return this.messages.find(({ delivery }) => delivery?.handle === handle)?.delivery;
  }

  isInFlight(delivery: Delivery): boolean {
    return this.#inFlight.has(delivery);
  }

  /** SQS: it stays invisible for so long from now on. False: it is in flight no more, or longer than it may be. */
  extend(delivery: Delivery, visibility: number): boolean {
    const timer = this.#inFlight.get(delivery);
    const { limit } = this.rules;
    const until = this.#deps.clock.now() - delivery.startedAt + visibility;
    if (timer === undefined || until > limit) return false;
    timer.cancel();
    this.#inFlight.set(delivery, this.#ends(delivery, visibility));
    return true;
  }

  /** RabbitMQ: what was delivered there comes back at once. */
  channelClosed(channel: object): void {
    for (const delivery of [...this.#inFlight.keys()]) if (delivery.channel === channel) this.#comeBack(delivery.stored, 0);
  }

  /** Whoever has it is not told, and it is handed out again. */
  takeAway(stored: StoredMessage): void {
    if (stored.state === 'inFlight') this.#comeBack(stored, 0);
  }

  /** It was settled, and comes once more all the same: what "at least once" allows. */
  deliverOnceMore(stored: StoredMessage): void {
    if (stored.state === 'ready' || stored.state === 'inFlight') return;
    this.#makeReady(stored, this.#deps.clock.now());
  }

  /** Everything in it is gone, and nobody settles any of it any more. */
  purge(): void {
    for (const timer of this.#inFlight.values()) timer.cancel();
    this.#inFlight.clear();
    this.#ready.clear();
    this.messages.length = 0;
  }

  #stored({ id, body = '{}', headers = {}, contentType, startAfter = 0, problem }: Sent, index: number): StoredMessage {
    const now = this.#deps.clock.now();
    const message: Message = {
      id: id ?? `${this.name}-${index + 1}`,
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      headers: this.rules.kind === 'pgBoss' ? {} : headers,
      contentType,
      enqueuedAt: now,
    };
    return { message, problem, order: index, state: 'ready', readyAt: now + startAfter, counted: 0, deliveries: 0, completions: 0, settledAt: undefined, output: undefined, failure: undefined, delivery: undefined };
  }

  #readyNow(): StoredMessage[] {
    const now = this.#deps.clock.now();
    return [...this.#ready].filter(({ readyAt }) => readyAt <= now).toSorted((one, other) => one.order - other.order);
  }

  #deliver(stored: StoredMessage, channel: object): Delivery {
    stored.counted += 1;
    stored.deliveries += 1;
    stored.state = 'inFlight';
    this.#deliveries += 1;
    const delivery: Delivery = { handle: `${this.name}/${this.#deps.generation}/${this.#deliveries}`, stored, number: stored.counted, startedAt: this.#deps.clock.now(), channel };
    stored.delivery = delivery;
    this.#inFlight.set(delivery, this.#ends(delivery, this.rules.holds));
    return delivery;
  }

  #ends(delivery: Delivery, after: number): Timer {
    return this.#deps.clock.timer(after, () => {
      if (this.rules.kind === 'amqp') this.#deps.closeChannel(delivery.channel, `delivery acknowledgement on queue "${this.name}" timed out`);
      else if (this.rules.kind === 'pgBoss') this.#conclude(delivery.stored, { kind: 'fail', failure: { reason: 'Expired', message: 'job timed out', job: undefined, attempt: delivery.number }, delay: 0 });
      else this.#comeBack(delivery.stored, 0);
    });
  }

  #tell(stored: StoredMessage, verdict: Verdict): void {
    for (const run of this.#onTold) run(stored, verdict);
    this.#conclude(stored, verdict);
  }

  #conclude(stored: StoredMessage, verdict: Verdict): void {
    switch (verdict.kind) {
      case 'complete':
        this.#leave(stored);
        stored.state = 'completed';
        stored.completions += 1;
        stored.settledAt = this.#deps.clock.now();
        stored.output = verdict.output;
        return;
      case 'release':
        if (this.rules.releaseCountsNot) stored.counted -= 1;
        this.#comeBack(stored, 0);
        return;
      case 'fail': {
        const delay = this.rules.comesBackAfter(stored.counted, verdict.delay);
        if (delay === undefined) this.#bury(stored, verdict.failure);
        else this.#comeBack(stored, delay);
      }
    }
  }

  #comeBack(stored: StoredMessage, delay: number): void {
    this.#leave(stored);
    this.#makeReady(stored, this.#deps.clock.now() + delay);
  }

  #bury(stored: StoredMessage, failure: Failure | undefined): void {
    this.#leave(stored);
    const target = this.#deps.deadLetters();
    stored.state = target || this.rules.keepsDead ? 'dead' : 'dropped';
    stored.settledAt = this.#deps.clock.now();
    stored.failure = failure;
    target?.send({ id: stored.message.id, body: stored.message.body, headers: stored.message.headers });
  }

  #leave(stored: StoredMessage): void {
    this.#ready.delete(stored);
    if (!stored.delivery) return;
    this.#inFlight.get(stored.delivery)?.cancel();
    this.#inFlight.delete(stored.delivery);
  }

  #makeReady(stored: StoredMessage, readyAt: number): void {
    stored.state = 'ready';
    stored.readyAt = readyAt;
    this.#ready.add(stored);
    const delay = readyAt - this.#deps.clock.now();
    if (delay <= 0) this.#tellReady();
    else this.#deps.clock.timer(delay, () => { this.#tellReady(); });
  }

  #tellReady(): void {
    for (const run of [...this.#onReady]) run();
  }
}
