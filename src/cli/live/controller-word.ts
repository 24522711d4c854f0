/**
 * What the controller wrote about a spec: the only place that tells what nobody else knows, such as how deep a queue is or
 * that the API server refused a Job. It is as old as it is, and may be about an older text.
 */
import { arrayAt, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import { timeAt } from '../../adapters/kubernetes/labels.ts';
import type { Refusal, TemplateVerdict } from '../../plan/observed.ts';
import { reasons, type Reason } from '../../plan/reason.ts';
import { fieldManager } from '../../spec/keys.ts';

export interface ControllerWord {
  readonly state: string;
  readonly reason: Reason | undefined;
  readonly message: string;
  /** Of the text that it is about. */
  readonly hash: string | undefined;
  /** When the controller wrote last, milliseconds since 1970; undefined where the object does not tell. */
  readonly at: number | undefined;
}

/** `status`: the annotation, read. `raw`: the ConfigMap, whose managedFields tell when the annotation was written. */
export function wordOf(status: JsonObject | undefined, raw: JsonObject): ControllerWord | undefined {
  if (!status) return undefined;
  const reason = stringAt(status, 'reason');
  return {
    state: stringAt(status, 'state') ?? 'Unknown',
    reason: reason !== undefined && isReason(reason) ? reason : undefined,
    message: stringAt(status, 'message') ?? '',
    hash: stringAt(status, 'observedHash'),
    at: writtenAt(raw),
  };
}

function isReason(word: string): word is Reason {
  return Object.hasOwn(reasons, word);
}

function writtenAt(raw: JsonObject): number | undefined {
  const times = arrayAt(objectAt(raw, 'metadata'), 'managedFields').flatMap((entry) => (stringAt(entry, 'manager') === fieldManager ? (timeAt(entry, 'time') ?? []) : []));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Why the limits let nothing start. The operator's own ceilings only the controller knows, Limits in the namespace anybody. */
const ofLimits: readonly Reason[] = ['LimitReached', 'GroupFull', 'StartRateReached', 'GroupUnknown', 'InstanceSuspended', 'LimitsBroken'];

/** Reasons that only the controller can know: the queue's depth, what a create or a dry run was answered. */
const onlyItsOwn: ReadonlySet<Reason> = new Set<Reason>([
  'SpecChecking', 'TemplateRefused', 'TemplateUnchecked', 'PolicyDenied',
  'QueueEmpty', 'QueueReady', 'ConnectionUnknown', 'QueueUnreachable', 'QueueForbidden', 'QueueNotFound', 'QueueUnsupported', 'QueueRefused',
  'QueueListening', 'MessageReceived', 'LeaseTooShort',
  'JobCreated', 'JobDeleted', 'JobNameTaken', 'CreateRefused', 'QuotaExceeded', 'Forbidden', 'AnswerUnknown', 'CacheBehind', 'RecordsOff', 'RecordsUnread',
]);

/** Whether nothing but the controller's word can stand behind this reason. */
export function isControllers(reason: Reason): boolean {
  return onlyItsOwn.has(reason);
}

/** The same where it is the controller that says it: then it may be what stands behind a reason that nobody else can know. */
export function countsAsWord(reason: Reason): boolean {
  // MessagesRunning: whether its queue could be opened only the controller knows, and that comes before what runs.
  return isControllers(reason) || ofLimits.includes(reason) || reason === 'SpecObserved' || reason === 'MessagesRunning';
}

/** It follows from the operator's configuration, which is not known here: a connection that there is none of, records that are off. */
export function isByConfiguration(reason: Reason): boolean {
  return reason === 'SpecRejected' || reason === 'RecordsOff';
}

/** The verdict that its word gives about the templates of this text; undefined: it says nothing about them. */
export function verdictIn(word: ControllerWord | undefined, hash: string, now: number): TemplateVerdict | undefined {
  if (word?.hash !== hash || word.reason === undefined || word.reason === 'SpecChecking') return undefined;
  const verdict = { hash, at: word.at ?? now, count: 1 };
  if (word.reason === 'TemplateRefused') return { ...verdict, result: { kind: 'refused', message: word.message } };
  if (word.reason === 'PolicyDenied') return { ...verdict, result: { kind: 'denied', message: word.message } };
  if (word.reason === 'TemplateUnchecked') return { ...verdict, result: { kind: 'unknown', message: word.message } };
  return { ...verdict, result: { kind: 'passed', warnings: [] } };
}

const refusals: Readonly<Partial<Record<Reason, Refusal['kind']>>> = { QuotaExceeded: 'quota', Forbidden: 'forbidden', CreateRefused: 'refused', JobNameTaken: 'taken' };

/** The last create that was refused, as far as its word is still about that. */
export function refusalIn(word: ControllerWord | undefined, hash: string, now: number): Refusal | undefined {
  const kind = word?.hash === hash && word.reason !== undefined ? refusals[word.reason] : undefined;
  return kind && word ? { kind, hash, message: word.message, at: word.at ?? now, count: 1 } : undefined;
}
