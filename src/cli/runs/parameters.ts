/** Values of a run's parameters, from the command line and from files, checked against what the workflow declares. */
import { readFile } from 'node:fs/promises';
import { asError } from '../../lib/clock.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { readDocument } from '../../spec/document.ts';
import { pathText } from '../../spec/field-path.ts';
import { requestFindings } from '../../spec/request-values.ts';
import type { ParameterSpec, ValueType } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';

/** As the command line has them. */
export interface GivenParameters {
  /** `key=value`, in order. */
  readonly assignments: readonly string[];
  /** A mapping as JSON or YAML. */
  readonly document: JsonObject;
}

/** `--parameters`: a mapping written out (`{…}`), or the name of a file with one. */
export async function readParameters(given: string | undefined, read: (file: string) => Promise<string> = (file) => readFile(file, 'utf8')): Promise<JsonObject> {
  if (given === undefined) return {};
  const isText = given.trimStart().startsWith('{');
  const text = isText ? given : await read(given).catch((error: unknown) => {
    throw new UserError(`cannot read the parameters: ${asError(error).message}`);
  });
  const { value, findings } = readDocument(text);
  const what = isText ? 'the parameters' : given;
  const [problem] = findings;
  if (problem) throw new UserError(`${what} cannot be read as JSON or YAML: ${problem.message}`);
  if (!isObject(value)) throw new UserError(`${what} must be a mapping of names to values, is ${shown(value)}`);
  return value;
}

/** The values together: assignments go over the document. Throws a UserError that names all that is wrong. */
export function parametersFor(declared: Readonly<Record<string, ParameterSpec>>, { assignments, document }: GivenParameters): JsonObject {
  const values: JsonObject = { ...document, ...assigned(declared, assignments) };
  const problems = problemsOf(declared, values);
  if (problems.length > 0) throw new UserError(problems.join('\n       '));
  return values;
}

/** One sentence for each thing that is wrong with the values. */
export function problemsOf(declared: Readonly<Record<string, ParameterSpec>>, values: JsonObject): readonly string[] {
  return requestFindings(declared, values).map(({ code, path = [], message, hint }) => {
    const [name = '', ...rest] = path;
    if (rest.length === 0 && code === 'MissingField') return `${message}: -p ${name}=…`;
    if (rest.length === 0 && code === 'UnknownField') return `${message}${hint === undefined ? '' : `; ${hint}`}`;
    return `parameter ${pathText(path)}: ${message}`;
  });
}

function assigned(declared: Readonly<Record<string, ParameterSpec>>, assignments: readonly string[]): JsonObject {
  const values: [string, Json][] = [];
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const name = assignment.slice(0, at);
    if (at < 1) throw new UserError(`-p takes name=value, not ${shown(assignment)}`);
    if (values.some(([known]) => known === name)) throw new UserError(`parameter "${name}" is given twice`);
    values.push([name, typed(name, assignment.slice(at + 1), Object.hasOwn(declared, name) ? declared[name]?.type : undefined)]);
  }
  return Object.fromEntries(values);
}

/** The text as a value of the declared type; of what is not declared the text itself. */
function typed(name: string, text: string, type: ValueType | undefined): Json {
  switch (type) {
    case 'integer':
    case 'number':
      if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw new UserError(`parameter "${name}" is a number, not ${shown(text)}`);
      return Number(text);
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw new UserError(`parameter "${name}" is true or false, not ${shown(text)}`);
      return text === 'true';
    case 'array':
    case 'object':
      return json(name, text, type);
    case 'string':
    case undefined:
      return text;
  }
}

function json(name: string, text: string, type: 'array' | 'object'): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UserError(`parameter "${name}" is an ${type}, to be written as JSON: ${asError(error).message}`);
  }
}
