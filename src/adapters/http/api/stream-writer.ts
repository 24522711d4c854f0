/**
 * A body that is written piece by piece for as long as it takes. Whoever writes waits until the caller has read; a caller
 * that does not read is cut, so that it holds nothing here.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../lib/clock.ts';

/** Milliseconds that a caller may leave what was sent unread. */
const longestStall = 30_000;

export class StreamWriter {
  readonly #raw: ServerResponse;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  /** The server stops: the stream is to end at its next good moment. */
  readonly stopping: AbortSignal;
  /** Aborts when the caller is gone, or the server stops. */
  readonly ended: AbortSignal;

  constructor(raw: ServerResponse, clock: Clock, stopping: AbortSignal) {
    this.#raw = raw;
    this.#clock = clock;
    this.stopping = stopping;
    this.ended = AbortSignal.any([this.#closed.signal, stopping]);
    const gone = (): void => { this.#closed.abort(new Error('the caller is gone')); };
    raw.once('close', gone);
    raw.on('error', () => undefined);
    // It went while its request was being looked at, and no event will tell.
    if (raw.destroyed) gone();
  }

  get gone(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Resolves when there is room for more; what is written to a caller that is gone is lost. */
  async write(text: string): Promise<void> {
    if (this.gone || this.#raw.write(text)) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => { resolve(undefined); };
    const timer = this.#clock.timer(longestStall, () => {
      this.#raw.destroy();
      end();
    });
    this.#raw.once('drain', end);
    this.#closed.signal.addEventListener('abort', end, { once: true });
    await promise;
    timer.cancel();
    this.#raw.off('drain', end);
    this.#closed.signal.removeEventListener('abort', end);
  }

  end(): void {
    if (!this.gone) this.#raw.end();
  }
}
