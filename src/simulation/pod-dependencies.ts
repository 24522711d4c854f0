/** Secrets and ConfigMaps that a pod needs before it can start, told apart by how the kubelet reacts to their absence. */
import { arrayAt, isObject, type Json, objectAt, stringAt } from '../lib/json.ts';
import type { PodObject } from './job-shape.ts';
import { configMaps, secrets } from './objects.ts';
import type { Store } from './store.ts';

/** A volume whose source is missing: the mount is tried again with back-off, and the status says only ContainerCreating. */
export function missingVolume(pod: PodObject, store: Store): string | undefined {
  for (const volume of arrayAt(pod.spec, 'volumes')) {
    const sources = [volume, ...arrayAt(objectAt(volume, 'projected'), 'sources')];
    for (const source of sources) {
      const problem = missing(store, 'secret', source, 'secretName') ?? missing(store, 'secret', source, 'name') ?? missing(store, 'configMap', source, 'name');
      if (problem !== undefined) return `MountVolume.SetUp failed for volume "${stringAt(volume, 'name') ?? ''}" : ${problem}`;
    }
  }
  return undefined;
}

/** Env from something that is missing: CreateContainerConfigError, looked at again every dozen seconds. */
export function missingEnv(pod: PodObject, store: Store): string | undefined {
  for (const container of pod.spec.containers) {
    for (const variable of arrayAt(container, 'env')) {
      const from = objectAt(variable, 'valueFrom');
      const problem = missing(store, 'secretKeyRef', from, 'name') ?? missing(store, 'configMapKeyRef', from, 'name');
      if (problem !== undefined) return problem;
    }
    for (const from of arrayAt(container, 'envFrom')) {
      const problem = missing(store, 'secretRef', from, 'name') ?? missing(store, 'configMapRef', from, 'name');
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function missing(store: Store, field: string, holder: Json, nameField: string): string | undefined {
  const reference = isObject(holder) ? holder[field] : undefined;
  const name = stringAt(reference, nameField);
  if (name === undefined || (isObject(reference) && reference['optional'] === true)) return undefined;
  const resource = field.startsWith('secret') ? secrets : configMaps;
  return store.get(resource, name) ? undefined : `${resource.kind.toLowerCase()} "${name}" not found`;
}
