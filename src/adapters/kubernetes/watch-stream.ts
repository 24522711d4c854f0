/** One watch, from its request to its end. Never rejects. */
import { asError } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { noAnswer } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import type { Resource } from './resources.ts';
import type { ApiStream } from './transport.ts';
import { readWatchEvent } from './watch-event.ts';
import type { WatchEvent } from './watch-event.ts';

export interface FollowOptions {
  readonly client: Pick<KubernetesClient, 'watch'>;
  readonly clock: Clock;
  readonly resource: Resource;
  readonly labelSelector: string;
  readonly metadataOnly?: boolean;
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly silenceLimit: number;
  readonly signal: AbortSignal;
  /** For each line, whatever it says. */
  readonly touch: () => void;
  readonly receive: (event: ReceivedEvent) => void;
}

export type ReceivedEvent = Exclude<WatchEvent, { kind: 'error' }>;

export type WatchEnd =
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' }
  /** `event`: the server said so inside the stream. */
  | { readonly kind: 'failed'; readonly failure: ApiFailure; readonly event?: boolean };

export async function followWatch(options: FollowOptions): Promise<WatchEnd> {
  const { client, resource, signal } = options;
  const opened = await client.watch(resource, options);
  if (opened.kind === 'failed') return opened;
  const { stream } = opened;
  const guard = new SilenceGuard(options, stream);
  const stop = (): void => {
    stream.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) return { kind: 'closed' };
    return await readLines(stream, options, guard);
  } catch (error) {
    return guard.fired ? { kind: 'silent' } : { kind: 'failed', failure: noAnswer(asError(error).message) };
  } finally {
    guard.end();
    signal.removeEventListener('abort', stop);
    stream.close();
  }
}

async function readLines(stream: ApiStream, options: FollowOptions, guard: SilenceGuard): Promise<WatchEnd> {
  for await (const line of stream.lines) {
    guard.feed();
    options.touch();
    const event = readWatchEvent(line);
    if (event.kind === 'error') return { kind: 'failed', failure: event.failure, event: true };
    options.receive(event);
  }
  return guard.fired ? { kind: 'silent' } : { kind: 'closed' };
}

/** Closes the stream when no line came for too long. One timer, moved on only when it fires: lines may come by the thousand. */
class SilenceGuard {
  readonly #options: FollowOptions;
  readonly #stream: ApiStream;
  #timer;
  #fedAt: number;
  fired = false;

  constructor(options: FollowOptions, stream: ApiStream) {
    this.#options = options;
    this.#stream = stream;
    this.#fedAt = options.clock.monotonic();
    this.#timer = this.#arm(options.silenceLimit);
  }

  feed(): void {
    this.#fedAt = this.#options.clock.monotonic();
  }

  end(): void {
    this.#timer.cancel();
  }

  #arm(delay: number): ReturnType<Clock['timer']> {
    return this.#options.clock.timer(delay, () => {
      const left = this.#fedAt + this.#options.silenceLimit - this.#options.clock.monotonic();
      if (left > 0) {
        this.#timer = this.#arm(left);
        return;
      }
      this.fired = true;
      this.#stream.close();
    });
  }
}
