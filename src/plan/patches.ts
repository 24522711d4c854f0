/** Actions on existing Jobs as JSON merge patches. */
import type { JsonObject } from '../lib/json.ts';
import { outcomeAnnotation } from '../spec/keys.ts';
import type { EndAction, MarkAction, ReownAction, ScaleAction } from './action.ts';
import { ownerReference } from './manifest.ts';
import type { RecordedOutcome } from './notes.ts';

/**
 * A deadline of one second makes the Job fail, and its pods go, within a second or so; the Job stays as the record. A
 * suspended Job takes no notice of deadlines: it is resumed without pods, so that none ever runs.
 */
export function endPatch(action: EndAction): JsonObject {
  const { metadata } = outcome(action.outcome);
  return {
    metadata: { ...metadata, ...(action.ifUnchanged && { resourceVersion: action.job.resourceVersion }) },
    spec: { activeDeadlineSeconds: 1, ...(action.suspended ? { suspend: false, parallelism: 0 } : {}) },
  };
}

/** The outcome alone, as an annotation: the Job is not touched otherwise. */
export function markPatch(action: MarkAction): JsonObject {
  return outcome(action.outcome);
}

/** More pods for a live Job. Never fewer: which pods the Job controller ends is not ours to choose. */
export function scalePatch(action: ScaleAction): JsonObject {
  return { spec: { parallelism: action.parallelism } };
}

/** A merge patch replaces the whole list, so that the former owner goes in the same write. */
export function reownPatch(action: ReownAction): JsonObject {
  return { metadata: { ownerReferences: [ownerReference(action.owner)] } };
}

/** Longest message kept on a Job. */
const longestMessage = 1024;

function outcome(recorded: RecordedOutcome): { metadata: JsonObject } {
  const { message, verdict } = recorded;
  const text = JSON.stringify({ ...recorded, message: message.slice(0, longestMessage), ...(verdict !== undefined && { verdict: verdict.slice(0, longestMessage) }) });
  return { metadata: { annotations: { [outcomeAnnotation]: text } } };
}
