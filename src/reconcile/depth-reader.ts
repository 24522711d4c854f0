/**
 * Answers the standing questions of plans about queue depths. A question is read at once, again at its own pace, when
 * the next deferred message becomes ready, and when the queue wakes us. Only a different answer starts a round.
 */
import { growingPause } from '../lib/growing-pause.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { DepthDemand } from '../plan/action.ts';
import { sourceText, type QueueSource } from '../spec/queue-source.ts';
import type { DepthReading, SpecKey } from '../plan/observed.ts';
import { specText } from './key.ts';
import type { Meter } from './meter.ts';
import type { DepthAnswer, DepthProbe, WakeSource } from './ports.ts';

export interface DepthReaderOptions {
  readonly clock: Clock;
  readonly probe: DepthProbe;
  readonly wakes: WakeSource;
  readonly meter: Meter;
  /** A reading changed: the key wants a round. */
  readonly changed: (key: SpecKey) => void;
}

/** Milliseconds between two readings that wakes ask for. */
const wakePause = 50;
/** Milliseconds between two readings, at least. */
const shortestPause = 20;

interface Standing {
  readonly key: SpecKey;
  readonly demand: DepthDemand;
  readonly abort: AbortController;
  reading: DepthReading | undefined;
  timer: Timer | undefined;
  underWay: boolean;
  /** Monotonic time at which the last query was sent. */
  began: number;
  /** Woken while a query was under way, which may have been answered before the message came. */
  again: boolean;
  /** Readings in a row that announced a message for a time that is over by this machine's clock: one of the clocks is wrong. */
  overdue: number;
}

export class DepthReader {
  readonly #options: DepthReaderOptions;
  readonly #standing = new Map<string, Standing>();
  /** The same by queue: a wake must not look through the questions of all others. */
  readonly #byQueue = new Map<string, Set<Standing>>();
  /** Kept from the first question until the key is forgotten, so that a session is not opened for each Job. */
  readonly #interests = new Map<string, { readonly queue: string; readonly release: () => void }>();

  constructor(options: DepthReaderOptions) {
    this.#options = options;
  }

  /** The question that the key's last plan asks; undefined: none, and what was read is forgotten. */
  ask(key: SpecKey, demand: DepthDemand | undefined): void {
    const text = specText(key);
    const before = this.#standing.get(text);
    if (before && demand && sameQuestion(before.demand, demand)) return;
    if (before) this.#drop(text, before);
    if (!demand) return;
    this.#listen(text, demand);
    const standing: Standing = { key, demand, abort: new AbortController(), reading: undefined, timer: undefined, underWay: false, again: false, overdue: 0, began: -Infinity };
    this.#standing.set(text, standing);
    const queue = sourceText(demand.source);
    this.#byQueue.set(queue, (this.#byQueue.get(queue) ?? new Set()).add(standing));
    void this.#read(standing);
  }

  reading(key: SpecKey): DepthReading | undefined {
    return this.#standing.get(specText(key))?.reading;
  }

  /** The queue says that something changed. A hint: answers are read, never taken from it. */
  wake(source: QueueSource): void {
    for (const standing of this.#byQueue.get(sourceText(source)) ?? []) this.#readSoon(standing);
  }

  /** A queue that is being filled wakes us for each message: one reading serves those of a moment. */
  #readSoon(standing: Standing): void {
    const { clock } = this.#options;
    const delay = standing.began + wakePause - clock.monotonic();
    if (delay <= 0 || standing.underWay) {
      void this.#read(standing);
      return;
    }
    standing.timer?.cancel();
    standing.timer = clock.timer(delay, () => void this.#read(standing));
  }

  /** Nothing is left of the key. */
  forget(key: SpecKey): void {
    this.ask(key, undefined);
    this.#interests.get(specText(key))?.release();
    this.#interests.delete(specText(key));
  }

  close(): void {
    for (const [text, standing] of this.#standing) this.#drop(text, standing);
    for (const { release } of this.#interests.values()) release();
    this.#interests.clear();
  }

  #listen(text: string, demand: DepthDemand): void {
    const wanted = sourceText(demand.source);
    const before = this.#interests.get(text);
    if (before?.queue === wanted) return;
    before?.release();
    this.#interests.set(text, { queue: wanted, release: this.#options.wakes.interest(demand.source) });
  }

  #drop(text: string, standing: Standing): void {
    this.#standing.delete(text);
    const queue = sourceText(standing.demand.source);
    const others = this.#byQueue.get(queue);
    others?.delete(standing);
    if (others?.size === 0) this.#byQueue.delete(queue);
    standing.timer?.cancel();
    // Without a reason of its own it would make an exception with a stack, each time.
    standing.abort.abort('the question was withdrawn');
  }

  async #read(standing: Standing): Promise<void> {
    if (standing.underWay) {
      standing.again = true;
      return;
    }
    standing.timer?.cancel();
    standing.underWay = true;
    const { clock, meter } = this.#options;
    const at = clock.now();
    const began = clock.monotonic();
    standing.began = began;
    const answer = await this.#options.probe.depth(standing.demand, standing.abort.signal);
    standing.underWay = false;
    if (standing.abort.signal.aborted) return;
    meter.depth(standing.key, answer.kind === 'known' ? answer.ready : undefined, (clock.monotonic() - began) / 1000);
    this.#take(standing, answer, at);
    if (standing.again) {
      standing.again = false;
      void this.#read(standing);
    } else {
      this.#schedule(standing, answer, began);
    }
  }

  #take(standing: Standing, answer: DepthAnswer, at: number): void {
    const before = standing.reading?.result;
    const result = answer.kind === 'known' ? answer : { ...answer, since: before?.kind === 'unknown' ? before.since : at };
    standing.reading = { question: standing.demand.question, at, result };
    if (!before || describe(before) !== describe(result)) this.#options.changed(standing.key);
  }

  #schedule(standing: Standing, answer: DepthAnswer, began: number): void {
    const { clock } = this.#options;
    const next = answer.kind === 'known' && answer.nextReadyAt !== undefined ? answer.nextReadyAt - clock.now() : Infinity;
    const delay = Math.min(began + standing.demand.every - clock.monotonic(), next);
    standing.overdue = next <= 0 ? standing.overdue + 1 : 0;
    // Never a tight loop, whatever the clocks of the database and this machine say: twice as long each time it is too soon.
    const shortest = growingPause(Math.max(standing.overdue, 1), shortestPause, standing.demand.every);
    standing.timer = clock.timer(Math.max(delay, shortest), () => void this.#read(standing));
  }
}

function sameQuestion(left: DepthDemand, right: DepthDemand): boolean {
  return left.question === right.question && sourceText(left.source) === sourceText(right.source) && left.upTo === right.upTo && left.every === right.every;
}

/** What makes two answers different to a plan. */
function describe(result: DepthReading['result']): string {
  return result.kind === 'known' ? `known ${result.ready}` : `unknown ${result.reason} ${result.message}`;
}
