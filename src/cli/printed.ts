/** Documents for programs. */
import { stringify } from 'yaml';
import type { JsonObject } from '../lib/json.ts';

/** What is absent is left out of both. */
export function printedDocument(document: JsonObject, output: 'json' | 'yaml'): string {
  const json = JSON.stringify(document, undefined, 2);
  // Through JSON: what is absent is no null.
  return output === 'json' ? json : stringify(JSON.parse(json), { lineWidth: 0 }).trimEnd();
}
