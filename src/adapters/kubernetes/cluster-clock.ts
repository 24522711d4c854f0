/**
 * Time of day as the API server has it. Job and pod times are written by the cluster; compared with this machine's own
 * clock, a skew of two minutes would end every Job for its start timeout, one after the other. Each answer's Date header
 * tells the server's time to the second: as long as ours fits it is used as it is, else it is moved to where it fits.
 * From there it runs by the monotonic clock: somebody may set the machine's time while nothing is asked of the server.
 */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from './transport.ts';

/** The Date header is cut to whole seconds. */
const resolution = 1000;

export class ClusterClock implements Clock {
  readonly #clock: Clock;
  /** Time of day at the beginning of the monotonic clock. */
  #origin: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#origin = clock.now() - clock.monotonic();
  }

  /** In whole milliseconds, as clocks of the time of day have them and records keep them. */
  now(): number {
    return Math.round(this.#origin + this.#clock.monotonic());
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  timer(delay: number, run: () => void): Timer {
    return this.#clock.timer(delay, run);
  }

  /** Milliseconds by which the server is ahead of this machine, as far as it matters. */
  get offset(): number {
    return this.now() - this.#clock.now();
  }

  /** The same transport, whose answers keep this clock right. */
  watching(transport: Transport): Transport {
    const measured = async <Answer extends ApiResponse | ApiStream>(request: Promise<Answer>): Promise<Answer> => {
      const sent = this.#clock.monotonic();
      const answer = await request;
      this.#learn(answer.headers['date'], sent, this.#clock.monotonic());
      return answer;
    };
    return {
      request: (request: ApiRequest) => measured(transport.request(request)),
      stream: (request: ApiRequest) => measured(transport.stream(request)),
    };
  }

  /** The server wrote the header some time between the request and its answer. */
  #learn(header: string | readonly string[] | undefined, sent: number, received: number): void {
    const date = typeof header === 'string' ? Date.parse(header) : Number.NaN;
    if (Number.isNaN(date)) return;
    const least = date - received;
    const most = date + resolution - sent;
    if (this.#origin < least) this.#origin = least;
    else if (this.#origin > most) this.#origin = most;
  }
}
