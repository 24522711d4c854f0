/** What kind of value each field of a Job takes, from the generated Kubernetes definitions. */
import { isObject, objectAt, type JsonObject } from '../lib/json.ts';
import type { FieldPath } from './field-path.ts';
import { kubernetesDefinitions } from './generated/kubernetes-job.ts';
import type { ValueType } from './value-type.ts';

/** `quantity`: text or number, such as `1.5Gi`. `integerOrString`: a port's number or name. `any`: whatever it is given. */
export type FieldType = ValueType | 'quantity' | 'integerOrString' | 'any';

/** Where a value goes. */
export interface Field {
  readonly type: FieldType;
  /** Kubernetes replaces `$(NAME)` in its texts once more, and reads `$$` as `$`. */
  readonly expanded: boolean;
  /** The field of this name, or the member of this list. undefined: there is none. */
  at(key: string | number): Field | undefined;
}

/** A whole JobTemplateSpec. */
export const jobField: Field = fieldOf(definition('V1JobTemplateSpec'), 'V1JobTemplateSpec', false);
/** Always text. */
export const textField: Field = { type: 'string', expanded: false, at: () => textField };
/** Values keep their types. */
export const anyField: Field = { type: 'any', expanded: false, at: () => anyField };

/** The type of the field at a path inside a JobTemplateSpec; undefined where there is no such field. */
export function typeAt(path: FieldPath): FieldType | undefined {
  return path.reduce<Field | undefined>((field, key) => field?.at(key), jobField)?.type;
}

/**
 * What the kubelet expands, by the definition that has the field: pkg/kubelet/container/helpers.go (command, args),
 * kubelet_pods.go (env, subPathExpr), prober.go (the command of a probe, but not that of a lifecycle hook).
 */
const expandedFields: ReadonlySet<string> = new Set(['V1Container.command', 'V1Container.args', 'V1EnvVar.value', 'V1VolumeMount.subPathExpr', 'V1Probe.exec']);

function fieldOf(schema: JsonObject, owner: string, expanded: boolean): Field {
  return { type: typeOf(schema), expanded, at: (key) => member(schema, owner, expanded, key) };
}

function member(schema: JsonObject, owner: string, expanded: boolean, key: string | number): Field | undefined {
  const type = typeOf(schema);
  if (type === 'any') return anyField;
  const found = type === 'array' ? schema['items'] : (ownProperty(schema, String(key)) ?? schema['additionalProperties']);
  if (!isObject(found)) return undefined;
  const name = referenced(found);
  const inside = expanded || expandedFields.has(`${owner}.${key}`);
  return name === undefined ? fieldOf(found, '', inside) : fieldOf(definition(name), name, inside);
}

function ownProperty(schema: JsonObject, name: string): unknown {
  const properties = objectAt(schema, 'properties');
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function referenced(schema: JsonObject): string | undefined {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? reference.slice('#/$defs/'.length) : undefined;
}

function definition(name: string): JsonObject {
  const found = kubernetesDefinitions[name];
  if (found === undefined) throw new Error(`no definition of ${name}`);
  return found;
}

function typeOf(schema: JsonObject): FieldType {
  const { type } = schema;
  if (Array.isArray(type)) return type.includes('number') ? 'quantity' : 'integerOrString';
  switch (type) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'object':
    case 'array':
      return type;
    default:
      return 'any';
  }
}
