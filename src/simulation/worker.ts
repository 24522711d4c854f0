/** A worker as users write it: takes messages while there are any, and then ends. */
import type { PodScript, RunningContainer } from './pod-script.ts';
import type { Message, SimulatedQueue } from './queue.ts';

export interface WorkerOptions {
  readonly startsAfter?: number;
  /** Milliseconds of work per message. */
  readonly perMessage?: number;
  /** Keeps looking for new messages this long before it ends. */
  readonly linger?: number;
  /** The process dies with a message in hand, which comes back only when its lease expires. */
  readonly crashChance?: number;
  /** The work on a message fails; it comes back after `retryAfter`. */
  readonly failChance?: number;
  readonly retryAfter?: number;
}

const pollInterval = 500;

/** A pod that drains `queue`, and ends with 0 when it is empty. */
export function drainWorker(queue: SimulatedQueue, options: WorkerOptions = {}): PodScript {
  const work = (container: RunningContainer): void => { new Worker(queue, options, container).next(); };
  return { work, ...(options.startsAfter === undefined ? {} : { startsAfter: options.startsAfter }) };
}

class Worker {
  readonly #queue: SimulatedQueue;
  readonly #options: WorkerOptions;
  readonly #container: RunningContainer;
  #idleSince: number | undefined;
  #inHand: Message | undefined;

  constructor(queue: SimulatedQueue, options: WorkerOptions, container: RunningContainer) {
    this.#queue = queue;
    this.#options = options;
    this.#container = container;
    // On SIGTERM a decent worker gives its message back.
    container.onStop(() => {
      if (this.#inHand) queue.fail(this.#inHand);
      container.exit({ code: 143 });
    });
  }

  next(): void {
    const message = this.#queue.fetch();
    if (!message) {
      this.#idle();
      return;
    }
    this.#idleSince = undefined;
    this.#inHand = message;
    const { clock, random } = this.#container;
    const takes = this.#options.perMessage ?? 200;
    if (random.chance(this.#options.crashChance ?? 0)) {
      clock.timer(random.between(0, takes), () => { this.#container.exit({ code: 1, message: 'crashed' }); });
      return;
    }
    clock.timer(takes, () => { this.#end(message); });
  }

  #end(message: Message): void {
    this.#inHand = undefined;
    if (this.#container.random.chance(this.#options.failChance ?? 0)) this.#queue.fail(message, this.#options.retryAfter ?? 0);
    else this.#queue.complete(message);
    this.next();
  }

  #idle(): void {
    const { clock } = this.#container;
    this.#idleSince ??= clock.now();
    if (clock.now() - this.#idleSince >= (this.#options.linger ?? 0)) this.#container.exit({ code: 0 });
    else clock.timer(pollInterval, () => { this.next(); });
  }
}
