/** The two forms in which a container may write its outputs. */
import { isObject, type Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';

export type OutputEntries = { readonly entries: readonly (readonly [name: string, value: Json])[] } | { readonly problem: string };

/** Names and values as they stand there. A text that begins with `{` is a JSON object, anything else lines; an empty one holds nothing. */
export function parseOutputs(text: string): OutputEntries {
  const trimmed = text.trim();
  return trimmed.startsWith('{') ? fromJson(trimmed) : fromLines(text);
}

function fromJson(text: string): OutputEntries {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: `${shown(text)} is not a JSON object` };
  }
  if (!isObject(value)) return { problem: `${shown(text)} is not a JSON object` };
  return { entries: Object.entries(value).map(([name, entry]) => [name, entry ?? null] as const) };
}

/** Everything behind the first `=` is the value, blanks included: a value may hold further ones. */
function fromLines(text: string): OutputEntries {
  const entries: [string, Json][] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const sign = line.indexOf('=');
    if (sign < 1) return { problem: `line ${index + 1} is ${shown(line)}, not name=value` };
    entries.push([line.slice(0, sign).trim(), line.slice(sign + 1)]);
  }
  return { entries };
}
