/** JSON as PostgreSQL gives and takes it. */
import { isObject, type Json, type JsonObject } from '../../../lib/json.ts';

/**
 * The text of a jsonb value without the blanks that the server puts between its parts. Not parsed: a number may have more
 * digits than JavaScript keeps.
 */
export function compactJson(text: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    parts.push(text.slice(at, end).replaceAll(' ', ''));
    at = quote === -1 ? end : endOfString(text, quote);
    parts.push(text.slice(end, at));
  }
  return parts.join('');
}

/** Just behind the string that begins at `quote`. */
function endOfString(text: string, quote: number): number {
  for (let end = text.indexOf('"', quote + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return text.length;
}

/** The same value in what jsonb can hold: it knows no NUL and no half of a surrogate pair, and refuses the whole value for one. */
export function storableJson(value: Json): Json {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storableJson);
  return isObject(value) ? storableObject(value) : value;
}

/** As storableJson; what is undefined is left out. */
export function storableObject(value: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [storableText(key), entry === undefined ? undefined : storableJson(entry)]));
}

function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
