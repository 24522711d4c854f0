/** Writes the tables of docs/http-api.md between their markers, and schemas/openapi.json, from the routes that are served. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Route } from '../../../src/adapters/http/api/route.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import type { GeneratedFile } from './generate.ts';

const page = 'docs/http-api.md';

/** The generator for the list in generate.ts. */
export async function httpReference(): Promise<readonly GeneratedFile[]> {
  const { apiRoutes } = await import('../../../src/adapters/http/api/api.ts');
  const { openApi } = await import('../../../src/adapters/http/api/openapi.ts');
  const { problemCodes } = await import('../../../src/adapters/http/api/problem.ts');
  // Routes are only told about here: what they would answer with is not needed for that.
  const routes = apiRoutes({} as Parameters<typeof apiRoutes>[0], '1');
  const document = openApi(routes, { version: '1', publicUrl: '' });
  const tables: Readonly<Record<string, string>> = {
    operations: table(['operation', 'role', 'what it does'], routes.map(operationRow)),
    parameters: table(['operation', 'parameter', 'meaning'], routes.flatMap(parameterRows)),
    documents: Object.entries(objectAt(objectAt(document, 'components'), 'schemas')).map(([name, schema]) => documentText(name, schema)).join('\n\n'),
    problems: table(['`code`', 'meaning'], Object.entries(problemCodes).map(([code, meaning]) => [`\`${code}\``, meaning])),
  };
  const text = await readFile(path.join(import.meta.dirname, '../../..', page), 'utf8');
  const content = text.replaceAll(/<!-- (\w+) -->\n[^]*?<!-- end -->/gu, (whole, name: string) => (tables[name] === undefined ? whole : `<!-- ${name} -->\n${tables[name]}\n<!-- end -->`));
  return [{ path: page, content }, { path: 'schemas/openapi.json', content: `${JSON.stringify(document, null, 1)}\n` }];
}

function operationRow({ method, path: at, role, summary, description = '' }: Route): string[] {
  return [`\`${method} ${at}\``, role, `${summary}. ${description}`.trim()];
}

function parameterRows({ method, path: at, query, headers }: Route): string[][] {
  return [...fieldsOf(query), ...fieldsOf(headers)].map(([name, field]) => [`\`${method} ${at}\``, `\`${name}\``, meaning(field)]);
}

function fieldsOf(schema: unknown): (readonly [string, JsonObject])[] {
  return Object.entries(objectAt(JSON.parse(JSON.stringify(schema ?? {})), 'properties')).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

function meaning(field: JsonObject): string {
  const value = field['default'];
  return `${stringAt(field, 'description') ?? ''}${value === undefined || isObject(value) ? '' : ` Default: \`${JSON.stringify(value)}\`.`}`;
}

function documentText(name: string, schema: unknown): string {
  const rows = fieldsOf(schema).map(([field, value]) => [`\`${field}\``, typeText(value), stringAt(value, 'description') ?? '']);
  return `### ${name}\n\n${isObject(schema) ? (stringAt(schema, 'description') ?? '') : ''}\n\n${table(['field', 'type', 'meaning'], rows)}`;
}

function typeText(schema: JsonObject): string {
  const name = stringAt(schema, '$ref')?.split('/').at(-1);
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`;
  const types = [schema['type'] ?? []].flat().map(String).join(' or ');
  return isObject(schema['items']) ? `${types} of ${typeText(schema['items'])}` : types;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
