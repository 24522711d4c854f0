/** Two texts of a spec compared field by field, whatever their comments, order and layout. */
import { canonicalJson } from '../../lib/digest.ts';
import { isObject, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import { pathText, type FieldPath } from '../../spec/field-path.ts';

/** One field that is there, or says, something else. Absent: it is not there. */
export interface FieldChange {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** In the order of the later text; then what is gone. Entries of lists that have names are compared by them. */
export function fieldChanges(before: Json | undefined, after: Json | undefined): readonly FieldChange[] {
  return changesAt([], before, after);
}

function changesAt(path: FieldPath, before: Json | undefined, after: Json | undefined): FieldChange[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const left = namedEntries(before);
  const right = namedEntries(after);
  if (left && right) return changesWithin(path, left, right);
  if (isObject(before) && isObject(after)) return changesWithin(path, before, after);
  return [{ path: pathText(path), ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function changesWithin(path: FieldPath, before: JsonObject, after: JsonObject): FieldChange[] {
  const names = [...Object.keys(after), ...Object.keys(before).filter((name) => !Object.hasOwn(after, name))];
  return names.flatMap((name) => changesAt([...path, name], own(before, name), own(after, name)));
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Steps, phases, env: undefined where an entry has no name, or two have the same. */
function namedEntries(value: Json | undefined): JsonObject | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const names = value.map((entry) => stringAt(entry, 'name'));
  if (names.includes(undefined) || new Set(names).size < names.length) return undefined;
  return Object.fromEntries(value.map((entry, index) => [names[index] ?? '', entry]));
}
