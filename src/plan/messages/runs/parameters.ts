/** Parameters of a run, made of a message and held against what the template or workflow declares. */
import type { Json, JsonObject } from '../../../lib/json.ts';
import { textsUnder } from '../../../spec/field-path.ts';
import { renderParameters } from '../../../spec/message-parameters.ts';
import type { MessageValues } from '../../../spec/message-text.ts';
import { valueChecker } from '../../../spec/value-check.ts';
import type { ParameterSpec } from '../../../spec/workflow.ts';

/** Bytes as JSON: a record has room for them beside the largest spec and its state. */
export const longestParameters = 400_000;

type Declared = Readonly<Record<string, ParameterSpec>>;

/** `problem`: a sentence that names the parameter and repeats nothing of the message. */
export type ParametersReading = { readonly parameters: JsonObject } | { readonly problem: string };

/** The same message gives the same parameters, whatever process reads it. */
export function parametersOf(given: JsonObject, declared: Declared, values: MessageValues): ParametersReading {
  const made = renderParameters(given, declared, values);
  if ('problem' in made) return made;
  const problem = sizeProblem(made.parameters) ?? textProblem(made.parameters) ?? misfit(declared, made.parameters);
  return problem === undefined ? made : { problem };
}

function sizeProblem(parameters: JsonObject): string | undefined {
  const size = Buffer.byteLength(JSON.stringify(parameters));
  return size > longestParameters ? `its parameters have ${size} bytes as JSON, and may have ${longestParameters}` : undefined;
}

/** No container can be given such a text. */
function textProblem(parameters: JsonObject): string | undefined {
  for (const [name, value] of Object.entries(parameters)) if (textsUnder(value, []).some(({ text }) => text.includes('\0'))) return `the parameter "${name}" has a NUL`;
  return undefined;
}

type Checker = ReturnType<typeof valueChecker>;

/** Compiling one takes as long as a thousand checks. By the declarations themselves, so that it goes with their spec; no decision can tell. */
const checkers = new WeakMap<Declared, Checker>();

function misfit(declared: Declared, parameters: JsonObject): string | undefined {
  const checker = checkers.get(declared) ?? valueChecker(schemaOf(declared));
  checkers.set(declared, checker);
  const defaults = Object.entries(declared).flatMap(([name, { default: value }]): [string, Json][] => (value === undefined ? [] : [[name, value]]));
  const unmet = checker(Object.fromEntries([...defaults, ...Object.entries(parameters).flatMap(([name, value]): [string, Json][] => (value === undefined ? [] : [[name, value]]))]));
  if (unmet === undefined) return undefined;
  if (unmet === 'too slow') return 'its parameters cannot be checked within a second';
  const [, name, rest = ''] = /^\/properties\/([^/]+)(.*)$/.exec(unmet.part) ?? [];
  if (name === undefined) return unmet.missing === undefined ? 'its parameters do not fit what is declared' : `the parameter "${unmet.missing}" has no value`;
  return `the parameter "${name}" does not fit its declaration${rest === '' ? '' : `, ${rest.slice(1)}`}`;
}

function schemaOf(declared: Declared): JsonObject {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(declared).map(([name, { schema }]) => [name, schema])),
    required: Object.entries(declared).filter(([, { optional }]) => !optional).map(([name]) => name),
  };
}
