/** Values for references before there are any: what a dry run puts in their place. */
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import type { Reference } from '../../spec/references.ts';
import type { LookedUp } from '../../spec/substitute.ts';
import type { OutputSpec, ParameterSpec, StepSpec, ValueType, WorkflowSpec } from '../../spec/workflow.ts';

/** What a text is where nobody says: one that is a number, a quantity, a name and an image as well; or else a boolean. */
export const sampleTexts = ['1', 'true'] as const;
export type SampleText = (typeof sampleTexts)[number];

/** Values of a run that nobody has asked for. */
const runSample: JsonObject = {
  name: 'sample',
  trigger: 'request',
  startedAt: '2026-01-01T00:00:00.000Z',
  scheduledAt: '2026-01-01T00:00:00.000Z',
  scheduledDate: '2026-01-01',
  attempt: 1,
  outcome: 'succeeded',
  failedSteps: [],
};

/** Defaults where there are any, else a value of the declared type. `item`: what `$(item)` is; undefined outside a forEach. */
export function sampleLookup(spec: WorkflowSpec, item: Json | undefined, text: SampleText): (reference: Reference) => LookedUp {
  return ({ root, path }) => {
    const [first = '', ...rest] = path;
    switch (root) {
      case 'params':
        return value(within(parameterSample(own(spec.parameters, first), text), rest) ?? text);
      case 'run':
        return value(own(runSample, first) ?? text);
      case 'item':
        return value(within(item, path) ?? text);
      case 'steps':
        return value(outputSample(spec, path, text));
      case 'message':
        return value(text);
    }
  };
}

const value = (found: Json): LookedUp => ({ kind: 'value', value: found });

function parameterSample(parameter: ParameterSpec | undefined, text: SampleText): Json {
  if (!parameter) return text;
  const { schema } = parameter;
  const allowed = schema['enum'];
  return parameter.default ?? (Array.isArray(allowed) ? allowed[0] : undefined) ?? leastOf(parameter, text);
}

/** Numbers that the declaration allows, as far as its bounds tell. */
function leastOf({ type, schema }: ParameterSpec, text: SampleText): Json {
  const { minimum, maximum } = schema;
  if (type !== 'integer' && type !== 'number') return typeSample(type, text);
  const least = typeof minimum === 'number' ? Math.max(1, minimum) : 1;
  return typeof maximum === 'number' ? Math.min(least, maximum) : least;
}

function typeSample(type: ValueType, text: SampleText): Json {
  return { string: text, integer: 1, number: 1, boolean: true, object: {}, array: [] }[type];
}

function outputSample(spec: WorkflowSpec, [name = '', field, output = '', ...rest]: readonly string[], text: SampleText): Json {
  if (field === 'outcome') return 'succeeded';
  const step = stepNamed(spec, name);
  const declared = step && own(step.outputs, output);
  if (!step || !declared) return text;
  const sample = declaredSample(declared, text);
  // Those of a forEach are lists, in the order of its items.
  return within(step.forEach ? [sample] : sample, rest) ?? text;
}

function declaredSample({ type, default: fallback }: OutputSpec, text: SampleText): Json {
  return fallback ?? typeSample(type, text);
}

/** Both spellings of a name are one. */
function stepNamed({ steps, finally: last }: WorkflowSpec, name: string): StepSpec | undefined {
  const id = name.replaceAll('-', '_');
  return [...steps, ...last].find((step) => step.id === id);
}

function within(found: Json | undefined, path: readonly string[]): Json | undefined {
  let at = found;
  for (const key of path) at = Array.isArray(at) ? at[Number(key)] : isObject(at) ? own(at, key) : undefined;
  return at;
}

/** Names are the user's: `constructor` is one like any other. */
function own<Value>(map: Readonly<Record<string, Value | undefined>>, key: string): Value | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
