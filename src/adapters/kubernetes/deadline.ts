/** A time limit by our own clock around anything that takes a signal. */
import { asError } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';

/**
 * Rejects `no answer within …` when `limit` milliseconds pass, and with the outer signal's reason when that aborts; the
 * work's own signal aborts in both cases, but a work that does not look at it is not waited for.
 */
export function within<T>(clock: Clock, limit: number, outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const inner = new AbortController();
    const end = (): void => {
      timer.cancel();
      outer?.removeEventListener('abort', stop);
    };
    const fail = (reason: Error): void => {
      end();
      reject(reason);
      inner.abort(reason);
    };
    const stop = (): void => {
      fail(asError(outer?.reason));
    };
    const timer = clock.timer(limit, () => {
      fail(new Error(`no answer within ${limit / 1000} s`));
    });
    if (outer?.aborted === true) {
      stop();
      return;
    }
    outer?.addEventListener('abort', stop, { once: true });
    work(inner.signal).then(resolve, reject).finally(end);
  });
}
