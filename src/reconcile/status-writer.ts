/**
 * Writes a claim's status when it differs: at once when the spec was accepted, rejected or changed (Argo CD waits only
 * two seconds between waves), else at most once in ten seconds. Every write wakes the GitOps controllers that watch it.
 * While Jobs are being created, what need not be written at once gives way to them: a burst of creates would otherwise
 * go at half its pace.
 */
import type { Clock } from '../lib/clock.ts';
import type { Status } from '../plan/action.ts';
import type { ConfigMapSource } from '../plan/observed.ts';
import { statusText } from '../plan/status-text.ts';
import type { StatusSink, WriteResult } from './ports.ts';

const interval = 10_000;
/** After a 403 the right may have been granted meanwhile: one write tries again after this time. */
const forbiddenPause = 5 * 60_000;
/** How long a write gives way at most, and how soon it is looked at again. */
const courtesy = 5_000;
const courtesyPause = 2_000;

interface Written {
  readonly text: string;
  readonly at: number;
}

export interface StatusWriterOptions {
  readonly clock: Clock;
  /** undefined: switched off by configuration. */
  readonly sink: StatusSink | undefined;
  readonly forbidden: (message: string) => void;
  /** Jobs are being created just now. */
  readonly busy: () => boolean;
}

/** Keeps what it wrote, by UID, and nothing that could not be lost. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #written = new Map<string, Written>();
  /** Since when a write has given way, by UID. */
  readonly #givingWay = new Map<string, number>();
  #blockedUntil = 0;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** Returns after how many milliseconds to try again, if something is left to write. */
  async write(source: ConfigMapSource, status: Status): Promise<number | undefined> {
    const { sink, clock } = this.#options;
    if (!sink || source.deleting) return undefined;
    const text = statusText(status);
    const now = clock.monotonic();
    const last = this.#last(source, now);
    if (source.writtenStatus === text && source.writtenState === status.state) return undefined;
    const canWait = last !== undefined && !urgent(last.text, status);
    const wait = Math.max(this.#blockedUntil, canWait ? last.at + interval : 0) - now;
    if (wait > 0) return wait;
    if (canWait && this.#givesWay(source.uid, now)) return courtesyPause;
    this.#givingWay.delete(source.uid);
    this.#written.set(source.uid, { text, at: now });
    return this.#settle(source, await sink.write({ name: source.name, uid: source.uid }, { annotation: text, state: status.state, health: status.health }));
  }

  /** Another process wrote meanwhile: what stands there is what counts. */
  startAnew(): void {
    this.#written.clear();
  }

  forget(uid: string): void {
    this.#written.delete(uid);
    this.#givingWay.delete(uid);
  }

  #givesWay(uid: string, now: number): boolean {
    if (!this.#options.busy()) return false;
    const since = this.#givingWay.get(uid) ?? now;
    this.#givingWay.set(uid, since);
    return now < since + courtesy;
  }

  /**
   * What we wrote last, whether or not it still stands: who wipes it again and again gets it back every ten seconds. At
   * the first look of this process what stands there counts as just written, so that a restart rewrites nothing in passing.
   */
  #last(source: ConfigMapSource, now: number): Written | undefined {
    const written = this.#written.get(source.uid);
    if (written || source.writtenStatus === undefined) return written;
    const found = { text: source.writtenStatus, at: now };
    this.#written.set(source.uid, found);
    return found;
  }

  #settle(source: ConfigMapSource, result: WriteResult): number | undefined {
    if (result.kind === 'done' || result.kind === 'gone') return undefined;
    this.#written.delete(source.uid);
    if (result.kind !== 'forbidden') return interval;
    this.#blockedUntil = this.#options.clock.monotonic() + forbiddenPause;
    this.#options.forbidden(result.message);
    return undefined;
  }
}

/** A Run whose run is over: somebody waits for that. */
const ended: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Cancelled']);

/** Whether the difference must not wait: another revision, another verdict about it (no verdict yet is none), or an end. */
function urgent(before: string, status: Status): boolean {
  const old = readStatus(before);
  const accepted = acceptance(status);
  const ends = ended.has(status.state) && old.state !== status.state;
  return ends || old.observedHash !== status.observedHash || (accepted !== 'Unknown' && old.accepted !== accepted);
}

function acceptance(status: Pick<Status, 'conditions'>): string | undefined {
  return status.conditions.find((condition) => condition.type === 'Accepted')?.status;
}

export interface ReadStatus {
  readonly observedHash: string | undefined;
  readonly accepted: string | undefined;
  readonly reason: string | undefined;
  readonly state?: string | undefined;
}

/** What a written status said; anybody can write the annotation, so anything may stand there. */
export function readStatus(text: string | undefined): ReadStatus {
  try {
    const status = JSON.parse(text ?? 'null') as Partial<Status> | null;
    const conditions = Array.isArray(status?.conditions) ? status.conditions : [];
    return { observedHash: status?.observedHash, accepted: acceptance({ conditions }), reason: status?.reason, state: status?.state };
  } catch {
    return { observedHash: undefined, accepted: undefined, reason: undefined };
  }
}
