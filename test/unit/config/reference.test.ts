/** docs/configuration.md lists every key and variable, in the words of the schema, and no others. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configJsonSchema } from '../../../src/config/config-schema.ts';
import { fileVariable, settings } from '../../../src/config/settings.ts';

const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

it('has a row in the reference for every key and variable, and no row for anything else', () => {
  const section = page.slice(page.indexOf('## Keys and variables'), page.indexOf('## Connections'));
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(2);
  const cell = (value: unknown): string => (['string', 'number', 'boolean'].includes(typeof value) ? ` \`${value as string}\` ` : ' ');
  const row = (path: string | undefined, variable: string | undefined, value: unknown, meaning: string): string => `|${cell(path)}|${cell(variable)}|${cell(value)}| ${meaning} |`;
  expect(rows).toEqual([row(undefined, fileVariable, undefined, 'The configuration file.'), ...settings.map(({ path, variable, default: value, description }) => row(path, variable, value, description))]);
});

it('describes every field of the schema', () => {
  const undescribed: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, additionalProperties, description } = node as Record<string, unknown>;
    if (typeof description !== 'string' && !path.startsWith('connections.NAME.keys.')) undescribed.push(path);
    for (const [name, child] of Object.entries(properties ?? {})) visit(child, path === '' ? name : `${path}.${name}`);
    if (path === 'connections') visit(additionalProperties, 'connections.NAME');
  };
  visit(configJsonSchema, '');
  expect(undescribed).toEqual([]);
});
