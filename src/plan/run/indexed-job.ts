/** What makes the Job of a forEach an Indexed one: a pod for each item. */
import { numberAt, type JsonObject } from '../../lib/json.ts';
import type { StepSpec } from '../../spec/workflow.ts';

/**
 * The Job's spec for `count` items. Each index has its own attempts, so that one bad item neither ends the others nor uses
 * up theirs; backoffLimit, which counts the failures of all, is left to its default then, which is no limit. Who sets
 * either limit to something else than our default means it. Jobs whose containers start again in place never come here: they
 * can have no limit for each index.
 */
export function indexedSpec(jobSpec: JsonObject, step: StepSpec, count: number): JsonObject {
  const { backoffLimit, ...rest } = jobSpec;
  const most = step.forEach?.maxParallel ?? numberAt(jobSpec, 'parallelism') ?? count;
  const indexed = { completionMode: 'Indexed', completions: count, parallelism: Math.min(count, most) };
  const ownLimit = (typeof backoffLimit === 'number' && backoffLimit > 0) || jobSpec['backoffLimitPerIndex'] !== undefined;
  if (ownLimit) return { ...jobSpec, ...indexed };
  return { ...rest, ...indexed, backoffLimitPerIndex: step.retry.attempts - 1 };
}
