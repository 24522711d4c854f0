/**
 * Writes histories, behind the rounds: what has been settled is gathered for some seconds and goes into one write. The first
 * after a quiet time goes at once. Nobody waits for it, and nothing depends on it: without the right it is off.
 */
import PQueue from 'p-queue';
import { asError, sleep, type Clock, type Timer } from '../../lib/clock.ts';
import { growingPause } from '../../lib/growing-pause.ts';
import type { SettleMessage } from '../../plan/messages/action.ts';
import { entryWithoutJob } from '../../plan/messages/history-entries.ts';
import { isSameHistory, mergeHistories } from '../../plan/messages/history.ts';
import type { Observed, SpecKey } from '../../plan/observed.ts';
import { specText } from '../key.ts';
import type { Leadership } from '../leadership.ts';
import type { Log, WriteResult } from '../ports.ts';
import { HistoryDesk, type Unwritten } from './history-desk.ts';
import type { HistoryStore, StoredHistory } from './history-ports.ts';

/** Milliseconds between two writes of one history. */
const interval = 10_000;
/** Until the next look, where there was nothing to write. */
const glance = 2_000;
/** A look at thousands of Jobs takes its time, and is to have a hundredth of the processor at most. */
const restPerLook = 100;
/** After what came to nothing. */
const firstPause = 10_000;
const longestPause = 5 * 60_000;
/** After a 403 the right may have been granted meanwhile: one try again after this time. */
const forbiddenPause = 5 * 60_000;
/** How long a process that stops waits for the last writes. */
const lastMoment = 3_000;
/** Histories written at once. */
const width = 4;
/** Reads and writes of one turn: each conflict is somebody else's write. */
const mostTries = 4;

export interface HistoryKeeperDeps {
  readonly clock: Clock;
  readonly histories: HistoryStore;
  readonly leadership: Leadership;
  readonly log: Log;
}

interface Place {
  readonly key: SpecKey;
  readonly desk: HistoryDesk;
  timer: Timer | undefined;
  underWay: boolean;
  /** How often there was something to look at. */
  asked: number;
  /** Monotonic; not before that. */
  notBefore: number;
  /** Milliseconds that the last look took. */
  look: number;
  /** Turns in a row that came to nothing. */
  failures: number;
}

/** What a turn came to. `nothing`: there was nothing to write. */
type Turn = 'wrote' | 'nothing' | 'failed';

export class HistoryKeeper {
  readonly #deps: HistoryKeeperDeps;
  readonly #places = new Map<string, Place>();
  readonly #queue = new PQueue({ concurrency: width });
  #stopped = false;
  /** Monotonic; the right is missing until then, as far as is known. */
  #forbiddenUntil = 0;
  /** It was said, once. */
  #told = false;

  constructor(deps: HistoryKeeperDeps) {
    this.#deps = deps;
  }

  /** After each round of a queue. Returns at once, and looks at it later. */
  saw(observed: Pick<Observed, 'key' | 'jobs' | 'messages' | 'claims'>): void {
    const { key, messages } = observed;
    if (!messages && !this.#places.has(specText(key))) return;
    const place = this.#place(key);
    place.desk.saw(observed);
    this.#ask(place);
  }

  /** A message was settled. */
  settled(key: SpecKey, action: SettleMessage): void {
    const entry = entryWithoutJob(action, this.#deps.clock.now());
    if (!entry) return;
    const place = this.#place(key);
    place.desk.heard(entry);
    this.#ask(place);
  }

  /** Nothing is left of the key: news are written, which nobody would find out again, and then it is forgotten. */
  forget(key: SpecKey): void {
    const place = this.#places.get(specText(key));
    if (!place) return;
    this.#places.delete(specText(key));
    place.timer?.cancel();
    if (!place.underWay && place.desk.hasNews) void this.#queue.add(() => this.#turn(place));
  }

  /** Another process leads, or led meanwhile: what it wrote is not known here. */
  startAnew(): void {
    for (const { key } of [...this.#places.values()]) this.forget(key);
  }

  /** Writes what the next process could not find out, once, and waits for it for a moment. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const place of this.#places.values()) {
      place.timer?.cancel();
      if (!place.underWay && place.desk.hasNews) void this.#queue.add(() => this.#turn(place));
    }
    const enough = new AbortController();
    await Promise.race([this.#queue.onIdle(), sleep(this.#deps.clock, lastMoment, enough.signal).catch(() => undefined)]);
    enough.abort(new Error('stopped'));
  }

  get #isForbidden(): boolean {
    return this.#deps.clock.monotonic() < this.#forbiddenUntil;
  }

  #place(key: SpecKey): Place {
    const known = this.#places.get(specText(key));
    if (known) return known;
    const made: Place = { key, desk: new HistoryDesk(), timer: undefined, underWay: false, asked: 0, notBefore: 0, look: 0, failures: 0 };
    this.#places.set(specText(key), made);
    return made;
  }

  #ask(place: Place): void {
    place.asked += 1;
    // Without the right no timer asks again and again: the first round after the pause does.
    if (this.#stopped || place.timer || place.underWay || this.#isForbidden) return;
    place.timer = this.#deps.clock.timer(Math.max(0, place.notBefore - this.#deps.clock.monotonic()), () => {
      place.timer = undefined;
      place.underWay = true;
      void this.#queue.add(() => this.#go(place));
    });
  }

  async #go(place: Place): Promise<void> {
    const { asked } = place;
    const turn = await this.#turn(place);
    place.underWay = false;
    place.failures = turn === 'failed' ? place.failures + 1 : 0;
    const pause = turn === 'failed' ? growingPause(place.failures, firstPause, longestPause) : turn === 'wrote' ? interval : glance;
    place.notBefore = this.#deps.clock.monotonic() + Math.max(pause, restPerLook * place.look);
    if ((place.asked !== asked || turn === 'failed') && this.#places.get(specText(place.key)) === place) this.#ask(place);
  }

  /** Never rejects. */
  async #turn(place: Place): Promise<Turn> {
    const { leadership, log, clock } = this.#deps;
    const { key, desk } = place;
    if (!leadership.leading || this.#isForbidden) return 'nothing';
    try {
      const began = clock.monotonic();
      const unwritten = desk.unwritten();
      place.look = clock.monotonic() - began;
      if (!unwritten) return 'nothing';
      const came = await this.#write(key, unwritten);
      if (came.kind === 'done') desk.wrote(unwritten, came.ownerUid);
      return came.kind === 'failed' ? this.#failed(key, came.result) : came.wrote ? 'wrote' : 'nothing';
    } catch (thrown) {
      log.error({ spec: specText(key), err: asError(thrown) }, 'the history of messages failed unexpectedly');
      return 'failed';
    }
  }

  async #write(key: SpecKey, unwritten: Unwritten): Promise<Written> {
    let last = await this.#try(key, unwritten);
    // Somebody else was faster: what is there now is read, and merged.
    for (let tries = 1; tries < mostTries && last.kind === 'failed' && isOutrun(last.result); tries += 1) last = await this.#try(key, unwritten);
    return last;
  }

  async #try(key: SpecKey, unwritten: Unwritten): Promise<Written> {
    const { histories } = this.#deps;
    const read = await histories.read(key);
    if (read.kind === 'failed') return { kind: 'failed', result: { kind: read.forbidden ? 'forbidden' : 'unknown', message: read.message } };
    if (read.kind === 'found') return this.#add(key, read.value, unwritten);
    const { entries, spec, owner } = unwritten;
    return spec ? written(await histories.create(key, mergeHistories({ entries, since: undefined }), owner), owner?.uid) : { kind: 'done', wrote: false, ownerUid: undefined };
  }

  async #add(key: SpecKey, stored: StoredHistory, { entries, owner }: Unwritten): Promise<Written> {
    const { histories, clock } = this.#deps;
    if (stored.deleting) return { kind: 'failed', result: { kind: 'unknown', message: 'the history of before is being deleted' } };
    // Somebody spoiled it: what was in it is gone, and nobody is to believe otherwise.
    const merged = mergeHistories(stored.history ?? { entries: [], since: clock.now() }, { entries, since: undefined });
    const heir = owner?.uid === stored.ownerUid ? undefined : owner;
    if (!heir && stored.history && isSameHistory(merged, stored.history)) return { kind: 'done', wrote: false, ownerUid: stored.ownerUid };
    return written(await histories.write(key, stored, { history: merged, owner: heir }), heir?.uid ?? stored.ownerUid);
  }

  #failed(key: SpecKey, result: WriteResult): Turn {
    const { clock, log } = this.#deps;
    const because = 'message' in result ? result.message : 'something else has its name';
    if (result.kind === 'forbidden') {
      this.#forbiddenUntil = clock.monotonic() + forbiddenPause;
      if (!this.#told) log.info({ because }, 'no history of messages is kept: the right to read, create and patch ConfigMaps is missing');
      this.#told = true;
    } else {
      log.debug({ spec: specText(key), result: result.kind, because }, 'the history of messages was not written; it is tried again');
    }
    return 'failed';
  }
}

type Written = { readonly kind: 'done'; readonly wrote: boolean; readonly ownerUid: string | undefined } | { readonly kind: 'failed'; readonly result: WriteResult };

function isOutrun({ kind }: WriteResult): boolean {
  return kind === 'conflict' || kind === 'gone' || kind === 'exists';
}

function written(result: WriteResult, ownerUid: string | undefined): Written {
  return result.kind === 'done' ? { kind: 'done', wrote: true, ownerUid } : { kind: 'failed', result };
}
