/**
 * A process that can be killed like with kill -9: its clock and its connections die together. Nothing it waits for ever
 * settles after that, so its code stands still at whatever await it was in; what it had sent before still takes effect.
 */
import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../adapters/kubernetes/transport.ts';
import type { Json } from '../lib/json.ts';
import type { VirtualClock } from './clock.ts';
import { MortalClock } from './process-clock.ts';

/** When a process dies at a request: before it was sent, or when it has taken effect and the answer is on its way. */
export interface KillPoint {
  /** Counting from 1: requests and watches of this process, reads included, and calls of other ports. */
  readonly request: number;
  readonly when: 'before' | 'after';
  /** Counts only requests that change something. */
  readonly writesOnly?: boolean;
}

export interface ProcessOptions {
  readonly clock: VirtualClock;
  readonly transport: Transport;
  /** Milliseconds by which this machine's time of day is off, asked each time. */
  readonly skew?: () => number;
}

export class SimulatedProcess {
  readonly clock: MortalClock;
  readonly transport: Transport;
  readonly #inner: Transport;
  readonly #streams = new Set<ApiStream>();
  readonly #onDeath: (() => void)[] = [];
  #alive = true;
  #requests = 0;
  #writes = 0;
  #killPoint: KillPoint | undefined;

  constructor(options: ProcessOptions) {
    this.clock = new MortalClock(options.clock, options.skew);
    this.#inner = options.transport;
    this.transport = { request: (request) => this.#request(request), stream: (request) => this.#stream(request) };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Requests made so far: the range in which kill points make sense. */
  get requests(): number {
    return this.#requests;
  }

  get writes(): number {
    return this.#writes;
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.clock.kill();
    // The peer's kernel closes the connections: the server notices, this process does not.
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    for (const listener of this.#onDeath) listener();
  }

  killAt(point: KillPoint): void {
    this.#killPoint = point;
  }

  onDeath(listener: () => void): void {
    this.#onDeath.push(listener);
  }

  /** Ties a promise of any other port to this process: it settles only while the process lives. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => { if (this.#alive) resolve(value); },
        (error: unknown) => { if (this.#alive) reject(error instanceof Error ? error : new Error(String(error))); },
      );
    });
  }

  /** A request by any other port that changes something: it counts, and may be the one at which the process dies. */
  call<T>(send: () => Promise<T>): Promise<T> {
    return this.#send(true, send);
  }

  #request(request: ApiRequest): Promise<ApiResponse> {
    return this.#send(request.method !== 'GET', () => this.#inner.request(request));
  }

  #stream(request: ApiRequest): Promise<ApiStream> {
    return this.#send(request.method !== 'GET', async () => this.#track(await this.#inner.stream(request)));
  }

  #send<T>(writes: boolean, send: () => Promise<T>): Promise<T> {
    const fatal = this.#count(writes);
    if (fatal === 'before') this.kill();
    if (!this.#alive) return never();
    const answer = send();
    return this.guard(fatal === 'after' ? this.#dieOn(answer) : answer);
  }

  #count(writes: boolean): KillPoint['when'] | undefined {
    this.#requests += 1;
    if (writes) this.#writes += 1;
    const point = this.#killPoint;
    if (!point || (point.writesOnly === true && !writes)) return undefined;
    const count = point.writesOnly === true ? this.#writes : this.#requests;
    return count === point.request ? point.when : undefined;
  }

  #dieOn<T>(answer: Promise<T>): Promise<T> {
    const die = (): void => { this.kill(); };
    answer.then(die, die);
    return never();
  }

  #track(stream: ApiStream): ApiStream {
    if (!this.#alive) {
      stream.close();
      return stream;
    }
    this.#streams.add(stream);
    const close = (): void => {
      this.#streams.delete(stream);
      stream.close();
    };
    return { status: stream.status, headers: stream.headers, lines: this.#guardLines(stream), close };
  }

  #guardLines(stream: ApiStream): AsyncIterable<Json> {
    const guard = <T>(promise: Promise<T>): Promise<T> => this.guard(promise);
    const release = (): void => { this.#streams.delete(stream); };
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = stream.lines[Symbol.asyncIterator]();
        return {
          next: () => guard(iterator.next().then((result) => {
            if (result.done === true) release();
            return result;
          })),
          return: async () => {
            release();
            await iterator.return?.();
            return { value: undefined, done: true };
          },
        };
      },
    };
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
