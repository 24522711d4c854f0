/** Where a Queue may refer to what: to the message in `perMessage.env` and `perMessage.parameters`, and nowhere to anything else. Any other `$(…)` is left alone. */
import { objectAt, type JsonObject } from '../lib/json.ts';
import { jobFields } from './job-parts.ts';
import { messageIdPath } from './keys.ts';
import { messageReferenceProblem } from './message-text.ts';
import { runWay } from './queue-run-rules.ts';
import { referencesUnder, type PlacedReference } from './references.ts';
import type { Finding } from './report.ts';

/** Fields of `perMessage` whose texts may refer to the message. */
const replaced = ['env', 'parameters'];

/** Fields that are no texts of job-chief's: a JSON Schema may say what it likes. */
const notScanned = new Set(['apiVersion', 'kind', ...jobFields, 'timeout']);

/** References that lead nowhere, and those that stand where none is replaced. */
export function referenceFindings(spec: JsonObject): Finding[] {
  const [perMessage, perBatch] = [objectAt(spec, 'perMessage'), objectAt(spec, 'perBatch')];
  const elsewhere = [
    ...Object.keys(spec).filter((field) => !notScanned.has(field) && field !== 'perMessage' && field !== 'perBatch').map((field) => [field]),
    ...Object.keys(perBatch).filter((field) => field !== 'schema').map((field) => ['perBatch', field]),
    ...Object.keys(perMessage).filter((field) => !replaced.includes(field) && field !== 'schema').map((field) => ['perMessage', field]),
  ].flatMap((path) => referencesUnder(spec, path));
  return [
    ...[...jobFields, 'timeout'].flatMap((field) => referencesUnder(spec, [field])).map((placed) => nothing(placed, spec)),
    ...elsewhere.filter(({ reference }) => reference.root === 'message').map((placed) => nothing(placed, spec)),
    ...replaced.flatMap((field) => referencesUnder(spec, ['perMessage', field])).flatMap((placed) => toMessage(placed, spec)),
  ];
}

function toMessage(placed: PlacedReference, spec: JsonObject): Finding[] {
  const { path, reference } = placed;
  if (reference.root !== 'message') return [nothing(placed, spec)];
  const problem = messageReferenceProblem(reference);
  return problem ? [{ code: 'UnknownReference', ...problem, path, within: reference.offset }] : [];
}

function nothing({ path, reference: { root, text } }: PlacedReference, spec: JsonObject): Finding {
  const found = { code: 'UnknownReference', path } as const;
  if (Object.hasOwn(spec, 'perBatch')) {
    return { ...found, message: `${text} names nothing: the pods of a batch share one text`, hint: `each has its message as a file, and the id as ${messageIdPath}; where the text itself must reach the container write $${text}` };
  }
  if (!Object.hasOwn(spec, 'perMessage')) {
    return { ...found, message: `${text} names nothing: a Queue with drain has no parameters, steps, items or messages`, hint: `its pods fetch messages for themselves; where the text itself must reach the container write $${text}` };
  }
  const where = runWay(spec) === undefined ? 'perMessage.env' : 'perMessage.parameters';
  if (root !== 'message') {
    return { ...found, message: `${text} names nothing: a Queue has no parameters, steps, items or runs`, hint: `references to the message are for ${where}; where the text itself must reach the container write $${text}` };
  }
  if (where === 'perMessage.parameters') return { ...found, message: `${text} is not replaced here: references to the message stand in ${where}`, hint: `write perMessage: {parameters: {NAME: ${text}}}` };
  return { ...found, message: `${text} is not replaced here: references to the message stand in perMessage.env`, hint: `write perMessage: {env: {NAME: ${text}}}, and use the environment variable: $(NAME) in command, args and env` };
}
