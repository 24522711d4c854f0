/**
 * The log of one container, line by line. Modes: opened → lines → over; or interrupted → opened again where it broke off;
 * or ended at once, because the container has not started, or the pod is gone. Needs `get` on pods/log and nothing else.
 */
import { asError, sleep, type Clock } from '../../lib/clock.ts';
import { isForbidden, noAnswer, type ApiFailure } from './api-error.ts';
import type { KubernetesClient, PodLogQuery } from './client.ts';
import { afterCursor, cursorAt, type LogCursor } from './log-cursor.ts';
import { textLines, type TextLine } from './text-lines.ts';
import type { ApiStream } from './transport.ts';

export interface LogLine {
  readonly kind: 'line';
  readonly text: string;
  /** RFC 3339 with nanoseconds, by the clock of the node; undefined for what the kubelet says itself. */
  readonly time: string | undefined;
  /** It has more than 65,536 characters, of which these are the first. */
  readonly cut: boolean;
}

/** Once for each time that the connection is lost: lines go on without a gap when it is back. */
export interface LogInterruption {
  readonly kind: 'interrupted';
  readonly message: string;
}

/** Always the last item. */
export type LogEnd =
  /** Followed: the container has ended, or the API server let go of it. Otherwise: that is all there is up to now. */
  | { readonly kind: 'over' }
  /** No container of it runs yet. */
  | { readonly kind: 'waiting'; readonly message: string }
  /** No such pod, or nothing left of the container's earlier life. */
  | { readonly kind: 'gone'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly forbidden: boolean };

export type LogItem = LogLine | LogInterruption | LogEnd;

export interface PodLogOptions {
  readonly client: Pick<KubernetesClient, 'podLog'>;
  readonly clock: Clock;
  readonly pod: string;
  readonly container: string;
  /** What it wrote before its last restart. */
  readonly previous?: boolean;
}

export interface ReadLogOptions {
  /** Until the container ends; otherwise what there is. */
  readonly follow: boolean;
  /** The last lines only. */
  readonly tail?: number | undefined;
  /** Milliseconds: nothing older. */
  readonly since?: number | undefined;
  readonly signal: AbortSignal;
}

const longestLine = 65_536;
/** A whole line of a container cannot be asked for: a time stamp is in front of it. */
const longestStamp = 40;
/** An API server that is being replaced is away for less. */
const patience = 600_000;
/** Somebody who does not follow wants an answer, be it that there is none. */
const triesWithoutFollowing = 3;
const firstPause = 500;
const longestPause = 10_000;
/** What took longer to fail was a connection: an answer that has not begun tells nothing, since silent containers have none. */
const longestRefusal = 30_000;

/** What was lost, and since when. */
interface Outage {
  readonly since: number;
  readonly failures: number;
}

export class PodLog {
  readonly #options: PodLogOptions;
  #cursor: LogCursor | undefined;

  constructor(options: PodLogOptions) {
    this.#options = options;
  }

  /** Goes on after the last line of an earlier read. Never rejects; ends soon after the signal. */
  async *read(options: ReadLogOptions): AsyncGenerator<LogItem, void, void> {
    const { client, clock, pod } = this.#options;
    const { signal } = options;
    const isUnwanted = (): boolean => signal.aborted;
    let outage: Outage | undefined;
    while (!isUnwanted()) {
      const before = { cursor: this.#cursor, at: clock.monotonic() };
      const opened = await client.podLog(pod, this.#query(options));
      const failure = opened.kind === 'failed' ? opened.failure : yield* this.#lines(opened.stream, signal);
      if (!failure || isUnwanted()) break;
      const now = clock.monotonic();
      const wasConnected = this.#cursor !== before.cursor || now - before.at > longestRefusal;
      outage = outage === undefined || wasConnected ? { since: now, failures: 1 } : { ...outage, failures: outage.failures + 1 };
      if (!isWorthWhile(failure, outage, options.follow, now)) {
        yield endOf(failure);
        return;
      }
      if (outage.failures === 1) yield { kind: 'interrupted', message: failure.message };
      await sleep(clock, Math.min(firstPause * 2 ** (outage.failures - 1), longestPause), signal).catch(() => undefined);
    }
    yield { kind: 'over' };
  }

  /** What went wrong before its end, if anything did. */
  async *#lines(stream: ApiStream, signal: AbortSignal): AsyncGenerator<LogLine, ApiFailure | undefined, void> {
    const cursor = this.#cursor;
    const resumed = cursor && afterCursor(cursor);
    const stop = (): void => { stream.close(); };
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const line of textLines(stream.lines as AsyncIterable<string>, longestLine + longestStamp)) {
        const { time, text, cut } = stamped(line);
        if (time !== undefined && resumed?.(time) === false) continue;
        if (time !== undefined) this.#cursor = cursorAt(time, this.#cursor);
        yield { kind: 'line', time, text, cut };
      }
      return undefined;
    } catch (error) {
      return noAnswer(asError(error).message);
    } finally {
      signal.removeEventListener('abort', stop);
      stream.close();
    }
  }

  #query({ follow, tail, since, signal }: ReadLogOptions): PodLogQuery {
    const { container, previous = false } = this.#options;
    const cursor = this.#cursor;
    const from = cursor ? { sinceTime: cursor.time } : { tailLines: tail, sinceSeconds: since === undefined ? undefined : Math.max(1, Math.ceil(since / 1000)) };
    return { container, follow, previous, signal, ...from };
  }
}

/** The stamp that is asked for with every line, since only it tells where to go on. */
function stamped({ text, cut }: TextLine): Omit<LogLine, 'kind'> {
  const at = text.indexOf(' ');
  const time = at === -1 ? text : text.slice(0, at);
  const isStamp = time.length <= longestStamp && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(time);
  const rest = isStamp ? text.slice(time.length + 1) : text;
  return { time: isStamp ? time : undefined, text: rest.slice(0, longestLine), cut: cut || rest.length > longestLine };
}

function isWorthWhile({ status }: ApiFailure, { since, failures }: Outage, follow: boolean, now: number): boolean {
  // A token that has run out was forgotten with this answer: the next request gets a new one.
  if (status === 401) return failures === 1;
  if (status !== undefined && status !== 429 && status < 500) return false;
  return follow ? now - since < patience : failures < triesWithoutFollowing;
}

function endOf(failure: ApiFailure): LogEnd {
  const { status, message } = failure;
  if (status === 404) return { kind: 'gone', message };
  // The API server knows the kubelet's answer to this only as text.
  if (status === 400 && / is waiting to start/.test(message)) return { kind: 'waiting', message };
  if (status === 400 && /^previous terminated container /.test(message)) return { kind: 'gone', message };
  return { kind: 'failed', message, forbidden: isForbidden(failure) };
}
