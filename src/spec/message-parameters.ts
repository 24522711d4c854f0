/** The parameters of a run that a message starts: `perMessage.parameters` with the values of the message in the place of references. */
import type { Json, JsonObject } from '../lib/json.ts';
import { convert } from './convert.ts';
import { messageValue, type MessageValues } from './message-text.ts';
import { referencesIn } from './references.ts';
import { substitute } from './substitute.ts';
import type { ParameterSpec, ValueType } from './workflow.ts';

/** `problem`: a sentence that names the parameter and repeats nothing of the message. */
export type MessageParameters = { readonly parameters: JsonObject } | { readonly problem: string };

/** Types that a text of a message may stand for: headers of RabbitMQ and attributes of SQS are texts, whatever was meant. */
const readFromText: ReadonlySet<ValueType> = new Set(['integer', 'number', 'boolean']);

/** A text that is one reference and nothing else becomes the value itself. The first problem ends it. */
export function renderParameters(parameters: JsonObject, declared: Readonly<Record<string, ParameterSpec>>, message: MessageValues): MessageParameters {
  const rendered: [string, Json][] = [];
  for (const [name, given] of Object.entries(parameters)) {
    if (given === undefined) continue;
    const value = renderParameter(given, Object.hasOwn(declared, name) ? declared[name] : undefined, message);
    if ('problem' in value) return { problem: `the parameter "${name}" cannot be made: ${value.problem}` };
    rendered.push([name, value.value]);
  }
  return { parameters: Object.fromEntries(rendered) };
}

function renderParameter(given: Json, declared: ParameterSpec | undefined, message: MessageValues): { readonly value: Json } | { readonly problem: string } {
  const made = substitute(given, 'any', (reference) => {
    const found = messageValue(reference, message);
    return 'problem' in found ? { kind: 'missing', message: found.problem } : { kind: 'value', value: found.value };
  });
  if (made.kind === 'problem') return { problem: made.message };
  const { value } = made;
  // What stands in the spec is as its author wrote it.
  if (!declared || !readFromText.has(declared.type) || typeof value !== 'string' || typeof given !== 'string' || referencesIn(given).length === 0) return { value };
  const read = convert(value, declared.type);
  return read.kind === 'problem' ? { problem: `the text is not ${read.message}` } : { value: read.value };
}
