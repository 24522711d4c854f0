/** How many messages of a queue of SQS are visible. SQS says so approximately, and never counts what is in flight. */
import { asError, type Clock } from '../../../lib/clock.ts';
import type { DepthAnswer, DepthProbe, DepthQuery, Log } from '../../../reconcile/ports.ts';
import { SqsError } from './sqs-error.ts';
import type { SqsLinks } from './sqs-links.ts';

const stopped: DepthAnswer = { kind: 'unknown', reason: 'QueueUnreachable', message: 'the question was withdrawn' };

export class SqsDepth implements DepthProbe {
  readonly #links: SqsLinks;
  readonly #log: Log;

  constructor(deps: { links: SqsLinks; clock: Clock; log: Log }) {
    this.#links = deps.links;
    this.#log = deps.log;
  }

  /** `nextReadyAt` is unknown: SQS counts delayed messages and does not say when they come. */
  depth({ source, upTo }: DepthQuery, signal: AbortSignal): Promise<DepthAnswer> {
    if (signal.aborted) return Promise.resolve(stopped);
    if (source.type !== 'sqs') return Promise.resolve({ kind: 'unknown', reason: 'QueueUnsupported', message: `a queue of ${source.type} is none of SQS` });
    return new Promise((resolve) => {
      const stop = (): void => resolve(stopped);
      signal.addEventListener('abort', stop, { once: true });
      void this.#read(source, upTo).then((answer) => {
        signal.removeEventListener('abort', stop);
        resolve(answer);
      });
    });
  }

  /** Never rejects. */
  async #read(source: Extract<DepthQuery['source'], { type: 'sqs' }>, upTo: number): Promise<DepthAnswer> {
    try {
      const attributes = await this.#links.use(source, (api, url) => api.attributes(url, ['ApproximateNumberOfMessages']));
      const ready = Number(attributes['ApproximateNumberOfMessages'] ?? Number.NaN);
      if (!Number.isSafeInteger(ready)) return { kind: 'unknown', reason: 'QueueUnsupported', message: `SQS does not say how many messages queue "${source.queue}" has` };
      return { kind: 'known', ready: Math.min(ready, Math.max(Math.ceil(upTo), 1)), nextReadyAt: undefined };
    } catch (error) {
      const problem = error instanceof SqsError ? error : new SqsError('QueueUnreachable', asError(error).message);
      this.#log.debug({ code: problem.problem, connection: source.connection, queue: source.queue }, problem.message);
      return { kind: 'unknown', reason: problem.problem, message: problem.message };
    }
  }
}
