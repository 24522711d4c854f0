/**
 * Depth of RabbitMQ's queues: what a passive declaration answers, which is how many messages are ready and not in anybody's
 * hand. It needs no right but to log in, and changes nothing.
 */
import { asError, sleep, type Clock } from '../../../lib/clock.ts';
import type { DepthAnswer, DepthProbe, DepthQuery, Log } from '../../../reconcile/ports.ts';
import type { AmqpSource } from '../../../spec/queue-source.ts';
import type { AmqpSession } from './link.ts';
import type { AmqpLinks } from './links.ts';
import { AmqpProblem, explain } from './problem.ts';

/** Milliseconds after which a server that is connected and silent counts as unreachable. */
const longestAnswer = 8_000;

export class AmqpDepth implements DepthProbe {
  readonly #links: AmqpLinks;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(deps: { links: AmqpLinks; clock: Clock; log: Log }) {
    this.#links = deps.links;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  async depth({ source, upTo }: DepthQuery, signal: AbortSignal): Promise<DepthAnswer> {
    if (source.type !== 'amqp') return { kind: 'unknown', reason: 'QueueUnsupported', message: `a queue of ${source.type} is none of RabbitMQ` };
    if (signal.aborted) return withdrawn;
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    try {
      return await Promise.race([this.#ask(source, upTo), this.#late(stop, signal)]);
    } catch (error) {
      const problem = error instanceof AmqpProblem ? error : new AmqpProblem('QueueUnreachable', asError(error).message);
      // One that is there and cannot be used so is not ours to look at.
      const reason = problem.problem === 'QueueRefused' ? 'QueueForbidden' : problem.problem;
      this.#log.debug({ code: reason, connection: source.connection, queue: source.queue }, problem.message);
      return { kind: 'unknown', reason, message: problem.message };
    } finally {
      over.abort();
    }
  }

  async #ask({ connection, vhost, queue }: AmqpSource, upTo: number): Promise<DepthAnswer> {
    const link = this.#links.link({ connection, vhost, purpose: 'messages' });
    const release = link.hold();
    let session: AmqpSession | undefined;
    try {
      session = await link.session();
      // A channel of its own: the server closes it where there is no such queue, with all that is asked on it.
      const channel = await session.channel();
      try {
        const { messageCount } = await channel.raw.queueDeclare({ queue, passive: true });
        return { kind: 'known', ready: Math.min(messageCount, Math.max(Math.ceil(upTo), 1)), nextReadyAt: undefined };
      } finally {
        void channel.close();
      }
    } catch (error) {
      throw session ? explain(error, session) : error;
    } finally {
      release();
    }
  }

  /** Resolves when the question is withdrawn, rejects when the answer takes too long. */
  async #late(stop: AbortSignal, signal: AbortSignal): Promise<DepthAnswer> {
    try {
      await sleep(this.#clock, longestAnswer, stop);
    } catch {
      return withdrawn;
    }
    if (signal.aborted) return withdrawn;
    throw new AmqpProblem('QueueUnreachable', 'RabbitMQ did not answer in time');
  }
}

const withdrawn: DepthAnswer = { kind: 'unknown', reason: 'QueueUnreachable', message: 'the question was withdrawn' };
