/** Something to wait for that rings from several sides. What rang while nobody waited counts for the next wait. */
import type { Clock } from '../../lib/clock.ts';

export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Whether it rang since the last call, waiting for it at most `limit` milliseconds. For one waiter at a time. */
  async wait(limit: number): Promise<boolean> {
    if (!this.#rung) await this.#sleep(limit);
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }

  async #sleep(limit: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#clock.timer(limit, () => { resolve(undefined); });
    this.#wake = () => { resolve(undefined); };
    await promise;
    this.#wake = undefined;
    timer.cancel();
  }
}
