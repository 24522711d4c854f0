/** From what a spec says about its Job to a whole JobTemplateSpec, with job-chief's defaults. */
import { isObject, objectAt, type JsonObject } from '../lib/json.ts';
import { podFieldNames, stepRecipeFields } from './job-schema.ts';

/** Name of the one container that a flat recipe describes. */
export const recipeContainer = 'main';

/** An evicted pod is replaced (and only after the old one is gone) instead of failing the Job. */
const ignoreDisruption: JsonObject = {
  rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
};

/** Sorts the fields of a flat recipe into container, pod and Job. */
export function expandRecipe(recipe: JsonObject): JsonObject {
  const container: JsonObject = { name: recipeContainer };
  const pod: JsonObject = {};
  const job: JsonObject = {};
  for (const [name, value] of Object.entries(recipe)) {
    if (stepRecipeFields.container.has(name)) container[name] = value;
    else if (stepRecipeFields.job.has(name)) job[name] = value;
    else pod[podFieldNames[name] ?? name] = value;
  }
  return { spec: { ...job, template: { spec: { ...pod, containers: [container] } } } };
}

/** Fills what the user left open: one attempt per Job, and evictions do not count. */
export function withJobDefaults(template: JsonObject): JsonObject {
  const job = objectAt(template, 'spec');
  const podTemplate = objectAt(job, 'template');
  const pod: JsonObject = { restartPolicy: 'Never', ...objectAt(podTemplate, 'spec') };
  const policy = pod['restartPolicy'] === 'Never' && !isObject(job['podFailurePolicy']) ? { podFailurePolicy: ignoreDisruption } : {};
  return { ...template, spec: { backoffLimit: 0, ...policy, ...job, template: { ...podTemplate, spec: pod } } };
}
