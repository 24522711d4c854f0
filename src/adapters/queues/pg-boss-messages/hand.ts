/** The leases of one queue that this process has in hand. */
import type { Attempt } from './rows.ts';

export interface Held {
  readonly token: string;
  readonly id: string;
  readonly attempt: Attempt;
  /** The job is taken away when nobody has touched it for so long; undefined: never. */
  readonly heartbeatSeconds: number | undefined;
  /** Not to be touched any more: it ends when it ends. */
  abandoned: boolean;
  /** The queue is being told: what its row says meanwhile is no loss. */
  settling: number;
}

export class Hand {
  readonly #held = new Map<string, Held>();

  get size(): number {
    return this.#held.size;
  }

  add(lease: Pick<Held, 'token' | 'id' | 'attempt' | 'heartbeatSeconds'>): void {
    this.#held.set(lease.token, { ...lease, abandoned: false, settling: 0 });
  }

  get(token: string): Held | undefined {
    return this.#held.get(token);
  }

  remove(token: string): boolean {
    return this.#held.delete(token);
  }

  all(): readonly Held[] {
    return [...this.#held.values()];
  }

  /** Those that must be touched from time to time. */
  beating(): readonly Held[] {
    return this.all().filter(({ abandoned, heartbeatSeconds, settling }) => heartbeatSeconds !== undefined && !abandoned && settling === 0);
  }
}
