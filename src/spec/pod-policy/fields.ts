/**
 * What the policy says about each field of Kubernetes, by the class it belongs to. What stands in no table is denied, so
 * that a field of a newer Kubernetes is decided on before anybody uses it.
 */

/** Rules that look at a value, by the key of `podPolicy` they follow; those that no key can lift begin with `no`. */
export type Constraint =
  | 'serviceAccounts'
  | 'serviceAccountTokens'
  | 'imagePrefixes'
  | 'secrets'
  | 'secretOptions'
  | 'configMaps'
  | 'persistentVolumeClaims'
  | 'claimSources'
  | 'volumeTypes'
  | 'csiDrivers'
  | 'priorityClasses'
  | 'runtimeClasses'
  | 'nodeNames'
  | 'tolerations'
  | 'annotations'
  | 'noTrue'
  | 'noEntries'
  | 'noHostPort'
  | 'noUnmasking'
  | 'noPropagation'
  | 'noUnsafeSysctl';

/** One field: whether its value matters, and the class of what is inside. */
export interface FieldRule {
  readonly kind: 'allowed' | 'denied';
  /** Class of the value, or of the entries of the list. */
  readonly inside?: string;
  /** The value must satisfy these. */
  readonly by?: readonly Constraint[];
  /** Denied: why. */
  readonly why?: string;
}

export type FieldTable = Readonly<Record<string, Readonly<Record<string, FieldRule>>>>;

const free: FieldRule = { kind: 'allowed' };

/** Fields with any value, their names in one text, and those about which there is more to say. */
export function fields(names: string, others: Readonly<Record<string, FieldRule>> = {}): Readonly<Record<string, FieldRule>> {
  const allowed = names.split(' ').filter((name) => name !== '');
  return { ...Object.fromEntries(allowed.map((name) => [name, free])), ...others };
}

/** Looked into by the fields of that class. */
export function inside(of: string, ...by: readonly Constraint[]): FieldRule {
  return { kind: 'allowed', inside: of, ...(by.length > 0 ? { by } : {}) };
}

/** A value that must satisfy something. */
export function by(...constraints: readonly Constraint[]): FieldRule {
  return { kind: 'allowed', by: constraints };
}

/** Never, whatever its value; nothing (`null`, an empty list, `false`) is not there. */
export function denied(why: string): FieldRule {
  return { kind: 'denied', why };
}
