/** What job-chief wrote on Jobs about their messages, read back. Anybody may have edited it since: garbage reads as undefined. */
import { arrayAt, isObject, numberAt, objectAt, parseJson, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import type { MessageNote, SettledNote } from '../../plan/messages/message.ts';
import type { BatchFacts, MessageJobFacts } from '../../plan/messages/observed.ts';
import type { DeadLetterSpec } from '../../spec/queue.ts';
import type { AmqpDeclaration, MessageIdRule, QueueSource } from '../../spec/queue-source.ts';
import type { RetrySpec } from '../../spec/workflow.ts';
import { batchAnnotation, committedAnnotation, messageAnnotation, settledAnnotation, settledIndexAnnotation } from '../../spec/keys.ts';
import { Interner } from './interner.ts';
import { textsAt } from './labels.ts';

/** What all Jobs of a queue say alike, kept once. */
export interface SharedNotes {
  readonly sources: Interner<QueueSource | null>;
  readonly retries: Interner<RetrySpec | null>;
  readonly deadLetters: Interner<DeadLetterSpec | null>;
}

export function newSharedNotes(): SharedNotes {
  return {
    sources: new Interner((text) => readSource(parseJson(text)) ?? null),
    retries: new Interner((text) => readRetry(parseJson(text)) ?? null),
    deadLetters: new Interner((text) => readDeadLetter(parseJson(text)) ?? null),
  };
}

/** undefined: it was not made for a message, or nobody can read for which. */
export function readMessageFacts(annotations: Readonly<Record<string, string>>, shared: SharedNotes): MessageJobFacts | undefined {
  const note = readMessageNote(annotations[messageAnnotation], shared);
  return note && { note, settled: readSettledNote(annotations[settledAnnotation]) };
}

/** undefined: it was not made for several messages, or nobody can read for which. */
export function readBatchFacts(annotations: Readonly<Record<string, string>>, shared: SharedNotes): BatchFacts | undefined {
  const raw = parseJson(annotations[batchAnnotation]);
  if (!Array.isArray(raw)) return undefined;
  // What the first says holds for all that say nothing else (plan/messages/batches/batch-note.ts).
  const { source, settle, retry, deadLetter } = isObject(raw[0]) ? raw[0] : {};
  const notes = raw.flatMap((each) => noteOf(isObject(each) ? { source, settle, retry, deadLetter, ...each } : each, shared) ?? []);
  // One that cannot be read leaves nobody knowing which index is whose.
  if (notes.length !== raw.length || notes.length === 0) return undefined;
  const settled = notes.flatMap((_, index) => {
    const said = readSettledNote(annotations[settledIndexAnnotation(index)]);
    return said ? [[index, said] as const] : [];
  });
  return { notes, settled: new Map(settled), committed: annotations[committedAnnotation] === 'true' };
}

/** Annotation job-chief/message. */
export function readMessageNote(text: string | undefined, shared: SharedNotes = newSharedNotes()): MessageNote | undefined {
  return text === undefined ? undefined : noteOf(parseJson(text), shared);
}

function noteOf(raw: Json, shared: SharedNotes): MessageNote | undefined {
  const [told, ways, counts] = [toldOf(raw), waysOf(raw, shared), countsAt(raw)];
  if (!told || !ways || !counts) return undefined;
  const [delivery, enqueuedAt] = [numberAt(raw, 'delivery'), numberAt(raw, 'enqueuedAt')];
  const bare = isObject(raw) && raw['bare'] === true;
  return { ...told, ...ways, ...counts, receipt: receiptAt(raw), ...(bare && { bare }), ...(delivery !== undefined && { delivery }), ...(enqueuedAt !== undefined && { enqueuedAt }) };
}

/** Of the message itself. */
function toldOf(raw: Json): Pick<MessageNote, 'id' | 'sha256' | 'leasedAt'> | undefined {
  const [id, sha256, leasedAt] = [stringAt(raw, 'id'), stringAt(raw, 'sha256'), numberAt(raw, 'leasedAt')];
  return id === undefined || sha256 === undefined || leasedAt === undefined ? undefined : { id, sha256, leasedAt };
}

/** What is to become of it, as all messages of the queue have it. */
function waysOf(raw: Json, shared: SharedNotes): Pick<MessageNote, 'source' | 'settle' | 'retry' | 'deadLetter'> | undefined {
  const source = shared.sources.get(textOf(raw, 'source'));
  const retry = shared.retries.get(textOf(raw, 'retry'));
  const settle = settleModes.find((mode) => mode === stringAt(raw, 'settle'));
  if (!source || !retry || settle === undefined) return undefined;
  if (!isObject(raw) || raw['deadLetter'] === undefined) return { source, settle, retry };
  const deadLetter = shared.deadLetters.get(textOf(raw, 'deadLetter'));
  // A message without the place that its spec meant for it would go the way of all others.
  return deadLetter ? { source, settle, retry, deadLetter } : undefined;
}

/** Annotation job-chief/settled. */
export function readSettledNote(text: string | undefined): SettledNote | undefined {
  if (text === undefined) return undefined;
  const raw = parseJson(text);
  const as = settledAs.find((each) => each === stringAt(raw, 'as'));
  const at = numberAt(raw, 'at');
  return as === undefined || at === undefined ? undefined : { as, at };
}

const settleModes = ['onCompletion', 'onJobCreated'] as const;
const settledAs = ['completed', 'taken', 'returned', 'dead', 'kept', 'presumed'] as const;
const noReceipt: MessageNote['receipt'] = {};

function textOf(raw: Json, key: string): string {
  return JSON.stringify((isObject(raw) ? raw[key] : undefined) ?? null);
}

/** Hardly any Job of AMQP has one. */
function receiptAt(raw: Json): MessageNote['receipt'] {
  const receipt = textsAt(raw, 'receipt');
  return Object.keys(receipt).length === 0 ? noReceipt : receipt;
}

function countsAt(raw: Json): Pick<MessageNote, 'serial' | 'attempt' | 'tries'> | undefined {
  const [serial, attempt, tries] = [countAt(raw, 'serial'), countAt(raw, 'attempt'), countAt(raw, 'tries')];
  return serial === undefined || attempt === undefined || tries === undefined ? undefined : { serial, attempt, tries };
}

function countAt(raw: unknown, key: string): number | undefined {
  const found = numberAt(raw, key);
  return found !== undefined && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
}

function readSource(raw: Json): QueueSource | undefined {
  const [connection, queue] = [stringAt(raw, 'connection'), stringAt(raw, 'queue')];
  if (connection === undefined || queue === undefined) return undefined;
  switch (stringAt(raw, 'type')) {
    case 'pgBoss':
      return { type: 'pgBoss', connection, queue, schema: stringAt(raw, 'schema') };
    case 'amqp':
      return { type: 'amqp', connection, queue, vhost: stringAt(raw, 'vhost'), declare: readDeclaration(raw), messageId: readMessageId(raw) };
    case 'sqs':
      return { type: 'sqs', connection, queue, url: stringAt(raw, 'url') };
    default:
      return undefined;
  }
}

function readDeclaration(raw: Json): AmqpDeclaration | undefined {
  const declare = objectAt(raw, 'declare');
  const type = (['classic', 'quorum'] as const).find((each) => each === stringAt(declare, 'type'));
  return type && { type, deadLetterExchange: stringAt(declare, 'deadLetterExchange'), deadLetterRoutingKey: stringAt(declare, 'deadLetterRoutingKey') };
}

function readMessageId(raw: Json): MessageIdRule | undefined {
  const word = (['bodyHash', 'none'] as const).find((each) => each === stringAt(raw, 'messageId'));
  if (word) return word;
  const rule = objectAt(raw, 'messageId');
  const property = (['message_id', 'correlation_id'] as const).find((each) => each === stringAt(rule, 'property'));
  const header = stringAt(rule, 'header');
  if (property) return { property };
  return header === undefined ? undefined : { header };
}

function readRetry(raw: Json): RetrySpec | undefined {
  const [attempts, delay, factor, maxDelay] = [countAt(raw, 'attempts'), numberAt(raw, 'delay'), numberAt(raw, 'factor'), numberAt(raw, 'maxDelay')];
  if (attempts === undefined || delay === undefined || factor === undefined || maxDelay === undefined) return undefined;
  const onOOM = objectAt(raw, 'onOOM');
  const [more, maxMemory] = [numberAt(onOOM, 'factor'), stringAt(onOOM, 'maxMemory')];
  return {
    attempts, delay, factor, maxDelay,
    within: numberAt(raw, 'within'),
    exitCodes: readExitCodes(objectAt(raw, 'exitCodes')),
    onOOM: more === undefined || maxMemory === undefined ? undefined : { factor: more, maxMemory },
  };
}

function readExitCodes(raw: JsonObject): RetrySpec['exitCodes'] {
  const codes = (key: string): number[] => arrayAt(raw, key).filter((code) => typeof code === 'number');
  if (Array.isArray(raw['retry'])) return { retry: codes('retry') };
  return Array.isArray(raw['fail']) ? { fail: codes('fail') } : undefined;
}

function readDeadLetter(raw: Json): DeadLetterSpec | undefined {
  const [queue, exchange, routingKey] = [stringAt(raw, 'queue'), stringAt(raw, 'exchange'), stringAt(raw, 'routingKey')];
  if (queue !== undefined) return { queue };
  return exchange === undefined || routingKey === undefined ? undefined : { exchange, routingKey };
}
