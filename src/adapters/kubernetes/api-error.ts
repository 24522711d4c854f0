/**
 * What an answer of the API server means for us. Status codes alone do not tell: a full quota, a denial by policy and a
 * missing right are all 403, and the name of an object that exists answers 403 while the quota is full.
 */
import { isObject, numberAt, objectAt, arrayAt, stringAt } from '../../lib/json.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { ReadResult, WriteResult } from '../../reconcile/ports.ts';
import type { ApiResponse } from './transport.ts';

/** An answer that is not a success, or the want of one. */
export interface ApiFailure {
  /** undefined: no answer was received. */
  readonly status: number | undefined;
  /** The API server's word, such as `NotFound`; empty where it gave none. */
  readonly reason: string;
  /** One short sentence for people, the same for the same cause whatever the object is called. */
  readonly message: string;
  /** Milliseconds, where the server said when to come again. */
  readonly retryAfter: number | undefined;
}

/** Messages end up in annotations of at most 4 KiB and in Events of at most 1 KiB. */
const longestMessage = 700;

export function failureOf(response: ApiResponse): ApiFailure {
  const fromServer = stringAt(response.body, 'message') ?? (typeof response.body === 'string' ? response.body : '');
  return {
    status: response.status,
    reason: stringAt(response.body, 'reason') ?? '',
    message: shortMessage(fromServer) || `the API server answered ${response.status}`,
    retryAfter: retryAfterOf(response),
  };
}

export function noAnswer(message: string): ApiFailure {
  return { status: undefined, reason: '', message, retryAfter: undefined };
}

/** 410, as status of a list or watch and as the code of an ERROR event: the resourceVersion is too old. */
export function isExpired(failure: ApiFailure): boolean {
  return failure.status === 410 || failure.reason === 'Expired' || failure.reason === 'Gone';
}

/** What a write came to, for every status but the retried ones. */
export function writeResult(response: ApiResponse): WriteResult {
  if (response.status >= 200 && response.status < 300) return accepted(response);
  const failure = failureOf(response);
  if (deniedByWebhook(failure)) return { kind: 'refused', message: failure.message };
  const meaning = meanings.get(response.status);
  return meaning ? meaning(failure, response.body) : { kind: 'unknown', message: failure.message };
}

type Meaning = (failure: ApiFailure, body: Json) => WriteResult;
const refused: Meaning = ({ message }) => ({ kind: 'refused', message });
/** Any other status, 429 and 5xx first of all, leaves open what happened. */
const meanings: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [400, refused],
  [413, refused],
  [401, ({ message }) => ({ kind: 'forbidden', message })],
  [403, ({ message }, body) => ({ kind: kindOfForbidden(body, message), message })],
  [404, ({ reason, message }) => (reason === 'NotFound' ? { kind: 'gone' } : { kind: 'unknown', message })],
  [409, ({ reason, message }) => (reason === 'AlreadyExists' ? { kind: 'exists' } : { kind: 'conflict', message })],
  [422, ({ message }, body) => ({ kind: isUidMismatch(body) ? 'conflict' : 'refused', message })],
]);

export function readResult(response: ApiResponse): ReadResult<JsonObject> {
  if (response.status === 200 && isObject(response.body)) return { kind: 'found', value: response.body };
  const failure = failureOf(response);
  // Only the API server's own NotFound counts: a proxy's 404 says nothing about the object.
  if (response.status === 404 && failure.reason === 'NotFound') return { kind: 'absent' };
  return { kind: 'failed', message: failure.message, forbidden: isForbidden(failure) };
}

export function isForbidden(failure: ApiFailure): boolean {
  return failure.status === 401 || failure.status === 403;
}

function accepted(response: ApiResponse): WriteResult {
  if (!isObject(response.body)) return { kind: 'unknown', message: 'the answer was not JSON: is a proxy in the way?' };
  const metadata = objectAt(response.body, 'metadata');
  return {
    kind: 'done',
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    // A background delete answers with a Status, which carries the uid in its details.
    uid: stringAt(metadata, 'uid') ?? stringAt(objectAt(response.body, 'details'), 'uid') ?? '',
    warnings: warningsOf(response),
  };
}

/** A webhook chooses the status code of its denial freely, 5xx included; the text is the API server's own. */
function deniedByWebhook(failure: ApiFailure): boolean {
  return /^admission webhook ".*?" denied the request/.test(failure.message);
}

function kindOfForbidden(body: Json, message: string): 'quota' | 'forbidden' | 'refused' | 'unknown' {
  if (message.includes('exceeded quota') || message.includes('status unknown for quota')) return 'quota';
  // Admission plugins answer so while the API server is still starting.
  if (message.includes('not yet ready to handle request')) return 'unknown';
  if (/User ".*" cannot /.test(message) || hasCause(body, 'NamespaceTerminating') || message === 'Forbidden') return 'forbidden';
  return 'refused';
}

/**
 * Apply and merge patch answer 422 where metadata.uid names an earlier object of that name. The cause is given twice,
 * and for a Job together with its selector and labels, which hold the UID as well.
 */
function isUidMismatch(body: Json): boolean {
  return arrayAt(objectAt(body, 'details'), 'causes').some((cause) => stringAt(cause, 'field') === 'metadata.uid');
}

function hasCause(body: Json, reason: string): boolean {
  return arrayAt(objectAt(body, 'details'), 'causes').some((cause) => stringAt(cause, 'reason') === reason);
}

/** Without `jobs.batch "name" is invalid:`: the name is known, and in a dry run it is a new one each time. */
function shortMessage(message: string): string {
  const text = message
    .replace(/^[a-z0-9.-]+ ("[^"]*" )?is (forbidden|invalid): /i, '')
    .replace(/^Job in version "v1" cannot be handled as a Job: /, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1)}…`;
}

/** Seconds in the header, or in the Status; dates are not used by the API server. */
function retryAfterOf(response: ApiResponse): number | undefined {
  const header = response.headers['retry-after'];
  const seconds = header === undefined ? numberAt(objectAt(response.body, 'details'), 'retryAfterSeconds') : Number(header);
  return seconds === undefined || !Number.isFinite(seconds) || seconds < 0 ? undefined : seconds * 1000;
}

/** `299 - "text"` each; one header line may hold several. */
function warningsOf(response: ApiResponse): readonly string[] {
  const header = response.headers['warning'] ?? [];
  const lines = typeof header === 'string' ? [header] : header;
  return lines.flatMap((line) => [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replaceAll(/\\(.)/g, '$1')));
}
