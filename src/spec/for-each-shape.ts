/** Whether the items of a forEach may be one Indexed Job, by the text alone, and what follows from that. */
import { objectAt, type JsonObject } from '../lib/json.ts';
import { textsUnder } from './field-path.ts';
import { referencesIn } from './references.ts';
import type { Finding } from './report.ts';
import { mostItems } from './workflow.ts';
import { workOf, type StepTexts } from './workflow-steps.ts';

/**
 * Its pods differ by their item's file only. Kubernetes tries single indexes again, but knows nothing of `retry` but the
 * number of attempts.
 */
export function mayBeIndexed(step: JsonObject): boolean {
  const { attempts: _attempts, ...more } = objectAt(step, 'retry');
  return Object.keys(more).length === 0 && !namesItem(step);
}

function namesItem(step: JsonObject): boolean {
  const places = ['job', 'jobTemplate', 'timeout'].flatMap((field) => textsUnder(step, [field]));
  return places.some(({ text }) => referencesIn(text).some(({ root }) => root === 'item'));
}

/** More pods than this at once is what few clusters have room for. */
const manyPods = 1_000;

/** The run's maxParallel counts Jobs, so that nothing else holds up the pods of one. */
export function manyPodsFindings({ all }: StepTexts): Finding[] {
  return all.flatMap((step): Finding[] => {
    const { path, value } = step;
    const work = workOf(step);
    const count = itemsIn(objectAt(value, 'forEach'));
    if ((work !== 'job' && work !== 'jobTemplate') || count <= manyPods || count > mostItems || Object.hasOwn(value, 'maxParallel') || !mayBeIndexed(value)) return [];
    return [{ code: 'ManyPods', message: `${count} items are one Indexed Job, and all of its pods are created at once`, path: [...path, 'forEach'], part: 'key', hint: 'set maxParallel of the step: so many items run at once' }];
  });
}

/** As far as the text says it. */
function itemsIn({ items, count }: JsonObject): number {
  if (Array.isArray(items)) return items.length;
  return typeof count === 'number' ? count : 0;
}
