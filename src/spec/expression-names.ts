/** What the names in expressions stand for: outcomes of steps in `dependsOn`; parameters, outputs and the run in `when`. */
import type { Json } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import type { Cursor, FindName, ReadName } from './expression-cursor.ts';
import { ExpressionFault } from './expression-fault.ts';
import { stepFields, type StepField } from './facts.ts';
import type { ValueType } from './value-type.ts';
import { idOf } from './workflow-steps.ts';

/** One value that an expression looks at. */
export type Fact =
  | { readonly kind: 'outcome'; readonly step: string; readonly field: StepField }
  | { readonly kind: 'output'; readonly step: string; readonly name: string; readonly type: ValueType; readonly default: Json | undefined }
  | { readonly kind: 'parameter'; readonly name: string; readonly type: ValueType; readonly default: Json | undefined }
  | { readonly kind: 'run'; readonly name: RunField }
  | { readonly kind: 'item' };

/** Fields of `run`, with their CEL types. */
export const runFields = {
  name: 'string',
  trigger: 'string',
  startedAt: 'google.protobuf.Timestamp',
  scheduledAt: 'google.protobuf.Timestamp',
  scheduledDate: 'string',
  attempt: 'int',
  outcome: 'string',
  failedSteps: 'list<string>',
} as const;
export type RunField = keyof typeof runFields;
/** What is known only when all steps have their outcome. */
export const endFields: ReadonlySet<RunField> = new Set(['outcome', 'failedSteps']);

/** Where an expression stands decides which names it has. */
export interface Scope {
  /** Reads a name and moves the cursor past it. undefined: the word under the cursor is no name of this scope. Throws faults. */
  read(cursor: Cursor): Fact | undefined;
  /** Says why a word that stands for nothing is wrong. */
  unknown(name: ReadName): ExpressionFault;
}

/** A declared value; `type` is what the reader gets (a list for an output of a forEach). */
export interface Declared {
  readonly type: ValueType;
  readonly default: Json | undefined;
}

/** The names of `when`. */
export interface WhenScope {
  /** Declared outputs of each step, by the step's id. */
  readonly steps: ReadonlyMap<string, Readonly<Record<string, Declared>>>;
  readonly parameters: Readonly<Record<string, Declared>>;
  /** The expression is asked for each item of a forEach. */
  readonly item?: boolean;
  /** Id of the step that it belongs to, which cannot wait for itself. */
  readonly self?: string;
  /** It stands in a step of `finally`, where the run's outcome is known. */
  readonly finally?: boolean;
}

const findField: FindName = (spelled) => stepFields.find((field) => field === spelled);
const outcomeList = `a step has ${stepFields.join(', ')}`;

/** Names of `dependsOn`: steps, by name or id. Made once for all expressions of a workflow. */
export function outcomeScope(steps: readonly { readonly id: string; readonly name: string }[]): Scope {
  const ids = new Map(steps.flatMap(({ id, name }) => [[id, id], [name, id]]));
  const find: FindName = (spelled) => ids.get(spelled);
  return {
    read: (cursor) => {
      const step = cursor.name(find, true);
      if (step?.found === undefined) return undefined;
      const field = cursor.field(findField);
      if (field === undefined) throw new ExpressionFault(`"${step.spelled}" alone is no condition`, step.start, `write ${step.spelled}.ok; ${outcomeList}`);
      return { kind: 'outcome', step: step.found, field: stepField(field) };
    },
    unknown: (name) => {
      if (name.spelled === 'steps') return new ExpressionFault('dependsOn names steps without "steps."', name.start, 'write load.ok for steps.load.ok');
      if (name.spelled === 'params' || name.spelled === 'run') return new ExpressionFault(`dependsOn looks at outcomes of steps only, not at "${name.spelled}"`, name.start, 'move this part to when');
      return unknownName('step', name, steps.map((step) => step.name));
    },
  };
}

function stepField(name: ReadName): StepField {
  const field = stepFields.find((known) => known === name.found);
  if (field !== undefined) return field;
  if (name.spelled === 'outputs') throw new ExpressionFault('dependsOn looks at outcomes of steps only, not at outputs', name.start, 'move this part to when');
  throw unknownName('outcome', name, stepFields, outcomeList);
}

/** Names of `when`. */
export function valueScope(scope: WhenScope): Scope {
  const roots = ['params', 'steps', 'run', ...(scope.item === true ? ['item'] : [])];
  const parameters = index(scope.parameters);
  return {
    read: (cursor) => {
      const root = cursor.peek();
      if (root === undefined || !roots.includes(root.text)) return undefined;
      cursor.index += 1;
      switch (root.text) {
        case 'params':
          return parameter(cursor, scope, parameters);
        case 'steps':
          return stepFact(cursor, scope);
        case 'run':
          return runFact(cursor, scope);
        default:
          return { kind: 'item' };
      }
    },
    unknown: (name) => {
      if (scope.steps.has(idOf(name.spelled))) return new ExpressionFault(`"${name.spelled}" is unknown here`, name.start, `write steps.${name.spelled}`);
      if (Object.hasOwn(scope.parameters, name.spelled)) return new ExpressionFault(`"${name.spelled}" is unknown here`, name.start, `write params.${name.spelled}`);
      return unknownName('name', name, roots, `there are ${roots.join(', ')}`);
    },
  };
}

function parameter(cursor: Cursor, { parameters }: WhenScope, find: FindName): Fact {
  const read = required(cursor, cursor.field(find), 'params', Object.keys(parameters));
  const declared = read.found === undefined ? undefined : parameters[read.found];
  if (declared === undefined) throw unknownName('parameter', read, Object.keys(parameters), known(Object.keys(parameters)));
  return { kind: 'parameter', name: read.found ?? '', type: declared.type, default: declared.default };
}

function known(parameters: readonly string[]): string {
  return parameters.length === 0 ? 'the workflow declares no parameters' : `the parameters are ${parameters.slice(0, 12).join(', ')}`;
}

function stepFact(cursor: Cursor, { steps, self }: WhenScope): Fact {
  const known = (spelled: string): string | undefined => [spelled, idOf(spelled)].find((id) => steps.has(id));
  const step = required(cursor, cursor.field(known, true), 'steps', ['load']);
  const outputs = step.found === undefined ? undefined : steps.get(step.found);
  if (step.found === undefined || outputs === undefined) throw unknownName('step', step, steps.keys());
  if (step.found === self) throw new ExpressionFault(`step "${step.spelled}" cannot look at itself`, step.start, 'it has no outcome before it has run');
  const field = cursor.field((spelled) => (spelled === 'outputs' ? spelled : findField(spelled)));
  if (field === undefined) throw new ExpressionFault(`"steps.${step.spelled}" alone is no value`, step.start, `write steps.${step.spelled}.ok; ${outcomeList}, outputs`);
  if (field.found !== 'outputs') return { kind: 'outcome', step: step.found, field: stepField(field) };
  return output(cursor, step.found, outputs);
}

function output(cursor: Cursor, step: string, outputs: Readonly<Record<string, Declared>>): Fact {
  const names = Object.keys(outputs);
  const read = required(cursor, cursor.field(index(outputs)), `steps.${step}.outputs`, names);
  const declared = read.found === undefined ? undefined : outputs[read.found];
  if (declared === undefined) throw unknownName('output', read, names, names.length === 0 ? `step "${step}" declares no outputs` : `step "${step}" declares ${names.join(', ')}`);
  return { kind: 'output', step, name: read.found ?? '', type: declared.type, default: declared.default };
}

function runFact(cursor: Cursor, scope: WhenScope): Fact {
  const names = Object.keys(runFields) as RunField[];
  const read = required(cursor, cursor.field((spelled) => names.find((name) => name === spelled)), 'run', names);
  const name = names.find((known) => known === read.found);
  if (name === undefined) throw unknownName('field of run', read, names, `there are ${names.join(', ')}`);
  if (endFields.has(name) && scope.finally !== true) {
    throw new ExpressionFault(`run.${name} is known only when all steps have ended`, read.start, 'ask for it in a step of finally');
  }
  return { kind: 'run', name };
}

function required(cursor: Cursor, read: ReadName | undefined, root: string, examples: readonly string[]): ReadName {
  if (read !== undefined) return read;
  throw new ExpressionFault(`"${root}" alone is no value`, cursor.tokens[cursor.index - 1]?.start ?? 0, `name what is meant: ${root}.${examples[0] ?? 'name'}`);
}

/** Both spellings of declared names: as written, and with `_` for `-`. */
function index(declared: Readonly<Record<string, unknown>>): FindName {
  const names = new Map(Object.keys(declared).map((name) => [idOf(name), name]));
  return (spelled) => (Object.hasOwn(declared, spelled) ? spelled : names.get(idOf(spelled)));
}

function unknownName(what: string, { spelled, start }: ReadName, known: Iterable<string>, otherwise?: string): ExpressionFault {
  const guess = nearest(spelled, known);
  return new ExpressionFault(`there is no ${what} "${spelled}"`, start, guess === undefined ? otherwise : `did you mean "${guess}"?`);
}
