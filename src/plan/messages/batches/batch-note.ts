/** The notes of a batch as one annotation: all annotations of an object have 256 KiB together. */
import type { MessageNote } from '../message.ts';

/** Bytes of the notes and of the marks that follow them, one for each message: the rest is for all other annotations. */
export const longestNotes = 200 * 1024;
/** Key and value of a mark, such as `settled.job-chief/999` and `{"as":"completed","at":1767268800000}`. */
const bytesOfMark = 64;
/** What the first says for all that follow. */
const shared = ['source', 'settle', 'retry', 'deadLetter'] as const;

/** Annotation job-chief/batch: what follows the first note leaves out what is the same in all. */
export function batchNoteText(notes: readonly MessageNote[]): string {
  return JSON.stringify(notes.map((note, index) => (index === 0 ? note : own(note))));
}

/** Bytes that a note takes, its mark included. `first` says what all have in common. */
export function noteSize(note: MessageNote, first: boolean): number {
  return Buffer.byteLength(JSON.stringify(first ? note : own(note))) + 1 + bytesOfMark;
}

function own(note: MessageNote): Partial<MessageNote> {
  return Object.fromEntries(Object.entries(note).filter(([name]) => !shared.some((field) => field === name)));
}
