/**
 * Slow start for creates, over all keys: 1, 2, 4, 8 … at once as they succeed, back to 1 when the API server refuses one
 * for a full quota or a missing right. While it refuses, the others are not sent to be refused as well: they share the
 * answer for a moment. (ReplicaSet and Job controllers start slowly for the same reason: controller_utils.go.)
 */
import type { Clock } from '../lib/clock.ts';
import type { WriteResult } from './ports.ts';

const widest = 1024;
const firstPause = 1000;
const longestPause = 30_000;

type Shared = Extract<WriteResult, { kind: 'quota' | 'forbidden' }>;

export class CreateGate {
  readonly #clock: Clock;
  #width = 1;
  #inside = 0;
  #pause = 0;
  #closed: { readonly until: number; readonly answer: Shared } | undefined;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a Job is being created, from the look that precedes it on. What can wait gives way to it. */
  get busy(): boolean {
    return this.#underWay > 0;
  }

  /** Runs all that one create consists of. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Runs `create` when there is room; or gives the answer that the last one got, if that was a refusal for all. */
  async pass(create: () => Promise<WriteResult>): Promise<WriteResult> {
    while (this.#inside >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed && this.#clock.monotonic() < this.#closed.until) {
      this.#waiting.shift()?.();
      return this.#closed.answer;
    }
    this.#inside += 1;
    try {
      const result = await create();
      this.#learn(result);
      return result;
    } finally {
      this.#inside -= 1;
      this.#wakeWaiting();
    }
  }

  #learn(result: WriteResult): void {
    if (result.kind === 'done') {
      this.#width = Math.min(this.#width * 2, widest);
      this.#pause = 0;
      this.#closed = undefined;
    } else if (result.kind === 'quota' || result.kind === 'forbidden') {
      this.#width = 1;
      this.#pause = Math.min(Math.max(this.#pause * 2, firstPause), longestPause);
      this.#closed = { until: this.#clock.monotonic() + this.#pause, answer: result };
    }
  }

  #wakeWaiting(): void {
    for (let room = Math.min(this.#width - this.#inside, this.#waiting.length); room > 0; room -= 1) this.#waiting.shift()?.();
  }
}
