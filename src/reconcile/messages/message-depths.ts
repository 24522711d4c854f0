/** How many messages wait in queues of which messages are leased: for metrics alone, at a slow pace of its own. */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { sourceText, type QueueSource } from '../../spec/queue-source.ts';
import { specText } from '../key.ts';
import type { QueueStats } from '../api-ports.ts';
import type { MessageMeter, Meter } from '../meter.ts';
import type { DepthProbe } from '../ports.ts';

const pace = 30_000;
/** Counting costs the database; beyond this a backlog is a backlog. */
const countedTo = 10_000;

export interface MessageDepthsDeps {
  readonly clock: Clock;
  readonly probe: DepthProbe;
  readonly queueStats?: QueueStats;
  readonly meter: Meter;
  readonly messageMeter: MessageMeter;
}

interface Watched {
  readonly key: SpecKey;
  readonly source: QueueSource;
  readonly text: string;
  readonly abort: AbortController;
  timer: Timer | undefined;
}

export class MessageDepths {
  readonly #deps: MessageDepthsDeps;
  readonly #watched = new Map<string, Watched>();

  constructor(deps: MessageDepthsDeps) {
    this.#deps = deps;
  }

  /** The queue of the key from now on; undefined: none. */
  watch(key: SpecKey, source: QueueSource | undefined): void {
    const before = this.#watched.get(specText(key));
    if (before?.text === (source && sourceText(source))) return;
    if (before) this.#drop(before);
    if (!source) {
      if (before) this.#deps.messageMeter.oldest(key, undefined);
      return;
    }
    const watched: Watched = { key, source, text: sourceText(source), abort: new AbortController(), timer: undefined };
    this.#watched.set(specText(key), watched);
    void this.#read(watched);
  }

  close(): void {
    for (const watched of [...this.#watched.values()]) this.#drop(watched);
  }

  #drop(watched: Watched): void {
    this.#watched.delete(specText(watched.key));
    watched.timer?.cancel();
    // Without a reason of its own it would make an exception with a stack, each time.
    watched.abort.abort('nobody asks any more');
  }

  async #read(watched: Watched): Promise<void> {
    const { clock, probe, queueStats, meter, messageMeter } = this.#deps;
    const { key, source, abort } = watched;
    const began = clock.monotonic();
    const answer = await probe.depth({ source, upTo: countedTo }, abort.signal);
    const took = clock.monotonic() - began;
    const counts = await queueStats?.counts(source);
    if (abort.signal.aborted) return;
    messageMeter.oldest(key, counts?.kind === 'known' ? (counts.counts.oldestAge ?? 0) / 1000 : undefined);
    meter.depth(key, answer.kind === 'known' ? answer.ready : undefined, took / 1000);
    watched.timer = clock.timer(pace, () => void this.#read(watched));
  }
}
