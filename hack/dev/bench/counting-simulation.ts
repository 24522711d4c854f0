/**
 * What becomes of a load when Jobs are made by counting: in steps of a second, a poll every ten seconds. A Job takes the
 * oldest free message when its pod starts, keeps it locked, deletes it at its end, and exits at once where there is none.
 * The API server and the Job controller take no time: real ones only make it worse.
 */
import { jobsToCreate, type Reading, type Strategy } from './counting-formulas.ts';
import { messagesOf, type Load } from './loads.ts';

/** What the metric is: `all` until they are deleted, or only those that nobody has locked (`ready`). */
export type Counted = 'all' | 'ready';

export interface Counting {
  readonly strategy: Strategy;
  readonly counted: Counted;
}

export interface Outcome {
  readonly jobs: number;
  /** Of these, Jobs that found no message. */
  readonly empty: number;
  /** Milliseconds from sending until a container has the message, in the order of sending; Infinity: never. */
  readonly waits: readonly number[];
  /** Messages for which no Job was ever made. */
  readonly left: number;
  /** Milliseconds until the last message was done, or until it was given up on. */
  readonly end: number;
}

const step = 1000;
/** In steps. */
const poll = 10;
const longest = 2 * 3600;

interface Message {
  readonly sentAt: number;
  takenAt: number | undefined;
  done: boolean;
}

/** Of one Job; `endsAt` undefined: its pod has not started. */
interface Running {
  readonly startsAt: number;
  endsAt: number | undefined;
  message: Message | undefined;
}

export function simulateCounting(load: Load, { strategy, counted }: Counting): Outcome {
  const messages: Message[] = [];
  const total = messagesOf(load);
  let running: Running[] = [];
  let [jobs, empty, tick] = [0, 0, 0];
  for (; tick < longest; tick += 1) {
    const now = tick * step;
    for (const { at, count } of load.sends) if (at === now) messages.push(...Array.from({ length: count }, () => ({ sentAt: now, takenAt: undefined, done: false })));
    running = running.filter((job) => !isOver(job, now));
    for (const job of running) if (job.endsAt === undefined && job.startsAt <= now) empty += begin(job, { messages, now, runs: load.runs });
    running = running.filter((job) => !isOver(job, now));
    if (messages.length === total && messages.every(({ done }) => done)) break;
    if (tick % poll !== 0) continue;
    const created = jobsToCreate(strategy, readingOf({ messages, running, counted, max: load.max }));
    jobs += created;
    running.push(...Array.from({ length: created }, () => ({ startsAt: now + load.startsAfter, endsAt: undefined, message: undefined })));
  }
  // Whose pods have not started when the last message is done find nothing.
  empty += running.filter(({ endsAt }) => endsAt === undefined).length;
  return { jobs, empty, left: messages.filter(({ done }) => !done).length, waits: messages.map(({ sentAt, takenAt = Infinity }) => takenAt - sentAt), end: tick * step };
}

function readingOf({ messages, running, counted, max }: { readonly messages: readonly Message[]; readonly running: readonly Running[]; readonly counted: Counted; readonly max: number }): Reading {
  const isCounted = ({ takenAt, done }: Message): boolean => (counted === 'all' ? !done : takenAt === undefined);
  return { length: messages.filter(isCounted).length, running: running.length, pending: running.filter(({ endsAt }) => endsAt === undefined).length, max };
}

/** Gives 1 where there is nothing for it. */
function begin(job: Running, { messages, now, runs }: { readonly messages: readonly Message[]; readonly now: number; readonly runs: number }): number {
  const message = messages.find(({ takenAt }) => takenAt === undefined);
  job.message = message;
  job.endsAt = message ? now + runs : now;
  if (message) message.takenAt = now;
  return message ? 0 : 1;
}

function isOver({ endsAt, message }: Running, now: number): boolean {
  if (endsAt === undefined || endsAt > now) return false;
  if (message) message.done = true;
  return true;
}
