/**
 * What a process remembers of its own writes until the caches show them. Nothing here is needed after a restart: the
 * caches are then filled by lists that are newer than every write of the process before.
 */
import type { Clock } from '../lib/clock.ts';
import type { Refusal, Reservation, SpecKey } from '../plan/observed.ts';
import { specText } from './key.ts';
import type { ClusterCache } from './ports.ts';

/** A write that the cache has not shown after this time is given up on, as client-go's expectations are. */
const patience = 5 * 60_000;

interface Reserved {
  readonly jobName: string;
  state: Reservation['state'];
  resourceVersion: string | undefined;
  /** When it was taken or confirmed, monotonic. */
  at: number;
}

/** Is told of the names that stand for Jobs which the cache cannot show. */
export interface ReservedNames {
  reserved(key: SpecKey, jobName: string): void;
  /** The API server says that it is there. */
  confirmed(jobName: string): void;
  released(jobName: string): void;
}

export class Memory {
  readonly #clock: Clock;
  readonly #cache: Pick<ClusterCache, 'hasSeen'>;
  readonly #names: ReservedNames | undefined;
  readonly #reserved = new Map<string, Map<string, Reserved>>();
  readonly #writes = new Map<string, { readonly resourceVersion: string; readonly at: number }[]>();
  readonly #refusals = new Map<string, Refusal>();
  readonly #vanished = new Map<string, { readonly at: number; readonly count: number }>();

  /** `cache`: the one that has to show the writes. */
  constructor(options: { clock: Clock; cache: Pick<ClusterCache, 'hasSeen'>; names?: ReservedNames }) {
    this.#clock = options.clock;
    this.#cache = options.cache;
    this.#names = options.names;
  }

  /** Taken before the create is sent, so that no crash of the answer can hide the name. */
  reserve(key: SpecKey, jobName: string): void {
    const names = this.#reserved.get(specText(key)) ?? new Map<string, Reserved>();
    this.#reserved.set(specText(key), names.set(jobName, { jobName, state: 'pending', resourceVersion: undefined, at: this.#clock.monotonic() }));
    this.#names?.reserved(key, jobName);
  }

  /** The create was confirmed: the name stays reserved until the cache has seen it. */
  confirm(key: SpecKey, jobName: string, resourceVersion: string): void {
    const reserved = this.#reserved.get(specText(key))?.get(jobName);
    if (!reserved) return;
    reserved.state = 'created';
    reserved.resourceVersion = resourceVersion;
    reserved.at = this.#clock.monotonic();
    this.#names?.confirmed(jobName);
  }

  doubt(key: SpecKey, jobName: string): void {
    const reserved = this.#reserved.get(specText(key))?.get(jobName);
    if (reserved) reserved.state = 'unknown';
  }

  release(key: SpecKey, jobName: string): void {
    const names = this.#reserved.get(specText(key));
    names?.delete(jobName);
    if (names?.size === 0) this.#reserved.delete(specText(key));
    this.#names?.released(jobName);
  }

  /**
   * Names that still stand for a Job which the cache cannot show. Seen ones are let go here; one that is not seen for
   * too long is looked up (after the cluster was restored from a backup its resourceVersion may never come).
   */
  reservations(key: SpecKey): readonly Reservation[] {
    for (const reserved of [...(this.#reserved.get(specText(key))?.values() ?? [])]) {
      if (reserved.resourceVersion === undefined) continue;
      if (this.#cache.hasSeen(reserved.resourceVersion)) this.release(key, reserved.jobName);
      else if (this.#clock.monotonic() >= reserved.at + patience) reserved.state = 'unknown';
    }
    return [...(this.#reserved.get(specText(key))?.values() ?? [])].map(({ jobName, state }) => ({ jobName, state }));
  }

  wrote(key: SpecKey, resourceVersion: string): void {
    if (resourceVersion === '') return;
    // Several may be under way at once, and their answers come in any order.
    const writes = this.#writes.get(specText(key)) ?? [];
    writes.push({ resourceVersion, at: this.#clock.monotonic() });
    this.#writes.set(specText(key), writes);
  }

  /** Whether the cache has caught up with our writes for the key (KEP-5647). Deciding on an older view would repeat them. */
  caughtUp(key: SpecKey): boolean {
    const writes = this.#writes.get(specText(key));
    if (!writes) return true;
    const old = this.#clock.monotonic() - patience;
    if (writes.some(({ resourceVersion, at }) => at > old && !this.#cache.hasSeen(resourceVersion))) return false;
    this.#writes.delete(specText(key));
    return true;
  }

  /** An unfinished Job is gone. */
  jobVanished(key: SpecKey): void {
    this.#vanished.set(specText(key), { at: this.#clock.now(), count: (this.#vanished.get(specText(key))?.count ?? 0) + 1 });
  }

  /** A Job came to its end: whoever deleted others before has stopped. */
  jobFinished(key: SpecKey): void {
    this.#vanished.delete(specText(key));
  }

  vanished(key: SpecKey): { readonly at: number; readonly count: number } | undefined {
    return this.#vanished.get(specText(key));
  }

  refused(key: SpecKey, refusal: Omit<Refusal, 'at' | 'count'>): void {
    const before = this.#refusals.get(specText(key));
    const repeated = before?.hash === refusal.hash && before.kind === refusal.kind;
    this.#refusals.set(specText(key), { ...refusal, at: this.#clock.now(), count: repeated ? before.count + 1 : 1 });
  }

  accepted(key: SpecKey): void {
    this.#refusals.delete(specText(key));
  }

  refusal(key: SpecKey): Refusal | undefined {
    return this.#refusals.get(specText(key));
  }

  /** Another process led meanwhile: what it was refused and what it saw vanish is not known here, as after a restart. */
  startAnew(): void {
    this.#refusals.clear();
    this.#vanished.clear();
  }

  /** The key has neither claims nor Jobs any more. */
  forget(key: SpecKey): void {
    this.#refusals.delete(specText(key));
    this.#vanished.delete(specText(key));
    this.#writes.delete(specText(key));
  }
}
