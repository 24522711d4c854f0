/** The items of a forEach, as they are when its step starts. */
import type { Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { mostItems, type ForEachSpec } from '../../spec/workflow.ts';
import { itemText } from './item-map.ts';

/** `values` is absent where the items are just numbers. */
export interface Each {
  readonly count: number;
  readonly values?: readonly Json[];
}
export type Items = { readonly kind: 'each'; readonly each: Each } | { readonly kind: 'problem'; readonly message: string };

/** Puts values in the place of references. A text that is nothing but one reference becomes the value itself, whatever its type. */
export type Resolve = (value: Json) => { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'problem'; readonly message: string };

/** Bytes of all items as files: what a ConfigMap holds, with room for the rest of it. */
const mostBytes = 900 * 1024;

/** Strict: what is no list, no whole number, or too much is a problem that says so. None at all is no problem. */
export function itemsOf(forEach: ForEachSpec, resolve: Resolve): Items {
  const { source } = forEach;
  switch (source.kind) {
    case 'items':
      return resolved(resolve([...source.items]), (value) => fromList(value, 'forEach.items'));
    case 'from':
      return resolved(resolve(source.reference), (value) => fromList(value, source.reference));
    case 'count':
      return resolved(resolve(source.count), (value) => fromCount(value, String(source.count)));
  }
}

function resolved(found: ReturnType<Resolve>, read: (value: Json) => Items): Items {
  return found.kind === 'value' ? read(found.value) : { kind: 'problem', message: found.message };
}

function fromList(value: Json, what: string): Items {
  if (!Array.isArray(value)) return { kind: 'problem', message: `${what} is ${shown(value)}, not a list` };
  if (value.length > mostItems) return tooMany(value.length, what);
  const bytes = value.reduce<number>((sum, item) => sum + Buffer.byteLength(itemText(item)), 0);
  if (bytes > mostBytes) return { kind: 'problem', message: `the ${value.length} items of ${what} are ${bytes} bytes in all, more than the ${mostBytes} that can be handed to pods: pass names of files or ranges instead of content` };
  return { kind: 'each', each: { count: value.length, values: value } };
}

/** Text is read strictly, for an output or a parameter may be declared as one. */
function fromCount(value: Json, what: string): Items {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) return { kind: 'problem', message: `forEach.count ${what} is ${shown(value)}, not a whole number from 0 on` };
  return count > mostItems ? tooMany(count, what) : { kind: 'each', each: { count } };
}

function tooMany(count: number, what: string): Items {
  return { kind: 'problem', message: `${what} gives ${count} items, more than the ${mostItems} that one step may have: let each item stand for a range` };
}
