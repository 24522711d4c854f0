/** From `queue.drain.pods` to what the schema says there. */
import type { JsonObject } from '../../lib/json.ts';
import { nearest } from '../../lib/nearest.ts';
import { UserError } from '../exit-code.ts';
import { fieldsOf, innerOf, isByName, resolved, type Field } from './schema.ts';
import { explainable, schemaOf } from './schemas.ts';

export interface Explained {
  readonly kind: string;
  /** Names from the top; `<name>` where users choose one. Empty: the kind itself. */
  readonly path: readonly string[];
  readonly field: Field;
  /** Of the kind: what references in the field refer to. */
  readonly root: JsonObject;
}

/** Throws a UserError that says what was probably meant. `steps[].job`, `steps.0.job` and `steps.job` are the same. */
export async function findField(text: string): Promise<Explained> {
  const [kind = '', ...path] = text.split(/[.[\]]+/).filter((word) => word !== '' && !/^(\d+|\*)$/.test(word));
  const lower = kind.toLowerCase().replace(/^(queue|workflow|template|run)s$/, '$1');
  const root = await schemaOf(lower);
  if (!root) throw new UserError(await noKind(kind, text));
  return walk({ kind: lower, path: [], field: { name: lower, schema: root, required: true }, root }, path);
}

function walk(at: Explained, path: readonly string[]): Explained {
  const [name, ...rest] = path;
  if (name === undefined) return at;
  const { root, field } = at;
  const fields = fieldsOf(field.schema, root);
  const inner = innerOf(field.schema, root);
  const found = isByName(field.schema, root) && inner ? undefined : fields.find((one) => one.name === name);
  if (found) return walk({ ...at, path: [...at.path, name], field: found }, rest);
  if (isByName(field.schema, root) && inner) {
    // A field of what is kept by name may be asked for without a name.
    const direct = fieldsOf(inner, root).find((one) => one.name === name);
    if (direct) return walk({ ...at, path: [...at.path, '<name>', name], field: direct }, rest);
    return walk({ ...at, path: [...at.path, '<name>'], field: { name: '<name>', schema: resolved(inner, root), required: false } }, rest);
  }
  throw new UserError(noField([at.kind, ...at.path].join('.'), name, fields.map((one) => one.name)));
}

function noField(at: string, name: string, known: readonly string[]): string {
  if (known.length === 0) return `${at} has no fields, so none is called "${name}"`;
  const guess = nearest(name, known);
  return `${at} has no field "${name}"; ${guess === undefined ? `it has ${known.toSorted().slice(0, 30).join(', ')}${known.length > 30 ? ', …' : ''}` : `did you mean ${at}.${guess}?`}`;
}

/** A field of some kind may be all that somebody remembers. */
async function noKind(kind: string, text: string): Promise<string> {
  const guess = nearest(kind.toLowerCase(), explainable);
  if (guess !== undefined) return `there is no kind "${kind}"; did you mean ${guess}${text.slice(kind.length)}?`;
  const having: string[] = [];
  for (const one of explainable) {
    const root = await schemaOf(one);
    if (root && fieldsOf(root, root).some(({ name }) => name === kind)) having.push(`${one}.${text}`);
  }
  return `there is no kind "${kind}"; ${having.length > 0 ? `did you mean ${having.join(' or ')}?` : `there is ${explainable.join(', ')}`}`;
}
