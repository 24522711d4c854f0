/** Server-sent events: text for browsers and for anything that reads lines. */
import { sleep, type Clock } from '../../../lib/clock.ts';
import type { StreamWriter } from './stream-writer.ts';

/** What is in an event. */
export interface SentEvent {
  readonly event: string;
  readonly data: object;
  /** To go on after it. */
  readonly id?: string;
}

/** Milliseconds of silence after which something is sent, so that nobody on the way takes the connection for dead. */
export const heartbeatEvery = 15_000;

/** As it is sent. JSON has no line breaks in it. */
export function eventText({ event, data, id }: SentEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A comment, which readers of events skip. */
export const heartbeat = ': heartbeat\n\n';

/** Resolves when there is news, when the stream is over, or after `limit` milliseconds: `false`. */
export async function orSilence(clock: Clock, news: Promise<unknown>, writer: Pick<StreamWriter, 'ended'>, limit: number = heartbeatEvery): Promise<boolean> {
  const { ended } = writer;
  if (ended.aborted) return true;
  const stop = new AbortController();
  const over = Promise.withResolvers<boolean>();
  const end = (): void => { over.resolve(true); };
  ended.addEventListener('abort', end, { once: true });
  const silence = sleep(clock, limit, stop.signal).then(() => false, () => true);
  const result = await Promise.race([news.then(() => true), over.promise, silence]);
  ended.removeEventListener('abort', end);
  stop.abort(new Error('there was news'));
  return result;
}
