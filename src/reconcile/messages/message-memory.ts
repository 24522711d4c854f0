/**
 * What this process knows of the messages of one spec beyond Jobs and leases. Nothing here is needed after a restart: what
 * is not known is asked, or posted, again.
 */
import type { Clock } from '../../lib/clock.ts';
import { carrierId, type CarrierRef } from '../../plan/messages/carrier.ts';
import type { MessageJobFacts, MessageNote } from '../../plan/messages/message.ts';
import type { Refusal } from '../../plan/observed.ts';
import type { MessageRefusal } from '../../plan/refusal.ts';
import { shortestAfterRefusal } from '../../plan/wait.ts';
import type { ClusterCache } from '../ports.ts';

/** A write that the cache has not shown after this time is given up on, as in Memory. */
const patience = 5 * 60_000;
/** Tries in a row that came to nothing, the last of them seconds after the first: what heals by itself within that time is no news. */
const manyTries = 9;
/** What was once of a message that is not in hand any more says nothing about the next. */
const longestLife = 60 * 60_000;

/** Milliseconds: no queue that is held tries again sooner. */
const shortestTurn = shortestAfterRefusal;

type Seen = Pick<ClusterCache, 'hasSeen'>;

/** What carries a message, as far as that matters here. */
type Carried = Pick<CarrierRef, 'uid' | 'carrier'> & { readonly message?: MessageJobFacts | undefined };

interface Unseen {
  readonly resourceVersion: string;
  readonly cache: Seen;
  readonly at: number;
}

interface KnownRefusal extends MessageRefusal {
  readonly confirmed: number;
  /** Nobody else was started since. */
  readonly isNew: boolean;
}

export interface MessageMemoryDeps {
  readonly clock: Clock;
  readonly cache: Pick<ClusterCache, 'hasSeen'>;
}

export class MessageMemory {
  readonly #deps: MessageMemoryDeps;
  /** UIDs of Jobs whose payload is stored. */
  readonly posted = new Set<string>();
  /** Ids of messages, by the carrierId of what has the receipt with which they could not be settled. */
  readonly #lost = new Map<string, string>();
  readonly #refusals = new Map<string, KnownRefusal>();
  /** Of refusals with nothing accepted between them; `at`: the last of them. */
  #turns: { readonly hash: string; readonly count: number; readonly at: number } | undefined;
  /** Messages that could not be settled, by id: how often in a row, and why. */
  readonly #troubles = new Map<string, { readonly count: number; readonly message: string }>();
  /** Of Jobs that were deleted before their messages were settled, by id of the message. */
  readonly #deleted = new Map<string, { readonly note: MessageNote; readonly at: number; readonly run: string | undefined }>();
  /** Writes on Jobs that the cache does not show yet, by id of the message. */
  readonly #unseen = new Map<string, Unseen>();

  constructor(deps: MessageMemoryDeps) {
    this.#deps = deps;
  }

  /** The receipt that it notes is worth nothing any more: the next delivery of the message decides. */
  lostReceipt(carrier: Pick<CarrierRef, 'uid' | 'carrier'>, id: string): void {
    this.#lost.set(carrierId(carrier), id);
  }

  /** The message came into hand: what was wrong with an earlier delivery is over. */
  leased(id: string): void {
    for (const [uid, of] of this.#lost) if (of === id) this.#lost.delete(uid);
  }

  get lost(): ReadonlySet<string> {
    return new Set(this.#lost.keys());
  }

  /** Somebody deleted its Job, or the record of its run: `run` is then the name of that. */
  jobGone(note: MessageNote, run?: string): void {
    const before = this.#deleted.get(note.id)?.note;
    if (!before || before.serial <= note.serial) this.#deleted.set(note.id, { note, at: this.#deps.clock.now(), run });
  }

  /** Runs that somebody deleted, by the ids of their messages. */
  get deletedRuns(): readonly (readonly [id: string, run: string])[] {
    return [...this.#deleted].flatMap(([id, { run }]) => (run === undefined ? [] : [[id, run] as const]));
  }

  get deleted(): ReadonlyMap<string, MessageNote> {
    return new Map([...this.#deleted].map(([id, { note }]) => [id, note]));
  }

  /** Something that the message needs was refused. */
  refused(id: string, refusal: Omit<Refusal, 'at' | 'count'>): void {
    const before = this.#refusals.get(id);
    const repeated = before?.hash === refusal.hash && before.kind === refusal.kind;
    const [at, confirmed] = [this.#deps.clock.now(), repeated ? before.confirmed : 0];
    this.#refusals.set(id, { ...refusal, at, count: repeated ? before.count + 1 : 1, turns: this.#turn(refusal.hash, at), confirmed, isNew: true });
  }

  /** Those that were asked for at once are refused in one turn. */
  #turn(hash: string, at: number): number {
    const { count, at: before } = this.#turns?.hash === hash ? this.#turns : { count: 0, at: -Infinity };
    this.#turns = { hash, count: at - before < shortestTurn ? count : count + 1, at };
    return this.#turns.count;
  }

  /**
   * All that the message needs was taken, or nothing is to be made for it any more. `hash`: of the text, where that tells
   * something about others: no quota and no missing right can hold them, and what was refused to them was refused to
   * them alone.
   */
  accepted(id: string, hash?: string): void {
    this.#refusals.delete(id);
    if (this.#turns?.hash === hash) this.#turns = undefined;
    for (const [other, refusal] of this.#refusals) {
      if (refusal.hash !== hash) continue;
      if (refusal.kind === 'quota' || refusal.kind === 'forbidden') this.#refusals.delete(other);
      else if (refusal.isNew) this.#refusals.set(other, { ...refusal, confirmed: refusal.confirmed + 1, isNew: false });
    }
  }

  get refusals(): ReadonlyMap<string, MessageRefusal> {
    return new Map([...this.#refusals].map(([id, { isNew: _isNew, ...refusal }]) => [id, refusal]));
  }

  /** A step of settling the message came to nothing. */
  troubled(id: string, message: string): void {
    this.#troubles.set(id, { count: (this.#troubles.get(id)?.count ?? 0) + 1, message });
  }

  /** The message is settled, or somebody else has it. */
  eased(id: string): void {
    this.#troubles.delete(id);
  }

  /** Why messages cannot be settled, by id; the oldest first. */
  get troubles(): ReadonlyMap<string, string> {
    return new Map([...this.#troubles].flatMap(([id, { count, message }]) => (count < manyTries ? [] : [[id, message] as const])));
  }

  /** What carries the message was written, or written on: until the cache that holds it shows that, nothing is decided about the message. */
  wrote(id: string, resourceVersion: string, cache: Seen = this.#deps.cache): void {
    this.#unseen.set(id, { resourceVersion, cache, at: this.#deps.clock.monotonic() });
  }

  /** Ids of messages whose Job is different from what the cache shows. */
  unseen(): readonly string[] {
    const old = this.#deps.clock.monotonic() - patience;
    for (const [id, { resourceVersion, cache, at }] of this.#unseen) if (at < old || cache.hasSeen(resourceVersion)) this.#unseen.delete(id);
    return [...this.#unseen.keys()];
  }

  /** Lets go of what nobody asks about any more. `jobs`: all of the spec; what was created a moment ago may not be among them. */
  tidy(jobs: readonly Carried[], inHand: (id: string) => boolean): void {
    const old = this.#deps.clock.now() - longestLife;
    for (const [id, { at }] of this.#refusals) if (at < old && !inHand(id)) this.#refusals.delete(id);
    if (this.#troubles.size > 0) this.#tidyTroubles(jobs, inHand);
    if (this.#deleted.size > 0) this.#tidyDeleted(jobs, (id, at) => at < old && !inHand(id));
    // A payload that is posted once too often costs one request.
    if (this.posted.size + this.#lost.size <= 2 * jobs.length + 256) return;
    const known = new Set(jobs.flatMap((job) => [job.uid, carrierId(job)]));
    for (const uid of this.posted) if (!known.has(uid)) this.posted.delete(uid);
    for (const uid of this.#lost.keys()) if (!known.has(uid)) this.#lost.delete(uid);
  }

  /** What is not in hand, and what no Job waits for, somebody else has settled. */
  #tidyTroubles(jobs: readonly Carried[], inHand: (id: string) => boolean): void {
    const open = new Set(jobs.flatMap(({ message }) => (message && !message.settled ? [message.note.id] : [])));
    for (const id of this.#troubles.keys()) if (!open.has(id) && !inHand(id)) this.#troubles.delete(id);
  }

  /** A Job that follows says it all. */
  #tidyDeleted(jobs: readonly Carried[], isOver: (id: string, at: number) => boolean): void {
    const followed = new Set(jobs.flatMap(({ message }) => (message && message.note.serial > (this.#deleted.get(message.note.id)?.note.serial ?? Infinity) ? [message.note.id] : [])));
    for (const [id, { at }] of this.#deleted) if (followed.has(id) || isOver(id, at)) this.#deleted.delete(id);
  }
}
