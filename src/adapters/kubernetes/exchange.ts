/**
 * One request to the API server, with all that surrounds it: rate limit, time limit, retries and measurement. Modes:
 * throttled → sent → answered, or waiting for Retry-After and throttled again, or given up without an answer.
 */
import { asError, sleep } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { failureOf, noAnswer } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import { within } from './deadline.ts';
import type { TokenBucket } from '../../lib/token-bucket.ts';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';

/** Hooks for what operators see of the client. `code` is the HTTP status; undefined: no answer. Seconds. */
export interface ClientMeter {
  request(method: string, code: number | undefined, seconds: number): void;
  /** A watch was opened, or could not be. */
  watch(code: number | undefined): void;
  retry(method: string, code: number | undefined): void;
}

export interface ExchangeOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** undefined: no rate limit. */
  readonly limiter: TokenBucket | undefined;
  /** For each attempt, until its whole answer is here. */
  readonly timeout: number;
  readonly meter: ClientMeter | undefined;
}

export interface Call {
  readonly request: ApiRequest;
  /** May be sent again whatever came of it: it reads, or is a dry run. */
  readonly harmless: boolean;
  readonly timeout?: number | undefined;
}

export type Answer = { readonly kind: 'answer'; readonly response: ApiResponse } | { readonly kind: 'none'; readonly failure: ApiFailure };

/** As client-go. */
const mostRetries = 10;
/** A server that wants us to stay away for longer gets its way by our caller's own back-off. */
const longestRetryAfter = 60_000;

export class Exchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async send(call: Call): Promise<Answer> {
    for (let retries = 0; ; retries += 1) {
      await this.#throttle(call);
      const answer = await this.#attempt(call);
      const delay = retryDelay(call, answer, retries);
      if (delay === undefined || call.request.signal?.aborted === true) return answer;
      this.#options.meter?.retry(call.request.method, codeOf(answer));
      if (!(await this.#pause(delay, call.request.signal))) return answer;
    }
  }

  async #throttle(call: Call): Promise<void> {
    // What keeps a Lease must not queue behind what it guards.
    const delay = call.request.priority === 'urgent' ? 0 : (this.#options.limiter?.take() ?? 0);
    if (delay > 0) await this.#pause(delay, call.request.signal);
  }

  async #attempt(call: Call): Promise<Answer> {
    const { clock, transport, meter } = this.#options;
    const started = clock.monotonic();
    let answer: Answer;
    try {
      const response = await within(clock, call.timeout ?? this.#options.timeout, call.request.signal, (signal) => transport.request({ ...call.request, signal }));
      answer = { kind: 'answer', response };
    } catch (error) {
      answer = { kind: 'none', failure: noAnswer(describe(error)) };
    }
    meter?.request(call.request.method, codeOf(answer), (clock.monotonic() - started) / 1000);
    return answer;
  }

  /** False when the signal cut it short. */
  async #pause(delay: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (delay === 0) return true;
    try {
      await sleep(this.#options.clock, delay, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * 429 certainly had no effect, so anything may be sent again. After any other failure only what is harmless may: a
 * gateway's 503 can come after the API server has already acted.
 */
function retryDelay(call: Call, answer: Answer, retries: number): number | undefined {
  // A kept-alive connection that the server closed just then breaks at once: worth one more try, where it is harmless.
  if (answer.kind === 'none') return call.harmless && retries === 0 && !isTimeout(answer.failure) ? 0 : undefined;
  const { status } = answer.response;
  if (retries >= mostRetries || (status !== 429 && !(call.harmless && status >= 500))) return undefined;
  const { retryAfter } = failureOf(answer.response);
  return retryAfter === undefined || retryAfter > longestRetryAfter ? undefined : retryAfter;
}

function codeOf(answer: Answer): number | undefined {
  return answer.kind === 'none' ? undefined : answer.response.status;
}

function isTimeout(failure: ApiFailure): boolean {
  return failure.message.startsWith('no answer within');
}

/** undici says `fetch failed` or `other side closed`, the cause says what happened. */
export function describe(thrown: unknown): string {
  const error = asError(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const inner = error instanceof AggregateError ? error.errors.map((each) => asError(each).message).join('; ') : '';
  const text = error.message || inner || error.name;
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}
