/** The items of a forEach, as they are when its step starts. */
import type { Json } from '../../lib/json.ts';
import type { ForEachSpec } from '../../spec/workflow.ts';

/** `values` is absent where the items are just numbers. */
export interface Each {
  readonly count: number;
  readonly values?: readonly Json[];
}
export type Items = { readonly kind: 'each'; readonly each: Each } | { readonly kind: 'problem'; readonly message: string };

/** Puts values in the place of references. A text that is nothing but one reference becomes the value itself, whatever its type. */
export type Resolve = (value: Json) => { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'problem'; readonly message: string };

/** Strict: what is no list, no whole number, or too much is a problem. */
export function itemsOf(_forEach: ForEachSpec, _resolve: Resolve): Items {
  return { kind: 'problem', message: 'not read yet' };
}
