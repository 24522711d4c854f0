/** One round of one key, whatever it is the key of: handed to those who know its kind, timed, and kept from hurting others. */
import { asError, type Clock } from '../lib/clock.ts';
import type { SpecKey } from '../plan/observed.ts';
import { parseKey } from './key.ts';
import type { Meter } from './meter.ts';
import type { Log } from './ports.ts';
import type { Reporter } from './reporter.ts';
import type { SpecIndex } from './spec-index.ts';
import type { RoundResult } from './work-queue.ts';

/** The rounds of one kind of key. */
export interface Rounds {
  round(key: SpecKey): Promise<RoundResult>;
}

export interface ReconcilerDeps {
  readonly clock: Clock;
  readonly specs: SpecIndex;
  readonly reporter: Reporter;
  readonly meter: Meter;
  readonly log: Log;
  readonly rounds: Readonly<Record<SpecKey['kind'], Rounds>>;
  /** Documents that define these keys were taken in. */
  readonly taken: (keys: readonly SpecKey[]) => void;
  /** The round of the key came to nothing. */
  readonly failed: (key: SpecKey) => void;
  /** Asks for a round of a key. */
  readonly enqueue: (key: SpecKey) => void;
}

export class Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** Never rejects: what goes wrong in one key stays in that key. */
  async round(text: string): Promise<RoundResult> {
    const { clock, meter, log, rounds } = this.#deps;
    const work = parseKey(text);
    const began = clock.monotonic();
    try {
      const result = work.kind === 'document' ? this.#document(work.id) : await rounds[work.key.kind].round(work.key);
      meter.round(work.kind, result.kind === 'done' ? 'success' : 'error', (clock.monotonic() - began) / 1000);
      return result;
    } catch (thrown) {
      meter.round(work.kind, 'panic', (clock.monotonic() - began) / 1000);
      if (work.kind === 'spec') this.#deps.failed(work.key);
      log.error({ key: text, err: asError(thrown) }, 'a round failed unexpectedly');
      return { kind: 'failed' };
    }
  }

  #document(id: string): RoundResult {
    const { keys, gone } = this.#deps.specs.take(id);
    if (gone) this.#deps.reporter.forget(gone);
    this.#deps.taken(keys);
    for (const key of keys) this.#deps.enqueue(key);
    return { kind: 'done', again: undefined };
  }
}
