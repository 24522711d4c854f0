/**
 * A history as text: JSON with a list for each message, compressed. Lists, since names of fields would be half of it;
 * compressed, since all of it is written anew with each change, and etcd keeps every version for a while: some 250 bytes a
 * message become 60.
 *
 * Anybody may have edited it: what cannot be read is as if it were not there.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { arrayAt, isObject, numberAt, parseJson, type Json } from '../../lib/json.ts';
import type { Carrier } from '../../plan/messages/carrier.ts';
import { mergeHistories, type History, type HistoryEntry, type HistoryJob } from '../../plan/messages/history.ts';
import type { SettledNote } from '../../plan/messages/message.ts';
import { outcomes } from '../../plan/notes.ts';

/** A reader of another version takes nothing from it. */
const formatVersion = 1;
/** Far above what is written; below what a forged document could unfold to. */
const unpackedLimit = 4 * 1024 * 1024;
const settledAs: readonly SettledNote['as'][] = ['completed', 'taken', 'returned', 'dead', 'kept', 'presumed'];

/** Bytes for binaryData, not base64 yet. */
export function encodeHistory(history: History): Buffer {
  return gzipSync(historyText(history), { level: 6 });
}

/** The same before it is compressed. */
export function historyText({ entries, since }: History): string {
  const sources = [...new Set(entries.map(({ source }) => source))];
  const places = new Map(sources.map((source, index) => [source, index]));
  return JSON.stringify({ version: formatVersion, since, sources, entries: entries.map((entry) => rowOf(entry, places.get(entry.source) ?? 0)) });
}

/** Never throws; `base64` as a ConfigMap has it. undefined: nobody can read it. */
export function decodeHistory(base64: string | undefined): History | undefined {
  if (base64 === undefined) return undefined;
  const document = unpacked(base64);
  if (numberAt(document, 'version') !== formatVersion) return undefined;
  const sources = arrayAt(document, 'sources');
  const entries = arrayAt(document, 'entries').flatMap((row) => entryIn(row, sources) ?? []);
  // In order and within the bounds, whoever wrote it.
  return mergeHistories({ entries, since: timeIn(numberAt(document, 'since')) });
}

/** What is not known stands as null, so that each thing has its place. */
function rowOf({ id, as, settledAt, job, reason, detail, enqueuedAt, leasedAt }: HistoryEntry, source: number): Json {
  const row = [id, source, as, settledAt, reason ?? null, detail ?? null, enqueuedAt ?? null, leasedAt ?? null];
  return job ? [...row, job.name, carrierCode(job.carrier), job.serial, job.attempt, job.createdAt, job.startedAt ?? null, job.finishedAt ?? null, job.outcome ?? null, job.exitCode ?? null] : row;
}

/** A run is `run`, an index its number. */
function carrierCode(carrier: Carrier | undefined): Json {
  if (carrier === undefined) return null;
  return carrier.kind === 'Run' ? 'run' : carrier.index;
}

function carrierIn(code: Json | undefined): Carrier | undefined {
  if (code === 'run') return { kind: 'Run' };
  const index = countIn(code);
  return index === undefined ? undefined : { kind: 'index', index };
}

function entryIn(row: Json, sources: readonly Json[]): HistoryEntry | undefined {
  if (!Array.isArray(row)) return undefined;
  const [id, source, told, settled, ...rest] = row;
  const text = typeof source === 'number' ? sources[source] : undefined;
  const as = settledAs.find((each) => each === told);
  const settledAt = timeIn(settled);
  if (typeof id !== 'string' || typeof text !== 'string' || as === undefined || settledAt === undefined) return undefined;
  const [reason, detail, enqueuedAt, leasedAt, ...job] = rest;
  return { id, source: text, as, settledAt, ...given({ reason: textIn(reason), detail: textIn(detail), enqueuedAt: timeIn(enqueuedAt), leasedAt: timeIn(leasedAt), job: jobIn(job) }) };
}

function jobIn([name, code, serialCode, attemptCode, created, startedAt, finishedAt, outcomeWord, exitCode]: readonly Json[]): HistoryJob | undefined {
  const [serial, attempt, createdAt] = [countIn(serialCode), countIn(attemptCode), timeIn(created)];
  if (typeof name !== 'string' || serial === undefined || attempt === undefined || createdAt === undefined) return undefined;
  const outcome = outcomes.find((each) => each === outcomeWord);
  return { name, serial, attempt, createdAt, ...given({ carrier: carrierIn(code), startedAt: timeIn(startedAt), finishedAt: timeIn(finishedAt), outcome, exitCode: wholeIn(exitCode) }) };
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function timeIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= latestTime ? value : undefined;
}

function wholeIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function countIn(value: Json | undefined): number | undefined {
  const whole = wholeIn(value);
  return whole !== undefined && whole >= 0 ? whole : undefined;
}

/** What a Date can hold. */
const latestTime = 8.64e15;

/** Without what is undefined. */
function given<Values extends object>(values: Values): Partial<{ [Key in keyof Values]: Exclude<Values[Key], undefined> }> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<{ [Key in keyof Values]: Exclude<Values[Key], undefined> }>;
}

function unpacked(base64: string): Json {
  try {
    const document = parseJson(gunzipSync(Buffer.from(base64, 'base64'), { maxOutputLength: unpackedLimit }).toString('utf8'));
    return isObject(document) ? document : null;
  } catch {
    return null;
  }
}
