/** Leases in hand and Jobs, put together by message. */
import { sourceText, type QueueSource } from '../../spec/queue-source.ts';
import type { Observed, ObservedJob } from '../observed.ts';
import type { MessageNote, Receipt } from './message.ts';
import { isBatchJob, itemsOf } from './batches/items.ts';
import type { MessageJobView } from './carrier.ts';
import type { LeaseInHand, MessagesView } from './observed.ts';
import { runViews } from './runs/run-view.ts';

export type { MessageJobView };

/** All that is known of one message. */
export interface MessageView {
  /** sourceText of its queue. */
  readonly source: string;
  readonly id: string;
  /** The oldest first. */
  readonly leases: readonly LeaseInHand[];
  /** The newest first, by serial. */
  readonly jobs: readonly MessageJobView[];
  /** Something is being asked about it just now. */
  readonly underWay: boolean;
}

/** What plans see where nobody leases messages, or nothing was heard yet. */
export const noMessages: MessagesView = { leases: [], sources: new Map(), underWay: new Set(), posted: new Set(), lost: new Set(), refusals: new Map() };

/** All that carries messages: Jobs, indexes of Jobs, and runs. */
export function carriersOf(jobs: readonly ObservedJob[], { runs = [] }: Pick<MessagesView, 'runs'>): readonly MessageJobView[] {
  const single = jobs.filter(isMessageJob);
  if (runs.length === 0 && single.length === jobs.length) return single;
  return [...single, ...jobs.filter(isBatchJob).flatMap(itemsOf), ...runViews({ runs })];
}

/** It was made for a message alone, and its note can be read. */
export function isMessageJob(job: ObservedJob): job is MessageJobView {
  return job.message !== undefined;
}

/** Those in hand first, in the order in which they came; then those of which there are only Jobs. */
export function messagesOf({ jobs }: Pick<Observed, 'jobs'>, view: MessagesView): readonly MessageView[] {
  const found = new Map<string, Map<string, Found>>();
  const all: Found[] = [];
  const at = (source: string, id: string): Found => {
    const ofSource = found.get(source) ?? new Map<string, Found>();
    found.set(source, ofSource);
    const known = ofSource.get(id);
    if (known) return known;
    const message: Found = { source, id, leases: [], jobs: [], underWay: view.underWay.has(id) };
    ofSource.set(id, message);
    all.push(message);
    return message;
  };
  // Jobs of one queue share what it is.
  const texts = new Map<QueueSource, string>();
  for (const lease of view.leases) at(lease.source, lease.id).leases.push(lease);
  for (const job of carriersOf(jobs, view)) {
    const { id, source } = job.message.note;
    const text = texts.get(source) ?? sourceText(source);
    texts.set(source, text);
    at(text, id).jobs.push(job);
  }
  for (const message of all) message.jobs.sort(newestFirst);
  return all;
}

interface Found extends MessageView {
  readonly leases: LeaseInHand[];
  readonly jobs: MessageJobView[];
}

/** The name holds the serial, so two of one serial are of different names of the spec: then the later one counts. */
function newestFirst(left: MessageJobView, right: MessageJobView): number {
  return right.message.note.serial - left.message.note.serial || right.createdAt - left.createdAt;
}

/** Whether the Job was made under this lease: the very same, or one that was taken over from a process before. */
export function isSameLease(note: MessageNote, lease: LeaseInHand): boolean {
  if (lease.since === note.leasedAt) return true;
  return isUsable(note.receipt) && sameReceipt(note.receipt, lease.receipt) && lease.delivery === note.delivery;
}

/** A process that has only this can settle with it. */
export function isUsable(receipt: Receipt): boolean {
  return Object.keys(receipt).length > 0;
}

function sameReceipt(left: Receipt, right: Receipt): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
