/** What a request may set, in a few words for each parameter: for whoever looks at the status before asking for a run. */
import { stringAt } from '../../lib/json.ts';
import type { ParameterSpec } from '../../spec/workflow.ts';
import { cut } from '../status.ts';

/** Bytes as they stand in JSON. */
const longestDefault = 60;
const longestDescription = 120;
/** `"parameters":{}` and a comma, in three lines. */
const frame = 21;
/** `"":"",` around a name and its text, and the end of the line. */
const punctuation = 7;

/**
 * By name, in the order of the text; the last entry, `…`, says how many had no room. undefined: there are none, or no room.
 * `room`: bytes as they stand in JSON.
 */
export function parameterTexts(parameters: Readonly<Record<string, ParameterSpec>>, room: number): Readonly<Record<string, string>> | undefined {
  const all = Object.entries(parameters).map(([name, parameter]): [string, string] => [name, textOf(parameter)]);
  const kept = fitting(all, room - frame);
  if (kept.length === all.length) return all.length === 0 ? undefined : Object.fromEntries(all);
  const rest = (left: number): [string, string] => ['…', `${left} more`];
  // Room for saying how many are left out, whatever that number is.
  const some = fitting(all, room - frame - sizeOf(rest(all.length)));
  return some.length === 0 ? undefined : Object.fromEntries([...some, rest(all.length - some.length)]);
}

function fitting(entries: readonly (readonly [string, string])[], room: number): (readonly [string, string])[] {
  let left = room;
  const end = entries.findIndex((entry) => (left -= sizeOf(entry)) < 0);
  return end < 0 ? [...entries] : entries.slice(0, end);
}

function sizeOf([name, text]: readonly [string, string]): number {
  return Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(text)) - 4 + punctuation;
}

/** `integer, default 512: pixels of the longer side`. */
function textOf({ type, schema, default: value, optional }: ParameterSpec): string {
  const need = value !== undefined ? `default ${cut(JSON.stringify(value), longestDefault)}` : optional ? 'optional' : 'required';
  const description = stringAt(schema, 'description');
  return `${type}, ${need}${description === undefined ? '' : `: ${cut(description, longestDescription)}`}`;
}
