/** Bodies of messages held against the schema of their Queue. */
import { isNestedDeeper, type Json, type JsonObject } from '../../lib/json.ts';
import { deepestValue } from '../../spec/message-text.ts';
import { valueChecker } from '../../spec/value-check.ts';

/** Compiling one takes as long as a thousand checks. By the schema itself, so that it goes with its spec; no decision can tell. */
const checkers = new WeakMap<JsonObject, ReturnType<typeof valueChecker>>();

/** The first thing that is wrong, in a sentence that repeats nothing of the body; undefined: nothing. */
export function schemaProblem(schema: JsonObject, body: Json): string | undefined {
  if (isNestedDeeper(body, deepestValue)) return `the body is nested deeper than ${deepestValue} levels`;
  try {
    const checker = checkers.get(schema) ?? valueChecker(schema);
    checkers.set(schema, checker);
    const unmet = checker(body);
    if (unmet === undefined) return undefined;
    if (unmet === 'too slow') return 'the body cannot be held against `schema` within a second';
    return `the body does not meet ${unmet.part} of \`schema\`${unmet.missing === undefined ? '' : `: it has no "${unmet.missing}"`}`;
  } catch {
    // Lint refuses such a schema.
    return '`schema` is none that can be used';
  }
}
