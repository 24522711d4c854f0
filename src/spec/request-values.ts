/** The values that a request gives, held against what is declared. */
import type { Json, JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { shown } from '../lib/show.ts';
import { pathText } from './field-path.ts';
import { valueFindings } from './parameter-rules.ts';
import { referencesUnder } from './references.ts';
import type { Finding } from './report.ts';
import type { ParameterSpec } from './workflow.ts';

type Declared = Readonly<Record<string, ParameterSpec>>;

/** Everything wrong with them, once defaults are filled in. Paths begin with the name of the parameter. */
export function requestFindings(declared: Declared, values: JsonObject): Finding[] {
  const whole = Object.fromEntries([...defaultsOf(declared), ...Object.entries(values)]);
  return valueFindings(declared, whole).map((finding) => {
    const [name, ...rest] = finding.path ?? [];
    if (typeof name !== 'string' || rest.length > 0) return finding;
    if (!Object.hasOwn(declared, name)) return { ...finding, message: `there is no parameter ${shown(name)}`, hint: guess(name, Object.keys(declared)) };
    return Object.hasOwn(whole, name) ? finding : { ...finding, message: `the parameter "${name}" needs a value of type ${declared[name]?.type ?? 'string'}`, hint: undefined };
  });
}

/** The same of values that may have references: of those nobody knows yet what they are, but for their names. */
export function openFindings(declared: Declared, values: JsonObject): Finding[] {
  const isOpen = (value: Json | undefined): boolean => referencesUnder(value, []).length > 0;
  const open = new Set(Object.entries(values).filter(([name, value]) => Object.hasOwn(declared, name) && isOpen(value)).map(([name]) => name));
  const without = <Value>(all: Readonly<Record<string, Value>>): Record<string, Value> => Object.fromEntries(Object.entries(all).filter(([name]) => !open.has(name)));
  return requestFindings(without(declared), without(values));
}

/** One line for people: where, what, and what to do. */
export function describeFinding({ path = [], message, hint }: Finding): string {
  return `${pathText(['parameters', ...path])}: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}

function guess(name: string, names: readonly string[]): string {
  if (names.length === 0) return 'none are declared';
  const found = nearest(name, names);
  return found === undefined ? `there is ${names.slice(0, 12).join(', ')}` : `did you mean "${found}"?`;
}

function defaultsOf(declared: Declared): (readonly [string, ParameterSpec['default']])[] {
  return Object.entries(declared).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value] as const]));
}
