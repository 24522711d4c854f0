/** What expressions and references can know of a run as a whole. */
import type { JsonObject } from '../../lib/json.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { isoTime } from '../iso-time.ts';
import type { ObservedRun } from './observed.ts';

/** Declared parameters with their values; one that is optional and was not given is absent. */
export function parametersOf(spec: WorkflowSpec, given: JsonObject): JsonObject {
  const defaults = Object.entries(spec.parameters).flatMap(([name, declared]) => (declared.default === undefined ? [] : [[name, declared.default] as const]));
  return { ...Object.fromEntries(defaults), ...given };
}

/** `run.*`, but for `outcome` and `failedSteps`, which are there once all steps have ended. Times as RFC 3339 in UTC. */
export function runFactsOf({ record, spec, state }: ObservedRun): JsonObject {
  const scheduledAt = record.request?.scheduledAt;
  return {
    name: record.name,
    trigger: record.request?.trigger ?? 'request',
    startedAt: isoTime(state.startedAt),
    attempt: record.request?.parent?.attempt ?? 1,
    ...(scheduledAt !== undefined && { scheduledAt: isoTime(scheduledAt), scheduledDate: dateIn(scheduledAt, spec.trigger.schedule?.timeZone) }),
  };
}

/** The day that it is at this time where the schedule is kept, as 2026-01-31. Times come from annotations: any number. */
function dateIn(time: number, timeZone: string | undefined): string {
  const text = isoTime(time);
  if (timeZone === undefined) return text.slice(0, 10);
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(text));
}
