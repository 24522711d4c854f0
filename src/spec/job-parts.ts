/** The parts of a Job in the text of a spec, whichever of the two forms it has. Reads anything, also what is invalid. */
import { isObject, type Json, type JsonObject } from '../lib/json.ts';
import { valueAt, type FieldPath } from './field-path.ts';

/** A mapping and where it stands. */
export interface JobPart {
  readonly path: FieldPath;
  readonly value: JsonObject;
}

/** What the rules look at. */
export interface JobParts {
  /** Regular and init containers. */
  readonly containers: readonly JobPart[];
  /** Where the fields of the pod and of the Job stand: the same place for a flat recipe. */
  readonly pod: JobPart | undefined;
  readonly job: JobPart | undefined;
}

/** The fields under which a spec describes its Job. */
export const jobFields: readonly string[] = ['job', 'jobTemplate'];

/** All parts that are there. */
export function jobParts(spec: JsonObject): JobParts {
  const recipe = part(spec, ['job']);
  if (recipe) return { containers: [recipe, ...listed(spec, ['job', 'initContainers'])], pod: recipe, job: recipe };
  const pod: FieldPath = ['jobTemplate', 'spec', 'template', 'spec'];
  return {
    containers: [...listed(spec, [...pod, 'containers']), ...listed(spec, [...pod, 'initContainers'])],
    pod: part(spec, pod),
    job: part(spec, ['jobTemplate', 'spec']),
  };
}

/** The mapping at `path`, if there is one. */
export function part(root: Json, path: FieldPath): JobPart | undefined {
  const value = valueAt(root, path);
  return isObject(value) ? { path, value } : undefined;
}

/** The mappings in the list at `path`. */
export function listed(root: Json, path: FieldPath): JobPart[] {
  const list = valueAt(root, path);
  if (!Array.isArray(list)) return [];
  return list.flatMap((value, index) => (isObject(value) ? [{ path: [...path, index], value }] : []));
}
