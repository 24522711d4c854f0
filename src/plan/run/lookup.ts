/** The values behind references, and which of them were read. */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Reference } from '../../spec/references.ts';
import { substitute, type Destination, type LookedUp } from '../../spec/substitute.ts';
import { idOf } from '../../spec/workflow-steps.ts';
import type { RunDraft } from './draft.ts';
import { outputsOf } from './facts.ts';
import { entryOf, outcomeText } from './standing.ts';

/** How a tree of values comes out. `wait`: it names an output of a step that has not ended, and that has no default. */
export type Resolved<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'wait'; readonly step: string }
  | { readonly kind: 'problem'; readonly reason: 'OutputMissing' | 'ReferenceInvalid'; readonly message: string };

/** Item of a forEach that the values are for. */
export interface ItemValue {
  readonly value: Json;
}

/** Why a tree cannot be resolved, as far as that is the fault of an output. */
interface Fault {
  /** The step has ended without it. */
  missing?: string;
  /** The step has not ended. */
  open?: string;
}

/** Reads references for one place of a run. */
export class Resolver {
  /** Values read so far, by the text of their reference; not those of `item`, which differ from one item to the next. */
  readonly read = new Map<string, Json>();
  readonly #draft: RunDraft;
  readonly #item: ItemValue | undefined;

  constructor(draft: RunDraft, item?: ItemValue) {
    this.#draft = draft;
    this.#item = item;
  }

  resolve(tree: Json, destination: Destination): Resolved<Json> {
    const fault: Fault = {};
    const result = substitute(tree, destination, (reference) => this.#lookUp(reference, fault));
    if (result.kind === 'value') return result;
    if (fault.open !== undefined) return { kind: 'wait', step: fault.open };
    const { missing } = fault;
    return missing === undefined ? { kind: 'problem', reason: 'ReferenceInvalid', message: result.message } : { kind: 'problem', reason: 'OutputMissing', message: missing };
  }

  #lookUp(reference: Reference, fault: Fault): LookedUp {
    const found = this.#find(reference, fault);
    if (found.kind === 'value' && reference.root !== 'item') this.read.set(reference.text, found.value);
    return found;
  }

  #find({ root, path, text }: Reference, fault: Fault): LookedUp {
    const [first = '', ...rest] = path;
    switch (root) {
      case 'params':
        return within(declared(this.#draft.params, first), rest, text);
      case 'run':
        return within(entryOf(this.#draft.run, first), rest, text);
      case 'item':
        return within(this.#item?.value, path, text);
      case 'steps':
        return this.#findOfStep(first, rest, { text, fault });
      case 'message':
        return { kind: 'missing', message: `${text} has no value in a workflow` };
    }
  }

  #findOfStep(name: string, [, output = '', ...rest]: readonly string[], { text, fault }: { readonly text: string; readonly fault: Fault }): LookedUp {
    const { byName, byId } = this.#draft.graph;
    const step = byName.get(name) ?? byId.get(idOf(name));
    if (!step) return { kind: 'missing', message: `${text}: there is no step "${name}"` };
    const state = this.#draft.step(step.name) ?? {};
    const value = declared(outputsOf(step, state), output);
    if (value !== undefined) return within(value, rest, text);
    if (state.outcome === undefined) {
      fault.open ??= step.name;
      return { kind: 'missing', message: `${text}: step "${step.name}" has not ended yet` };
    }
    fault.missing ??= `${text}: step "${step.name}" ${outcomeText[state.outcome]} without output "${output}", which has no default`;
    return { kind: 'missing', message: fault.missing };
  }
}

/** Names may be written with `-` or `_`, however they are declared. */
function declared<Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return entryOf(values, name) ?? Object.entries(values).find(([known]) => idOf(known) === idOf(name))?.[1];
}

/** The value at the path inside another. */
function within(value: Json | undefined, path: readonly string[], text: string): LookedUp {
  let at = value;
  for (const key of path) {
    if (Array.isArray(at)) at = at[Number(key)];
    else at = typeof at === 'object' && at !== null ? entryOf(at as Record<string, Json>, key) : undefined;
  }
  return at === undefined ? { kind: 'missing', message: `${text} has no value` } : { kind: 'value', value: at };
}

/** As an object, for trees that are one. */
export function asObject(resolved: Resolved<Json>): Resolved<JsonObject> {
  if (resolved.kind !== 'value') return resolved;
  return { kind: 'value', value: resolved.value as JsonObject };
}
