/** A worker that fetches for itself from a queue whose messages job-chief may lease at other times. */
import type { Channel, MessageBroker } from '../../src/simulation/message-broker.ts';
import type { MessageCall } from '../../src/simulation/message-faults.ts';
import type { Delivery, SimulatedMessageQueue } from '../../src/simulation/message-queue.ts';
import type { PodScript, RunningContainer } from '../../src/simulation/pod-script.ts';

export interface MessageWorkerOptions {
  readonly broker: MessageBroker;
  readonly queue: SimulatedMessageQueue;
  readonly startsAfter: number;
  /** Milliseconds of work for each message. */
  readonly takes: number;
  /** Probabilities, for each message: the process dies with it in hand; the work on it fails. */
  readonly crashes?: number;
  readonly fails?: number;
  /** What it tells the queue happens in there: it is not job-chief that tells. */
  readonly telling: (tell: () => void) => void;
}

/** A pod that empties the queue, and ends with 0 when nothing is ready. What it cannot reach ends it with 1. */
export function messageWorker(options: MessageWorkerOptions): PodScript {
  return { startsAfter: options.startsAfter, work: (container) => { new MessageWorker(options, container).start(); } };
}

class MessageWorker {
  readonly #options: MessageWorkerOptions;
  readonly #container: RunningContainer;
  #channel: Channel | undefined;

  constructor(options: MessageWorkerOptions, container: RunningContainer) {
    this.#options = options;
    this.#container = container;
    container.onStop(() => { this.#end(143); });
  }

  start(): void {
    const { broker, queue } = this.#options;
    this.#ask('fetch', () => broker.openChannel(queue.name, { ready: () => undefined, cancelled: () => undefined, closed: () => { this.#end(1); } }), (channel) => {
      this.#channel = channel;
      this.#next(channel);
    });
  }

  #next(channel: Channel): void {
    this.#ask('fetch', () => (channel.open ? this.#options.queue.lease(1, channel) : []), ([delivery]) => {
      if (delivery) this.#work(delivery, channel);
      else this.#end(0);
    });
  }

  #work(delivery: Delivery, channel: Channel): void {
    const { takes, crashes = 0, fails = 0, queue, telling } = this.#options;
    const { clock, random } = this.#container;
    const crashed = random.chance(crashes);
    const failed = random.chance(fails);
    clock.timer(takes, () => {
      if (crashed) this.#end(1);
      else this.#ask('settle', () => { telling(() => { queue.settle(delivery, failed ? { kind: 'fail', failure: { reason: 'Failed', message: '', job: undefined, attempt: 1 }, delay: 0 } : { kind: 'complete' }); }); }, () => { this.#next(channel); });
    });
  }

  #ask<Answer>(call: MessageCall, effect: () => Answer, then: (answer: Answer) => void): void {
    const { broker, queue } = this.#options;
    broker.request(call, { connection: 'main', queue: queue.name }, effect).then(then, () => { this.#end(1); });
  }

  #end(code: number): void {
    if (this.#channel) this.#options.broker.closeChannel(this.#channel);
    this.#container.exit({ code });
  }
}
