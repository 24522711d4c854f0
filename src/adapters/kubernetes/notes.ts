/** What job-chief wrote on its Jobs, read back. Anybody may have edited it since: garbage reads as undefined. */
import { isObject, numberAt, stringAt } from '../../lib/json.ts';
import { outcomes } from '../../plan/notes.ts';
import type { RecordedOutcome, UpkeepNote } from '../../plan/notes.ts';

/** Annotation job-chief/outcome. */
export function readOutcome(text: string | undefined): RecordedOutcome | undefined {
  const note = parse(text);
  const outcome = outcomes.find((each) => each === stringAt(note, 'outcome'));
  const phase = stringAt(note, 'phase');
  if (outcome === undefined || (phase !== 'ending' && phase !== 'final')) return undefined;
  const exitCode = numberAt(note, 'exitCode');
  return { outcome, phase, reason: stringAt(note, 'reason') ?? '', message: stringAt(note, 'message') ?? '', ...(exitCode === undefined ? {} : { exitCode }) };
}

/** Annotation job-chief/upkeep. */
export function readUpkeep(text: string | undefined): UpkeepNote | undefined {
  const note = parse(text);
  const startTimeout = notNegative(numberAt(note, 'startTimeout'));
  if (startTimeout === undefined || !isObject(note) || !isObject(note['succeeded']) || !isObject(note['failed'])) return undefined;
  const timeout = notNegative(numberAt(note, 'timeout'));
  return { startTimeout, ...(timeout === undefined ? {} : { timeout }), succeeded: bound(note['succeeded']), failed: bound(note['failed']) };
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
