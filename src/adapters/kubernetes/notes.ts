/** What job-chief, and what people, wrote on its objects, read back. Anybody may have edited it since: garbage reads as undefined. */
import { isObject, numberAt, stringAt } from '../../lib/json.ts';
import { outcomes } from '../../plan/notes.ts';
import type { RecordedOutcome, UpkeepNote } from '../../plan/notes.ts';

/** Annotation job-chief/outcome. */
export function readOutcome(text: string | undefined): RecordedOutcome | undefined {
  const note = parse(text);
  const outcome = outcomes.find((each) => each === stringAt(note, 'outcome'));
  const phase = stringAt(note, 'phase');
  if (outcome === undefined || (phase !== 'ending' && phase !== 'final')) return undefined;
  const [exitCode, verdict] = [numberAt(note, 'exitCode'), stringAt(note, 'verdict')];
  return { outcome, phase, reason: stringAt(note, 'reason') ?? '', message: stringAt(note, 'message') ?? '', ...(exitCode === undefined ? {} : { exitCode }), ...(verdict === undefined ? {} : { verdict }) };
}

/** Annotation job-chief/upkeep. */
export function readUpkeep(text: string | undefined): UpkeepNote | undefined {
  const note = parse(text);
  const startTimeout = notNegative(numberAt(note, 'startTimeout'));
  if (startTimeout === undefined || !isObject(note) || !isObject(note['succeeded']) || !isObject(note['failed'])) return undefined;
  const timeout = notNegative(numberAt(note, 'timeout'));
  return { startTimeout, ...(timeout === undefined ? {} : { timeout }), succeeded: bound(note['succeeded']), failed: bound(note['failed']), ...called(note['beforeDelete']) };
}

/** Annotation job-chief/keep-until: until when retention leaves the object, in milliseconds since 1970, `Infinity` for ever. `unread`: a text that says neither. */
export interface Keep {
  readonly until?: number;
  readonly unread?: string;
}

/** RFC 3339 with date and time, `forever`, or `now`. */
export function readKeep(text: string | undefined): Keep {
  const word = text?.trim() ?? '';
  if (text === undefined) return {};
  if (word === 'forever') return { until: Number.POSITIVE_INFINITY };
  if (word === 'now') return { until: 0 };
  const time = rfc3339.test(word) ? Date.parse(word) : Number.NaN;
  return Number.isNaN(time) ? { unread: text } : { until: time };
}
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/;

/** What to say once about a text that nobody can read. */
export const unreadKeep = 'the annotation job-chief/keep-until is no time in RFC 3339, nor "forever" or "now": it counts for nothing';

function called(value: unknown): Pick<UpkeepNote, 'beforeDelete'> {
  const [url, timeout, headersFromSecret] = [stringAt(value, 'url'), notNegative(numberAt(value, 'timeout')), stringAt(value, 'headersFromSecret')];
  return url === undefined ? {} : { beforeDelete: { url, timeout: timeout ?? 10_000, ...(headersFromSecret === undefined ? {} : { headersFromSecret }) } };
}

function bound(value: unknown): UpkeepNote['succeeded'] {
  const count = notNegative(numberAt(value, 'count'));
  const age = notNegative(numberAt(value, 'age'));
  return { ...(count === undefined ? {} : { count }), ...(age === undefined ? {} : { age }) };
}

function notNegative(value: number | undefined): number | undefined {
  return value !== undefined && value >= 0 ? value : undefined;
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
