/**
 * Time as a dependency. Everything that waits or asks for the time gets a Clock, so that a simulation can run weeks in
 * seconds and a test never sleeps. Only this file and main know the system's clock.
 */
export interface Clock {
  /** Wall clock, milliseconds since 1970. Compare it only with times that another machine wrote down. */
  now(): number;
  /** Milliseconds that never jump; for deadlines and durations inside this process. */
  monotonic(): number;
  /** Calls `run` once after `delay` milliseconds unless the timer is cancelled before. */
  timer(delay: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Longest delay that setTimeout keeps; a longer one would fire at once (2^31 - 1 ms). */
const longestTimeout = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (delay, run) => {
    const handle = setTimeout(run, Math.min(Math.max(delay, 0), longestTimeout));
    return { cancel: () => { clearTimeout(handle); } };
  },
};

/** Resolves after `delay` milliseconds; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(asError(signal?.reason));
    };
    const timer = clock.timer(delay, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Anything thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
