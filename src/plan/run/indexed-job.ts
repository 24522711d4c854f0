/** What makes the Job of a forEach an Indexed one: a pod for each item. */
import { numberAt, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { StepSpec } from '../../spec/workflow.ts';

/**
 * The Job's spec for `count` items. Each index has its own attempts, so that one bad item neither ends the others nor uses
 * up theirs; backoffLimit, which counts the failures of all, is left to its default then, which is no limit. Who sets
 * either limit to something else than our default means it. Where containers start again in place (OnFailure), only
 * backoffLimit counts that, over all indexes: without it they would start again for ever.
 */
export function indexedSpec(jobSpec: JsonObject, step: StepSpec, count: number): JsonObject {
  const { backoffLimit, ...rest } = jobSpec;
  const most = step.forEach?.maxParallel ?? numberAt(jobSpec, 'parallelism') ?? count;
  const indexed = { completionMode: 'Indexed', completions: count, parallelism: Math.min(count, most) };
  const ownLimit = (typeof backoffLimit === 'number' && backoffLimit > 0) || jobSpec['backoffLimitPerIndex'] !== undefined;
  const restarts = stringAt(objectAt(objectAt(jobSpec, 'template'), 'spec'), 'restartPolicy') !== 'Never';
  if (ownLimit || restarts) return { ...jobSpec, ...indexed };
  return { ...rest, ...indexed, backoffLimitPerIndex: step.retry.attempts - 1 };
}
