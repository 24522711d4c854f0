/** Where a field is in the parsed spec, and how that is written for people: `job.env[2].name`. */
import { isObject, type Json } from '../lib/json.ts';

/** Names of fields and indexes of lists, outermost first. */
export type FieldPath = readonly (string | number)[];

/** The path as people write it; names that are no plain words stand in brackets and quotes. */
export function pathText(path: FieldPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The path of a JSON pointer into `root`, which tells list indexes from names that look like numbers. */
export function pointerPath(pointer: string, root: Json): FieldPath {
  const path: (string | number)[] = [];
  let at: Json | undefined = root;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) {
      path.push(Number(name));
      at = at[Number(name)];
    } else {
      path.push(name);
      at = isObject(at) ? at[name] : undefined;
    }
  }
  return path;
}

/** The value at `path`, undefined where there is none. */
export function valueAt(root: Json | undefined, path: FieldPath): Json | undefined {
  return path.reduce<Json | undefined>((at, part) => {
    if (typeof part === 'number') return Array.isArray(at) ? at[part] : undefined;
    return isObject(at) ? at[part] : undefined;
  }, root);
}

/** One text inside a value. */
export interface FoundText {
  readonly path: FieldPath;
  readonly text: string;
}

/** Every text among the values at and under `path` (never field names), in order. */
export function textsUnder(root: Json | undefined, path: FieldPath): FoundText[] {
  const found: FoundText[] = [];
  const visit = (value: Json | undefined, at: FieldPath): void => {
    if (typeof value === 'string') found.push({ path: at, text: value });
    else if (Array.isArray(value)) value.forEach((entry, index) => visit(entry, [...at, index]));
    else if (isObject(value)) for (const [key, entry] of Object.entries(value)) visit(entry, [...at, key]);
  };
  visit(valueAt(root, path), path);
  return found;
}
