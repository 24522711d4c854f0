/** An explanation for people, as kubectl explain lays it out, and for programs. */
import type { JsonObject } from '../../lib/json.ts';
import type { Explained } from './find.ts';
import { defaultText, descriptionOf, fieldsOf, typeText, type Field } from './schema.ts';

const indent = '  ';
/** Columns of a text; a terminal that is narrower wraps it. */
const width = 96;

/** Lines. `recursive`: all fields below, by name and type only. */
export function explanation({ kind, path, field, root }: Explained, recursive: boolean): string[] {
  const { schema, required } = field;
  const value = path.length > 0 ? defaultText(schema) : undefined;
  const fields = fieldsOf(schema, root);
  return [
    `KIND:     ${kind}`,
    ...(path.length === 0 ? [] : [`FIELD:    ${path.join('.')} <${typeText(schema, root)}>${required ? ' -required-' : ''}`]),
    ...(value === undefined ? [] : [`DEFAULT:  ${value}`]),
    '',
    'DESCRIPTION:',
    ...wrapped(descriptionOf(schema) || 'Nothing more is known of it.', indent.repeat(2)),
    ...(fields.length === 0 ? [] : ['', 'FIELDS:', ...(recursive ? tree(fields, root) : fields.flatMap((one) => entry(one, root)))]),
  ];
}

function entry(field: Field, root: JsonObject): string[] {
  const value = defaultText(field.schema);
  return [`${head(field, root)}${value === undefined ? '' : `, default ${value}`}`, ...wrapped(descriptionOf(field.schema), indent.repeat(2))];
}

function head({ name, schema, required }: Field, root: JsonObject): string {
  return `${indent}${name} <${typeText(schema, root)}>${required ? ' -required-' : ''}`;
}

/** Kubernetes' types hold themselves in places: each is opened once on the way down. */
function tree(fields: readonly Field[], root: JsonObject, above: readonly string[] = []): string[] {
  return fields.flatMap((field) => {
    const line = `${indent.repeat(above.length)}${head(field, root)}`;
    const shape = JSON.stringify(field.schema['properties'] ?? field.schema['items'] ?? field.schema['additionalProperties'] ?? field.name);
    return above.includes(shape) || above.length > 12 ? [line] : [line, ...tree(fieldsOf(field.schema, root), root, [...above, shape])];
  });
}

function wrapped(text: string, margin: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(`${margin}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The same, for programs. */
export function explanationDocument({ kind, path, field, root }: Explained): JsonObject {
  return { kind, path: path.join('.'), ...document(field, root), fields: fieldsOf(field.schema, root).map((one) => ({ name: one.name, ...document(one, root) })) };
}

function document({ schema, required }: Field, root: JsonObject): JsonObject {
  return { type: typeText(schema, root), required, default: schema['default'], description: descriptionOf(schema) };
}
