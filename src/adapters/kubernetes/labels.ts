/** Reading labels and times of objects that anybody may have edited. */
import { isObject, objectAt, stringAt } from '../../lib/json.ts';
import { instanceLabel, jobKindLabel, managedBy, managedByLabel, nameLabel, runLabel } from '../../spec/keys.ts';
import type { SpecKey } from '../../plan/observed.ts';

/** Selects all Jobs and Pods that an instance made. */
export function instanceSelector(instance: string): string {
  return `${managedByLabel}=${managedBy},${instanceLabel}=${instance}`;
}

/** What rounds of Jobs are keyed by: label job-chief/kind, the kind of key, and the label that holds the key's name. */
const keyKinds: readonly { readonly label: string; readonly kind: SpecKey['kind']; readonly nameIn: string }[] = [
  { label: 'queue', kind: 'queue', nameIn: nameLabel },
  // The Jobs of a workflow or template belong to the run that made them.
  { label: 'workflow', kind: 'run', nameIn: runLabel },
  { label: 'template', kind: 'run', nameIn: runLabel },
];

/** The spec, or the run, that a Job or Pod belongs to; undefined where its labels name none. */
export function keyOf(raw: unknown): SpecKey | undefined {
  const labels = labelsOf(raw);
  const found = keyKinds.find(({ label }) => label === labels[jobKindLabel]);
  const name = found && labels[found.nameIn];
  return found === undefined || name === undefined || name === '' ? undefined : { kind: found.kind, name };
}

/** Selects the Jobs or Pods of some keys of one kind: the counterpart of `keyOf`. */
export function keySelector(kind: SpecKey['kind'], names: Iterable<string>): string {
  const own = keyKinds.filter((each) => each.kind === kind);
  const kinds = own.length > 1 ? ` in (${own.map(({ label }) => label).join(',')})` : `=${own[0]?.label ?? kind}`;
  return `${jobKindLabel}${kinds},${own[0]?.nameIn ?? nameLabel} in (${[...names].join(',')})`;
}

export function labelsOf(raw: unknown): Readonly<Record<string, string>> {
  return textsAt(objectAt(raw, 'metadata'), 'labels');
}

export function annotationsOf(raw: unknown): Readonly<Record<string, string>> {
  return textsAt(objectAt(raw, 'metadata'), 'annotations');
}

/** Only the entries that are texts. */
export function textsAt(value: unknown, key: string): Record<string, string> {
  const found = Object.entries(objectAt(value, key)).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(found);
}

/** RFC 3339 as milliseconds since 1970. */
export function timeAt(value: unknown, key: string): number | undefined {
  const time = Date.parse(stringAt(value, key) ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** UID and name of the owner that controls the object. */
export function controllerOf(raw: unknown, kind?: string): { readonly uid: string | undefined; readonly name: string | undefined } {
  const owners = objectAt(raw, 'metadata')['ownerReferences'];
  const owner = Array.isArray(owners) ? owners.find((each) => isObject(each) && each['controller'] === true && (kind === undefined || each['kind'] === kind)) : undefined;
  return { uid: stringAt(owner, 'uid'), name: stringAt(owner, 'name') };
}

/** Non-negative integer, or what is to be assumed without one. */
export function countAt(value: unknown, key: string, otherwise: number): number {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'number' && Number.isInteger(found) && found >= 0 ? found : otherwise;
}
