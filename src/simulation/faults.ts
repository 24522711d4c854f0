/**
 * Faults between one process and the API server. What was handed to the network goes on without the process: a slow
 * request can take effect after its sender was killed, and an aborted one may have taken effect.
 */
import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../adapters/kubernetes/transport.ts';
import { asError } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { connectionError } from './api-server.ts';
import type { VirtualClock } from './clock.ts';
import { ApiFailure, expired } from './failure.ts';
import { LineQueue } from './line-queue.ts';

/** Before the request has any effect. */
export type Refusal =
  | { readonly kind: 'refused' }
  | { readonly kind: 'status'; readonly code: 429 | 500 | 503; readonly retryAfter?: number };

/** What goes wrong with a request; milliseconds, except retryAfter, which is in seconds as in the header. */
export type RequestFault =
  | Refusal
  /** It takes effect, and then the connection breaks. */
  | { readonly kind: 'answerLost' }
  | { readonly kind: 'slow'; readonly before: number; readonly after: number }
  /** It takes effect, and the answer never comes. */
  | { readonly kind: 'hangs' };

/** What goes wrong with a watch. */
export type WatchFault =
  | Refusal
  | { readonly kind: 'cut'; readonly after: number }
  /** The connection stays open, and nothing comes any more. */
  | { readonly kind: 'silent'; readonly after: number }
  /** Everything arrives, but so much later: a stale cache. */
  | { readonly kind: 'late'; readonly by: number }
  /** The version it wants to start from is gone: said inside the stream, or as its status. */
  | { readonly kind: 'expired'; readonly as: 'event' | 'status' };

/** Asked once for each request and each watch. */
export interface FaultPlan {
  request(request: ApiRequest): RequestFault | undefined;
  watch(request: ApiRequest): WatchFault | undefined;
}

export interface InjectedFault {
  readonly at: number;
  readonly kind: string;
  readonly method: string;
  readonly path: string;
}

export class FaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #clock: VirtualClock;
  readonly #plan: FaultPlan;
  /** What was done to whom: for the report of a failed run. */
  readonly injected: InjectedFault[] = [];

  constructor(inner: Transport, clock: VirtualClock, plan: FaultPlan) {
    this.#inner = inner;
    this.#clock = clock;
    this.#plan = plan;
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    const fault = this.#plan.request(request);
    if (!fault) return this.#inner.request(request);
    this.#note(request, fault.kind);
    return abortable(request.signal, this.#requestWith(fault, withoutSignal(request)));
  }

  stream(request: ApiRequest): Promise<ApiStream> {
    const fault = this.#plan.watch(request);
    if (!fault) return this.#inner.stream(request);
    this.#note(request, fault.kind);
    return this.#streamWith(fault, request);
  }

  async #requestWith(fault: RequestFault, request: ApiRequest): Promise<ApiResponse> {
    switch (fault.kind) {
      case 'refused':
        await this.#wait(1);
        throw connectionError('ECONNREFUSED');
      case 'status':
        await this.#wait(2);
        return refusal(fault);
      case 'answerLost':
        await this.#inner.request(request);
        throw connectionError('ECONNRESET');
      case 'hangs':
        await this.#inner.request(request);
        return new Promise(() => undefined);
      case 'slow': {
        await this.#wait(fault.before);
        const answer = await this.#inner.request(request);
        await this.#wait(fault.after);
        return answer;
      }
    }
  }

  async #streamWith(fault: WatchFault, request: ApiRequest): Promise<ApiStream> {
    switch (fault.kind) {
      case 'refused':
        await this.#wait(1);
        throw connectionError('ECONNREFUSED');
      case 'status':
        await this.#wait(2);
        return errorStream(refusal(fault));
      case 'expired':
        await this.#wait(2);
        return expiredStream(fault.as);
      case 'cut': return this.#cut(await this.#inner.stream(request), fault.after);
      case 'silent': return this.#silence(await this.#inner.stream(request), fault.after);
      case 'late': return this.#delay(await this.#inner.stream(request), fault.by);
    }
  }

  #cut(stream: ApiStream, after: number): ApiStream {
    const lines = new LineQueue();
    const timer = this.#clock.timer(after, () => {
      lines.end(connectionError('ECONNRESET'));
      stream.close();
    });
    pump(stream, (line) => { lines.push(line); }, (error) => {
      timer.cancel();
      lines.end(error);
    });
    return relayed(stream, lines);
  }

  #silence(stream: ApiStream, after: number): ApiStream {
    const lines = new LineQueue();
    const since = this.#clock.monotonic() + after;
    const speaks = (): boolean => this.#clock.monotonic() < since;
    pump(stream, (line) => { if (speaks()) lines.push(line); }, (error) => { if (speaks()) lines.end(error); });
    return relayed(stream, lines);
  }

  #delay(stream: ApiStream, by: number): ApiStream {
    const lines = new LineQueue();
    pump(stream, (line) => { this.#clock.timer(by, () => { lines.push(line); }); }, (error) => { this.#clock.timer(by, () => { lines.end(error); }); });
    return relayed(stream, lines);
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => { this.#clock.timer(milliseconds, resolve); });
  }

  #note({ method, path }: ApiRequest, kind: string): void {
    this.injected.push({ at: this.#clock.now(), kind, method, path });
  }
}

/** Reads on behalf of the process, so that nothing is lost while it does not look. */
function pump(stream: ApiStream, take: (line: Json) => void, end: (error: Error | undefined) => void): void {
  const read = async (): Promise<void> => {
    for await (const line of stream.lines) take(line);
  };
  read().then(() => { end(undefined); }, (error: unknown) => { end(asError(error)); });
}

function relayed(stream: ApiStream, lines: LineQueue): ApiStream {
  const close = (): void => {
    lines.end();
    stream.close();
  };
  return { status: stream.status, headers: stream.headers, lines, close };
}

function refusal({ code, retryAfter }: Extract<Refusal, { kind: 'status' }>): ApiResponse {
  const reasons = { 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable' } as const;
  const texts = { 429: 'the server has received too many requests and has asked us to try again later', 500: 'Internal error occurred: etcdserver: request timed out', 503: 'the server is currently unable to handle the request' } as const;
  const failure = new ApiFailure(code, reasons[code], texts[code]);
  return { status: code, headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }, body: failure.status };
}

function expiredStream(as: 'event' | 'status'): ApiStream {
  const document = expired('too old resource version: 1 (2)').status;
  if (as === 'status') return errorStream({ status: 410, headers: {}, body: document });
  return errorStream({ status: 200, headers: {}, body: { type: 'ERROR', object: document } });
}

function errorStream({ status, headers, body }: ApiResponse): ApiStream {
  const lines = new LineQueue();
  lines.push(body);
  lines.end();
  return { status, headers, lines, close: () => { lines.end(); } };
}

/** The caller stops waiting when it aborts; what it asked for goes on. */
function abortable<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => { reject(asError(signal.reason)); };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => { signal.removeEventListener('abort', abort); });
  });
}

function withoutSignal(request: ApiRequest): ApiRequest {
  const { signal: _signal, ...rest } = request;
  return rest;
}
