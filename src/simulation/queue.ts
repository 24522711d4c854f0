/**
 * Queues in memory with the semantics of pg-boss: messages become ready at a time, are leased by a worker, and come back
 * when the lease expires. They know the truth about every message, so a simulation can check that none was lost.
 */
import type { Timer } from '../lib/clock.ts';
import type { DepthProblem } from '../plan/observed.ts';
import type { DepthAnswer, DepthProbe, DepthQuery } from '../reconcile/ports.ts';
import type { VirtualClock } from './clock.ts';

export interface Message {
  readonly id: string;
  readonly sentAt: number;
  readyAt: number;
  state: 'waiting' | 'active' | 'completed' | 'dead';
  /** How often it was handed out. */
  deliveries: number;
  /** More than one means that the work was done twice. */
  completions: number;
  completedAt: number | undefined;
}

export interface QueueOptions {
  /** A worker that says nothing for so long has lost its message. */
  readonly expiry?: number;
  /** Deliveries after the first, before a message is dead. */
  readonly retryLimit?: number;
}

/** One queue; the ground truth for invariants. */
export class SimulatedQueue {
  readonly name: string;
  readonly messages: Message[] = [];
  readonly #clock: VirtualClock;
  readonly #expiry: number;
  readonly #retryLimit: number;
  readonly #leases = new Map<string, Timer>();
  readonly #waiting = new Set<Message>();
  readonly #onSend: (() => void)[] = [];

  constructor(name: string, clock: VirtualClock, options: QueueOptions = {}) {
    this.name = name;
    this.#clock = clock;
    this.#expiry = options.expiry ?? 900_000;
    this.#retryLimit = options.retryLimit ?? Infinity;
  }

  /** Puts `count` messages in; with `startAfter` (milliseconds) they become ready later. */
  send(count = 1, { startAfter = 0 }: { startAfter?: number } = {}): Message[] {
    const sentAt = this.#clock.now();
    const sent = Array.from({ length: count }, (_, index): Message => ({
      id: `${this.name}-${this.messages.length + index + 1}`, sentAt, readyAt: sentAt + startAfter, state: 'waiting', deliveries: 0, completions: 0, completedAt: undefined,
    }));
    this.messages.push(...sent);
    for (const message of sent) this.#waiting.add(message);
    for (const listener of this.#onSend) listener();
    return sent;
  }

  /** Called after each send, as LISTEN/NOTIFY would tell it. */
  onSend(listener: () => void): void {
    this.#onSend.push(listener);
  }

  get ready(): number {
    const now = this.#clock.now();
    let count = 0;
    for (const message of this.#waiting) if (message.readyAt <= now) count += 1;
    return count;
  }

  get nextReadyAt(): number | undefined {
    const now = this.#clock.now();
    let next: number | undefined;
    for (const { readyAt } of this.#waiting) if (readyAt > now) next = Math.min(next ?? readyAt, readyAt);
    return next;
  }

  get active(): number {
    return this.#leases.size;
  }

  /** Messages that were neither done nor given up. */
  get unfinished(): number {
    return this.#waiting.size + this.#leases.size;
  }

  /** Leases the oldest ready message. */
  fetch(): Message | undefined {
    const now = this.#clock.now();
    for (const message of this.#waiting) {
      if (message.readyAt > now) continue;
      this.#waiting.delete(message);
      message.state = 'active';
      message.deliveries += 1;
      this.#leases.set(message.id, this.#clock.quietTimer(this.#expiry, () => { this.fail(message); }));
      return message;
    }
    return undefined;
  }

  /** The work is done. Counted even when the lease was lost: that is the duplicate that invariants look for. */
  complete(message: Message): void {
    message.completions += 1;
    if (!this.#release(message)) return;
    message.state = 'completed';
    message.completedAt = this.#clock.now();
  }

  /** The message comes back after `retryAfter` milliseconds, or is dead when it was delivered too often. */
  fail(message: Message, retryAfter = 0): void {
    if (!this.#release(message)) return;
    if (message.deliveries > this.#retryLimit) {
      message.state = 'dead';
      return;
    }
    message.state = 'waiting';
    message.readyAt = this.#clock.now() + retryAfter;
    this.#waiting.add(message);
  }

  #release(message: Message): boolean {
    const lease = this.#leases.get(message.id);
    lease?.cancel();
    return this.#leases.delete(message.id);
  }
}

export interface QueuesOptions {
  readonly clock: VirtualClock;
  /** Milliseconds that a depth query takes. */
  readonly latency?: () => number;
}

/** All queues of a simulation, and the probe that asks for their depth. Queues are told apart by name alone. */
export class SimulatedQueues implements DepthProbe {
  readonly #clock: VirtualClock;
  readonly #latency: () => number;
  readonly #queues = new Map<string, SimulatedQueue>();
  readonly #problems = new Map<string, DepthProblem>();
  #hanging = false;
  #probes = 0;

  constructor(options: QueuesOptions) {
    this.#clock = options.clock;
    this.#latency = options.latency ?? (() => 2);
  }

  /** The queue of this name, made when it is asked for first. */
  queue(name: string, options?: QueueOptions): SimulatedQueue {
    const known = this.#queues.get(name);
    if (known) return known;
    const made = new SimulatedQueue(name, this.#clock, options);
    this.#queues.set(name, made);
    return made;
  }

  get all(): readonly SimulatedQueue[] {
    return [...this.#queues.values()];
  }

  /** How many depth queries were made. */
  get probes(): number {
    return this.#probes;
  }

  /** Makes every query about this connection fail, until called without a problem. */
  breakConnection(connection: string, problem?: DepthProblem): void {
    if (problem === undefined) this.#problems.delete(connection);
    else this.#problems.set(connection, problem);
  }

  /** Queries are answered no more until they are aborted. */
  setHanging(hanging: boolean): void {
    this.#hanging = hanging;
  }

  depth(query: DepthQuery, signal: AbortSignal): Promise<DepthAnswer> {
    this.#probes += 1;
    return new Promise((resolve) => {
      const abort = (): void => { resolve({ kind: 'unknown', reason: 'QueueUnreachable', message: 'the query was aborted' }); };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      if (this.#hanging) return;
      this.#clock.timer(this.#latency(), () => {
        signal.removeEventListener('abort', abort);
        resolve(this.#answer(query));
      });
    });
  }

  #answer({ source: { connection, queue }, upTo }: DepthQuery): DepthAnswer {
    const problem = this.#problems.get(connection);
    if (problem !== undefined) return { kind: 'unknown', reason: problem, message: `connection "${connection}": ${problem}` };
    const found = this.#queues.get(queue);
    if (!found) return { kind: 'unknown', reason: 'QueueNotFound', message: `queue "${queue}" does not exist` };
    return { kind: 'known', ready: Math.min(found.ready, upTo), nextReadyAt: found.nextReadyAt };
  }
}
