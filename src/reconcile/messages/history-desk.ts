/** What is still to be written into the history of one queue. */
import { historyEntry, settledMessages, stampOf } from '../../plan/messages/history-entries.ts';
import { messageKey, mostEntries, type HistoryEntry } from '../../plan/messages/history.ts';
import { messagesOf, noMessages } from '../../plan/messages/view.ts';
import type { Observed } from '../../plan/observed.ts';
import { winningClaim } from '../../plan/winner.ts';
import type { HistoryOwner } from './history-ports.ts';

interface Unseen {
  readonly key: string;
  /** What it says, in short. */
  readonly stamp: string;
  readonly entry: HistoryEntry;
}

/** `spec`: whether anything defines the queue now; without that no history is begun, since nothing would ever end it. */
export interface Unwritten {
  readonly entries: readonly HistoryEntry[];
  /** Those among them that follow from what is in view. */
  readonly fresh: readonly Unseen[];
  readonly spec: boolean;
  readonly owner: HistoryOwner | undefined;
}

/** Nothing here is needed after a restart: what stands in the history already is merged into it once more. */
export class HistoryDesk {
  /** Of the last round, until somebody looks at it. */
  #seen: Pick<Observed, 'jobs' | 'messages'> | undefined;
  #spec = false;
  #owner: HistoryOwner | undefined;
  /** Of messages in view, what is not known to be written. */
  #unwritten: readonly Unseen[] = [];
  /** Of messages without a Job, by message. */
  readonly #news = new Map<string, HistoryEntry>();
  /** What the history is known to say, in short, by message: only of what is in view. */
  readonly #written = new Map<string, string>();
  /** UID of the owner that it is known to have. */
  #ownerUid: string | undefined;

  /** By the last round. */
  saw({ jobs, messages, claims }: Pick<Observed, 'jobs' | 'messages' | 'claims'>): void {
    const source = winningClaim(claims)?.claim.source;
    this.#seen = { jobs, ...(messages && { messages }) };
    this.#spec = source !== undefined;
    this.#owner = source?.kind === 'configMap' ? { name: source.name, uid: source.uid } : undefined;
  }

  /** Settled without a Job. */
  heard(entry: HistoryEntry): void {
    const key = messageKey(entry);
    this.#news.delete(key);
    this.#news.set(key, entry);
    const [oldest] = this.#news.keys();
    if (this.#news.size > mostEntries && oldest !== undefined) this.#news.delete(oldest);
  }

  /** Nobody who comes after would find it out again. */
  get hasNews(): boolean {
    return this.#news.size > 0;
  }

  /** undefined: nothing that is not written. */
  unwritten(): Unwritten | undefined {
    if (this.#seen) this.#look(this.#seen);
    this.#seen = undefined;
    const fresh = this.#unwritten;
    const entries = [...fresh.map(({ entry }) => entry), ...this.#news.values()];
    // Handed over together with the queue, so that it does not go with what defined that before.
    const isHandedOver = this.#owner !== undefined && this.#ownerUid !== undefined && this.#owner.uid !== this.#ownerUid;
    return entries.length === 0 && !isHandedOver ? undefined : { entries, fresh, spec: this.#spec, owner: this.#owner };
  }

  /** It stands there now. */
  wrote({ entries, fresh }: Pick<Unwritten, 'entries' | 'fresh'>, ownerUid: string | undefined): void {
    this.#ownerUid = ownerUid;
    this.#unwritten = [];
    for (const { key, stamp } of fresh) this.#written.set(key, stamp);
    for (const entry of entries) if (!entry.job && this.#news.get(messageKey(entry)) === entry) this.#news.delete(messageKey(entry));
  }

  /** Most of what is in view is written already: that costs no more than a look. */
  #look({ jobs, messages = noMessages }: Pick<Observed, 'jobs' | 'messages'>): void {
    const known = settledMessages(messagesOf({ jobs }, messages)).map((message) => ({ message, key: messageKey(message), stamp: stampOf(message) }));
    const inView = new Set(known.map(({ key }) => key));
    for (const key of this.#written.keys()) if (!inView.has(key)) this.#written.delete(key);
    this.#unwritten = known.flatMap(({ message, key, stamp }) => (this.#written.get(key) === stamp ? [] : [{ key, stamp, entry: historyEntry(message) }]));
  }
}
