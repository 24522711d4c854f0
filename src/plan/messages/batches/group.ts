/** Which messages in hand become a batch now: as many as fit, or those that have waited for others long enough. */
import type { BatchSpec } from '../../../spec/queue.ts';
import { longestFile, type Content } from '../content.ts';
import type { MessageNote } from '../message.ts';
import { longestNotes, noteSize } from './batch-note.ts';

/** Bytes of bodies and ids together, with room in a Secret for what stands around them. */
const longestData = longestFile + 64 * 1024;

/** A message that could start now. */
export interface Candidate {
  /** Since when, milliseconds since 1970. */
  readonly readyAt: number;
  /** Bytes of its body. */
  readonly bytes: number;
}

/** One whose content was read. */
export interface Member {
  readonly readyAt: number;
  readonly note: MessageNote;
  readonly content: Content;
  readonly bytes: number;
  readonly token: string;
}

/** Whether a batch of some of them may be due: only then their content is looked at. Otherwise when the first has waited long enough. */
export function ripeness(candidates: readonly Candidate[], { size, maxWait }: BatchSpec, now: number): { readonly ripe: true } | { readonly ripe: false; readonly until: number | undefined } {
  if (candidates.length === 0) return { ripe: false, until: undefined };
  const until = Math.min(...candidates.map(({ readyAt }) => readyAt)) + maxWait;
  const bytes = candidates.reduce((sum, candidate) => sum + candidate.bytes, 0);
  return candidates.length >= size || bytes >= longestFile || until <= now ? { ripe: true } : { ripe: false, until };
}

/** What one Job and its Secret can hold. */
export class Hold {
  readonly members: Member[] = [];
  readonly #size: number;
  #bodies = 0;
  #data = 0;
  #notes = 0;
  #full = false;

  constructor({ size }: BatchSpec) {
    this.#size = size;
  }

  /** Nothing more fits. */
  get full(): boolean {
    return this.#full || this.members.length >= this.#size;
  }

  /** false: it does not fit, and nothing goes before it. One alone always fits. */
  add(member: Member): boolean {
    const data = member.bytes + Buffer.byteLength(member.note.id);
    const note = noteSize(member.note, this.members.length === 0);
    const fits = this.#bodies + member.bytes <= longestFile && this.#data + data <= longestData && this.#notes + note <= longestNotes;
    if (this.full || (!fits && this.members.length > 0)) {
      this.#full = true;
      return false;
    }
    this.members.push(member);
    this.#bodies += member.bytes;
    this.#data += data;
    this.#notes += note;
    return true;
  }
}

/** Whether they are to start: nothing more fits, or the first of them has waited for others long enough. */
export function isDue(hold: Hold, { maxWait }: BatchSpec, now: number): boolean {
  return hold.full || (hold.members.length > 0 && waitsUntil(hold, maxWait) <= now);
}

/** When the first of them has waited long enough. */
export function waitsUntil({ members }: Hold, maxWait: number): number {
  return Math.min(...members.map(({ readyAt }) => readyAt)) + maxWait;
}
