/**
 * Writes the tables of docs/queue.md between their markers: `<!-- fields: a b -->` gets a table of these fields of a
 * Queue and of all below them, `<!-- refused: job -->` one of what must not be set there, `<!-- recipe: job -->` the
 * fields of the flat recipe by part. The rest is written by hand.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { GeneratedFile } from './generate.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly durationBetween?: unknown;
  readonly description?: string;
}

const page = 'docs/queue.md';
/** The Job's own fields are Kubernetes': they are listed by name, and explained there. */
const opaque: readonly string[] = ['job', 'jobTemplate'];

/** The generator for the list in generate.ts. */
export async function queueReference(): Promise<readonly GeneratedFile[]> {
  const { queueJsonSchema } = await import('../../../src/spec/queue-schema.ts');
  const { recipeFields, podFieldNames } = await import('../../../src/spec/job-schema.ts');
  const { queueNotes } = await import('../../../src/spec/job-refusals.ts');
  const schema = JSON.parse(JSON.stringify(queueJsonSchema)) as Schema;
  const text = await readFile(path.join(import.meta.dirname, '../../..', page), 'utf8');
  const used: string[] = [];
  const recipe = { ...recipeFields, pod: [...recipeFields.pod, ...Object.keys(podFieldNames)] };
  const tables: Readonly<Record<string, (names: string) => string>> = {
    fields: (names) => {
      used.push(...names.split(' '));
      return fieldTable(schema, names.split(' '));
    },
    refused: (names) => twoColumns('fields', 'instead', byHint(queueNotes.refusedUnder([names]))),
    recipe: () => twoColumns('part', 'fields', Object.entries(recipe).map(([part, fields]) => [part, [...fields].toSorted().map(code).join(', ')])),
  };
  const marked = new RegExp(`<!-- (${Object.keys(tables).join('|')}): ([^>]+?) -->\\n[\\s\\S]*?<!-- end -->`, 'g');
  const content = text.replaceAll(marked, (_, kind: string, names: string) => `<!-- ${kind}: ${names} -->\n\n${tables[kind]?.(names) ?? ''}\n\n<!-- end -->`);
  const all = Object.keys(schema.properties ?? {});
  const wrong = [...all.filter((field) => used.filter((name) => name === field).length !== 1), ...used.filter((field) => !all.includes(field))];
  if (wrong.length > 0) throw new Error(`${page} must have each field in exactly one of its tables: ${wrong.join(', ')}`);
  return [{ path: page, content }];
}

function fieldTable(schema: Schema, names: readonly string[]): string {
  const rows = names.flatMap((name) => rowsOf(name, schema.properties?.[name] ?? {}, schema.required?.includes(name) === true));
  return ['| field | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function twoColumns(first: string, second: string, rows: readonly (readonly string[])[]): string {
  return [`| ${first} | ${second} |`, '| --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

/** Fields that are refused for one reason share a row. */
function byHint(refused: Readonly<Record<string, string>>): string[][] {
  const hints = Map.groupBy(Object.entries(refused), ([, hint]) => hint);
  return [...hints].map(([hint, fields]) => [fields.map(([field]) => code(field)).join(', '), hint]);
}

function rowsOf(field: string, schema: Schema, required: boolean): string[] {
  const row = `| \`${field}\` | ${typeOf(field, schema)} | ${defaultOf(field, schema, required)} | ${schema.description ?? ''} |`;
  const below = opaque.includes(field) ? [] : Object.entries(schema.properties ?? {});
  return [row, ...below.flatMap(([name, child]) => rowsOf(`${field}.${name}`, child, schema.required?.includes(name) === true))];
}

function typeOf(field: string, schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  // `false` beside a word is what YAML 1.1 makes of it: nobody needs to write it.
  if (schema.enum) return schema.enum.filter((value) => typeof value === 'string').map(code).join(' or ');
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(field, one)).join(', or ');
  if (schema.$ref !== undefined) return (schema.$ref.split('/').at(-1) ?? '').replace(/^V1/, '');
  if (schema.durationBetween !== undefined) return 'duration';
  if (schema.type === 'integer') return schema.minimum === schema.maximum ? code(schema.minimum) : `integer, ${schema.minimum ?? ''} to ${schema.maximum ?? ''}`;
  if (schema.type !== 'object') return schema.type ?? '';
  if (opaque.includes(field)) return 'mapping of fields of Kubernetes';
  return schema.properties ? 'mapping' : 'mapping of texts';
}

/** A mapping's default is that of its fields, which stand in the rows below it; a whole rule of retention has its own. */
function defaultOf(field: string, schema: Schema, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined || schema.type !== 'object' || !schema.properties) return schema.default === undefined ? '' : code(schema.default);
  return field.startsWith('retention.') ? code(schema.default) : '';
}

function code(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `\`${String(value)}\``;
  return `\`{${Object.entries(value).map(([name, entry]) => `${name}: ${String(entry)}`).join(', ')}}\``;
}
