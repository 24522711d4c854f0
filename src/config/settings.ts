/** The configuration's keys as a list: for environment variables and for the reference in docs/configuration.md. */
import type { TSchema } from 'typebox';
import { configSchema } from './config-schema.ts';

/** One row of the reference: a key of the file and, for single values, its environment variable. */
export interface Setting {
  /** As in `log.level`; NAME stands for a name of the operator's choice. */
  readonly path: string;
  readonly variable: string | undefined;
  readonly type: 'text' | 'number' | 'switch' | 'mapping' | 'list';
  readonly default: unknown;
  readonly description: string;
}

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly additionalProperties?: unknown;
}

/** What all our environment variables begin with, and the one that points to the file. */
export const variablePrefix = 'JOB_CHIEF_';
export const fileVariable = 'JOB_CHIEF_CONFIG';

/** Every key there is, in the order of the schema. */
export const settings: readonly Setting[] = settingsUnder(configSchema, []);

function settingsUnder(schema: Node, path: readonly string[]): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => settingsOf(child, [...path, name]));
}

function settingsOf(node: Node, path: readonly string[]): Setting[] {
  const open = node.additionalProperties;
  if (path.join('.') === 'connections') return settingsUnder(open as Node, [...path, 'NAME']);
  const closedMapping = node.properties !== undefined && path.at(-1) !== 'keys';
  return closedMapping ? settingsUnder(node, path) : [settingOf(node, path)];
}

function settingOf(node: Node, path: readonly string[]): Setting {
  const type = kindOf(node.type);
  const single = type !== 'mapping' && type !== 'list' && !path.includes('NAME');
  return { path: path.join('.'), variable: single ? variableOf(path) : undefined, type, default: node.default, description: node.description ?? '' };
}

function kindOf(type: string | undefined): Setting['type'] {
  switch (type) {
    case 'boolean':
      return 'switch';
    case 'integer':
      return 'number';
    case 'string':
      return 'text';
    case 'array':
      return 'list';
    default:
      return 'mapping';
  }
}

/** `log.level` → `JOB_CHIEF_LOG_LEVEL`. */
function variableOf(path: readonly string[]): string {
  return variablePrefix + path.map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_');
}
