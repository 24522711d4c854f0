/**
 * Writes the tables of docs/queue.md, docs/workflow.md, docs/template.md and docs/limits.md between their markers: `<!-- fields: a b -->` gets a table of
 * these fields of the kind and of all below them, `<!-- step: a b -->` of a step, `<!-- parameter: a b -->` of a
 * parameter, `<!-- run: a b -->` of a Run, `<!-- refused: job -->` one of what must not be set there, `<!-- recipe: job -->` the fields of the flat
 * recipe by part. The rest is written by hand.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { noNotes, type FieldNotes } from '../../../src/spec/job-refusals.ts';
import type { RecipeFields } from '../../../src/spec/job-schema.ts';
import type { GeneratedFile } from './generate.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly durationBetween?: unknown;
  readonly description?: string;
}

/** One page, and what its tables are made of. */
interface Page {
  readonly file: string;
  readonly schema: Schema;
  readonly notes: FieldNotes;
  readonly recipe: RecipeFields;
  /** A path at which the notes see the flat recipe. */
  readonly job: readonly (string | number)[];
  /** Objects whose fields another page has. */
  readonly elsewhere?: readonly string[];
  /** Further objects that the page is about, by the word of their markers. */
  readonly others?: Readonly<Record<string, Schema>>;
}

/** The Job's own fields are Kubernetes': they are listed by name, and explained there. */
const opaque: readonly string[] = ['job', 'jobTemplate', 'jobDefaults'];

/** The generator for the list in generate.ts. */
export async function specReference(): Promise<readonly GeneratedFile[]> {
  const { queueJsonSchema } = await import('../../../src/spec/queue-schema.ts');
  const { workflowJsonSchema } = await import('../../../src/spec/workflow-schema.ts');
  const { templateJsonSchema } = await import('../../../src/spec/template-schema.ts');
  const { runJsonSchema } = await import('../../../src/spec/run-schema.ts');
  const { limitsJsonSchema } = await import('../../../src/spec/limits-schema.ts');
  const { recipeFields, stepRecipeFields, podFieldNames } = await import('../../../src/spec/job-schema.ts');
  const { queueNotes } = await import('../../../src/spec/job-refusals.ts');
  const { workflowNotes } = await import('../../../src/spec/workflow-notes.ts');
  const { templateNotes } = await import('../../../src/spec/template-notes.ts');
  const plain = (schema: object): Schema => JSON.parse(JSON.stringify(schema)) as Schema;
  const withPod = (fields: RecipeFields): RecipeFields => ({ ...fields, pod: new Set([...fields.pod, ...Object.keys(podFieldNames)]) });
  return Promise.all([
    written({ file: 'docs/queue.md', schema: plain(queueJsonSchema), notes: queueNotes, recipe: withPod(recipeFields), job: ['job'] }),
    written({ file: 'docs/limits.md', schema: plain(limitsJsonSchema), notes: noNotes, recipe: recipeFields, job: [] }),
    written({ file: 'docs/workflow.md', schema: plain(workflowJsonSchema), notes: workflowNotes, recipe: withPod(stepRecipeFields), job: ['steps', 0, 'job'] }),
    written({ file: 'docs/template.md', schema: plain(templateJsonSchema), notes: templateNotes, recipe: withPod(stepRecipeFields), job: ['job'], elsewhere: ['parameter'], others: { run: plain(runJsonSchema) } }),
  ]);
}

async function written({ file, schema, notes, recipe, job, elsewhere = [], others = {} }: Page): Promise<GeneratedFile> {
  const text = await readFile(path.join(import.meta.dirname, '../../..', file), 'utf8');
  const used = new Map<string, string[]>();
  const objects: Readonly<Record<string, Schema | undefined>> = { fields: schema, step: schema.$defs?.['Step'], parameter: schema.$defs?.['Parameter'], ...others };
  const fields = (of: string) => (names: string): string => {
    used.set(of, [...(used.get(of) ?? []), ...names.split(' ')]);
    return fieldTable(objects[of] ?? {}, names.split(' '));
  };
  const tables: Readonly<Record<string, (names: string) => string>> = {
    ...Object.fromEntries(Object.keys(objects).map((of) => [of, fields(of)])),
    refused: () => twoColumns('fields', 'instead', byHint(notes.refusedUnder(job))),
    recipe: () => twoColumns('part', 'fields', Object.entries(recipe).map(([part, names]) => [part, [...(names as Set<string>)].toSorted().map(code).join(', ')])),
  };
  const marked = new RegExp(`<!-- (${Object.keys(tables).join('|')}): ([^>]+?) -->\\n[\\s\\S]*?<!-- end -->`, 'g');
  const content = text.replaceAll(marked, (_, kind: string, names: string) => `<!-- ${kind}: ${names} -->\n\n${tables[kind]?.(names) ?? ''}\n\n<!-- end -->`);
  for (const [of, object] of Object.entries(objects)) if (object && !elsewhere.includes(of)) checkComplete(file, Object.keys(object.properties ?? {}), used.get(of) ?? []);
  return { path: file, content };
}

function checkComplete(file: string, all: readonly string[], used: readonly string[]): void {
  const wrong = [...all.filter((field) => used.filter((name) => name === field).length !== 1), ...used.filter((field) => !all.includes(field))];
  if (wrong.length > 0) throw new Error(`${file} must have each field in exactly one of its tables: ${wrong.join(', ')}`);
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
  return [row, ...below(field, schema).flatMap(([name, child, needed]) => rowsOf(name, child, needed))];
}

/** What is explained elsewhere is not explained again. */
function below(field: string, schema: Schema): [name: string, schema: Schema, required: boolean][] {
  if (opaque.includes(field) || field === 'undo.retry') return [];
  const [object, prefix] = schema.items?.properties ? [schema.items, `${field}[]`] : [schema, field];
  return Object.entries(object.properties ?? {}).map(([name, child]) => [`${prefix}.${name}`, child, object.required?.includes(name) === true]);
}

function typeOf(field: string, schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  // `false` beside a word is what YAML 1.1 makes of it: nobody needs to write it.
  if (schema.enum) return schema.enum.filter((value) => typeof value === 'string').map(code).join(' or ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map((one) => typeOf(field, one)))].join(', or ');
  if (schema.$ref !== undefined) return named(schema.$ref);
  if (schema.durationBetween !== undefined) return 'duration';
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => (type === 'array' ? 'list' : typeOf(field, { ...schema, type }))).join(', or ');
  if (schema.type === 'integer' || schema.type === 'number') return numeric(schema.type, schema);
  if (schema.type === 'array') return schema.items ? `list of ${typeOf(field, schema.items).replace(/^\w+/, (word) => `${word}s`)}` : 'list';
  if (schema.type !== 'object') return schema.type === undefined ? 'any' : String(schema.type);
  if (opaque.includes(field)) return 'mapping of fields of Kubernetes';
  return schema.properties ? 'mapping' : mappingOf(schema.additionalProperties);
}

function numeric(type: string, { minimum, maximum }: Schema): string {
  if (minimum !== undefined && minimum === maximum) return code(minimum);
  return minimum === undefined && maximum === undefined ? type : `${type}, ${minimum ?? ''} to ${maximum ?? ''}`;
}

function mappingOf(values: Schema['additionalProperties']): string {
  if (typeof values !== 'object') return 'mapping';
  return values.type === 'string' ? 'mapping of texts' : 'mapping by name';
}

function named(reference: string): string {
  const name = (reference.split('/').at(-1) ?? '').replace(/^V1/, '');
  return { JobRecipe: 'mapping of fields of Kubernetes', Step: 'step', Value: 'declaration' }[name] ?? name;
}

/** A mapping's default is that of its fields, which stand in the rows below it; a whole rule of retention has its own. */
function defaultOf(field: string, schema: Schema, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined || schema.type !== 'object' || !schema.properties) return schema.default === undefined ? '' : code(schema.default);
  return field.startsWith('retention.') ? code(schema.default) : '';
}

function code(value: unknown): string {
  if (Array.isArray(value)) return `\`${JSON.stringify(value)}\``;
  if (value === '') return '';
  if (typeof value !== 'object' || value === null) return `\`${String(value)}\``;
  return `\`{${Object.entries(value).map(([name, entry]) => `${name}: ${String(entry)}`).join(', ')}}\``;
}
