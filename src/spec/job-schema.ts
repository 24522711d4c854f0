/**
 * The Job that a spec describes, in its two forms. Both use Kubernetes' own definitions (generated), without the fields
 * that job-chief keeps for itself; spec/job-refusals.ts says why to whoever writes one of those.
 */
import { Type, type TOptional, type TUnsafe } from 'typebox';
import { isObject, objectAt, type JsonObject } from '../lib/json.ts';
import { kubernetesDefinitions } from './generated/kubernetes-job.ts';
import { refusedPodFields, refusedRecipeFields, refusedStepFields, refusedTemplateFields } from './job-refusals.ts';

const containerClass = fieldsOf('V1Container');
const podClass = fieldsOf('V1PodSpec');
const jobClass = fieldsOf('V1JobSpec');

/** A template's metadata: names, owners and finalizers are job-chief's. */
const templateMetadata: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: pick(fieldsOf('V1ObjectMeta'), new Set(['labels', 'annotations'])),
};

/** Where a name exists on both container and pod, the container's is meant and the pod's has a name of its own. */
export const podFieldNames: Readonly<Record<string, string>> = { podSecurityContext: 'securityContext', podResources: 'resources' };

/** Fields of a flat recipe by the part of the Job they belong to. A Job's restartPolicy is that of its pods. */
export interface RecipeFields {
  readonly container: ReadonlySet<string>;
  readonly pod: ReadonlySet<string>;
  readonly job: ReadonlySet<string>;
}

/** Those of a step. */
export const stepRecipeFields: RecipeFields = fieldsBut(refusedStepFields);
/** Those of a Queue. With drain some of them are refused, see job-refusals.ts. */
export const recipeFields: RecipeFields = fieldsBut(refusedTemplateFields);

const recipeText = 'The Job as one flat recipe: the fields of its container (named main), of its pod and of the Job, spelled as Kubernetes spells them.';
const templateText = 'The Job as a whole batch/v1 JobTemplateSpec, for more than one container.';

/** `job` of a Queue: container, pod and Job fields side by side. */
export const jobRecipe: TOptional<TUnsafe<JsonObject>> = Type.Optional(
  Type.Unsafe<JsonObject>(recipe(recipeFields, { required: ['image'], description: `${recipeText} Exactly one of job and jobTemplate.` })),
);

/** `jobTemplate` of a Queue: all of it, for more than one container. */
export const jobTemplate: TOptional<TUnsafe<JsonObject>> = Type.Optional(
  Type.Unsafe<JsonObject>({ $ref: '#/$defs/V1JobTemplateSpec', description: `${templateText} Exactly one of job and jobTemplate.` }),
);

/** `job` and `jobTemplate` of a step. The image may come from jobDefaults, so a rule asks for it. */
export const stepJob: TOptional<TUnsafe<JsonObject>> = Type.Optional(Type.Unsafe<JsonObject>({ $ref: '#/$defs/JobRecipe', description: recipeText }));
export const stepJobTemplate: TOptional<TUnsafe<JsonObject>> = Type.Optional(Type.Unsafe<JsonObject>({ $ref: '#/$defs/V1JobTemplateSpec', description: templateText }));

/** Kubernetes' definitions as a Queue may use them. */
export const jobDefinitions: Readonly<Record<string, JsonObject>> = definitions(refusedTemplateFields);
/** The same for steps, and their flat recipe. */
export const stepDefinitions: Readonly<Record<string, JsonObject>> = { ...definitions(refusedStepFields), JobRecipe: recipe(stepRecipeFields) };

function definitions(refused: Readonly<Record<string, string>>): Record<string, JsonObject> {
  return {
    ...kubernetesDefinitions,
    V1JobTemplateSpec: { ...without('V1JobTemplateSpec', {}), required: ['spec'] },
    V1PodTemplateSpec: without('V1PodTemplateSpec', {}),
    V1JobSpec: without('V1JobSpec', refused),
    V1PodSpec: without('V1PodSpec', refusedPodFields),
  };
}

function fieldsBut(refused: Readonly<Record<string, string>>): RecipeFields {
  return {
    container: new Set(Object.keys(containerClass).filter((name) => name !== 'restartPolicy' && !(name in refusedRecipeFields))),
    pod: new Set(Object.keys(podClass).filter((name) => (name === 'restartPolicy' || !(name in containerClass)) && !(name in refusedPodFields) && name !== 'containers')),
    job: new Set(Object.keys(jobClass).filter((name) => !(name in refused) && name !== 'template')),
  };
}

function recipe(fields: RecipeFields, more: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    additionalProperties: false,
    ...more,
    properties: {
      ...pick(containerClass, fields.container),
      ...pick(podClass, fields.pod),
      ...pick(jobClass, fields.job),
      ...Object.fromEntries(Object.entries(podFieldNames).map(([name, original]) => [name, podClass[original]])),
    },
  };
}

function fieldsOf(name: string): JsonObject {
  return objectAt(kubernetesDefinitions[name], 'properties');
}

function pick(fields: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.has(name)));
}

function without(name: string, refused: Readonly<Record<string, string>>): JsonObject {
  const properties = Object.entries(fieldsOf(name)).filter(([field]) => !(field in refused));
  const allowed = properties.map(([field, schema]) => [field, isTopMetadata(field, schema) ? templateMetadata : schema] as const);
  return { ...kubernetesDefinitions[name], properties: Object.fromEntries(allowed) };
}

function isTopMetadata(field: string, schema: unknown): boolean {
  return field === 'metadata' && isObject(schema) && schema['$ref'] === '#/$defs/V1ObjectMeta';
}
