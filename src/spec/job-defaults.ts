/** The operator's `jobDefaults`: they fill what a spec's Job leaves unset, and never replace what it says. */
import { Type, type TObject, type TSchema } from 'typebox';
import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import type { JobDefaults } from './common.ts';
import { labels } from './common-schema.ts';
import { jobDefinitions } from './job-schema.ts';

/** How the operator writes them, for the operator's configuration. */
export const jobDefaultsSchema: TObject<Record<keyof JobDefaults, TSchema>> = Type.Object(
  {
    imageRegistry: Type.Optional(Type.String({ minLength: 1, pattern: '^[^\\s/]+(/[^\\s/]+)*$', description: 'Put before images that name no registry.', errorMessage: 'must be a registry such as "registry.example.com" or "registry.example.com/mirror"' })),
    imagePullSecrets: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'Names of Secrets for pulling images, where a pod names none.', default: [] })),
    resources: Type.Optional(Type.Unsafe<JsonObject>({ $ref: '#/$defs/V1ResourceRequirements', description: 'For containers that have no resources of their own.' })),
    nodeSelector: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: { type: 'string' }, description: 'Keys that a pod does not select by itself.', default: {} })),
    tolerations: Type.Optional(Type.Array(Type.Unsafe<JsonObject>({ $ref: '#/$defs/V1Toleration' }), { description: 'For pods that have no tolerations of their own.', default: [] })),
    labels: labels('Labels for Jobs and pods that do not have them.'),
  },
  { additionalProperties: false, description: "What a spec's Job gets where it leaves a field unset." },
);

/** The definitions that `jobDefaultsSchema` refers to. */
export const jobDefaultsDefinitions: Readonly<Record<string, JsonObject | undefined>> = {
  CoreV1ResourceClaim: jobDefinitions['CoreV1ResourceClaim'],
  V1ResourceRequirements: jobDefinitions['V1ResourceRequirements'],
  V1Toleration: jobDefinitions['V1Toleration'],
};

/** The template with the operator's defaults in its unset fields. */
export function mergeJobDefaults(template: JsonObject, defaults: JobDefaults | undefined): JsonObject {
  if (!defaults) return template;
  const job = objectAt(template, 'spec');
  const podTemplate = objectAt(job, 'template');
  const labelled = (metadata: JsonObject): JsonObject => ({ ...metadata, labels: { ...defaults.labels, ...objectAt(metadata, 'labels') } });
  const metadata = (of: JsonObject): JsonObject => (defaults.labels ? { metadata: labelled(objectAt(of, 'metadata')) } : {});
  const pod = mergePod(objectAt(podTemplate, 'spec'), defaults);
  return { ...template, ...metadata(template), spec: { ...job, template: { ...podTemplate, ...metadata(podTemplate), spec: pod } } };
}

function mergePod(pod: JsonObject, defaults: JobDefaults): JsonObject {
  const { imagePullSecrets, nodeSelector, tolerations } = defaults;
  // Resources of the pod as a whole are a budget that defaults of containers could exceed.
  const resources = pod['resources'] === undefined ? defaults.resources : undefined;
  const containers = (key: string): JsonObject =>
    pod[key] === undefined ? {} : { [key]: arrayAt(pod, key).map((container) => mergeContainer(container, defaults.imageRegistry, resources)) };
  return {
    ...(imagePullSecrets ? { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) } : {}),
    ...(tolerations ? { tolerations: [...tolerations] } : {}),
    ...pod,
    ...(nodeSelector ? { nodeSelector: { ...nodeSelector, ...objectAt(pod, 'nodeSelector') } } : {}),
    ...containers('initContainers'),
    ...containers('containers'),
  };
}

function mergeContainer(container: Json, registry: string | undefined, resources: JsonObject | undefined): Json {
  if (!isObject(container)) return container;
  const image = stringAt(container, 'image');
  const named = image !== undefined && registry !== undefined ? { image: withRegistry(image, registry) } : {};
  return { ...(resources ? { resources } : {}), ...container, ...named };
}

/**
 * As container runtimes read names: the first part is a registry when it has a dot or a port, or is localhost. What a
 * reference will give is not known.
 */
function withRegistry(image: string, registry: string): string {
  if (image.startsWith('$(')) return image;
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  return /[.:]/.test(first) || first === 'localhost' ? image : `${registry}/${image}`;
}
