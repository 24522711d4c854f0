/**
 * Who sends next, while only so many requests may be under way at once: first what others wait for (the look that
 * precedes creates), then everything else, last what nobody waits for (Events). Only a limit that is reached makes
 * anybody wait; then each lane is first come, first served.
 */

/** Of a request; `normal` unless it says otherwise. */
export type Priority = 'first' | 'normal' | 'last';

/** One of so many goes to the last lane whatever waits in the others: a load that never ends must not silence it. */
const lastShare = 64;

interface Waiting {
  readonly begin: () => void;
}

export class RequestLanes {
  readonly #lanes: Readonly<Record<Priority, Set<Waiting>>> = { first: new Set(), normal: new Set(), last: new Set() };
  #free: number;
  /** How many have gone before the last lane since something began to wait there. */
  #passed = 0;

  /** `width`: how many may be under way at once. */
  constructor(width: number) {
    this.#free = width;
  }

  /** Runs `work` when it is its turn. Rejects with the signal's reason when that aborts while it waits. */
  async run<Result>(priority: Priority, signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(this.#lanes[priority], signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #turn(lane: Set<Waiting>, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        lane.delete(waiting);
        signal?.removeEventListener('abort', stop);
      };
      const stop = (): void => {
        end();
        reject(signal?.reason as Error);
      };
      const waiting: Waiting = {
        begin: () => {
          end();
          resolve();
        },
      };
      if (signal?.aborted === true) {
        stop();
        return;
      }
      lane.add(waiting);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Hands the place on, or leaves it free. */
  #leave(): void {
    const { first, normal, last } = this.#lanes;
    const overdue = last.size > 0 && this.#passed >= lastShare ? last : undefined;
    const lane = overdue ?? [first, normal, last].find(({ size }) => size > 0);
    if (!lane) {
      this.#free += 1;
      return;
    }
    this.#passed = lane === last || last.size === 0 ? 0 : this.#passed + 1;
    for (const { begin } of lane) {
      begin();
      return;
    }
  }
}
