/** What a Job is given of its message: read, checked, and held to what Kubernetes can carry. */
import { sha256 } from '../../lib/sha256.ts';
import { lazy } from '../../lib/lazy.ts';
import { parseJson, type Json } from '../../lib/json.ts';
import { renderMessageText, type MessageValues } from '../../spec/message-text.ts';
import type { MessageQueueSpec, PerMessageSpec } from '../../spec/queue.ts';
import type { Message } from './message.ts';
import { schemaProblem } from './schema-check.ts';

/** Bytes of a body that becomes a file: a Secret holds 1 MiB, and names, labels and env want their part. */
export const longestFile = 900 * 1024;
/** Bytes of one environment variable: Linux takes 128 KiB, with the name and what ends it. */
export const longestVariable = 128_000;
/** Bytes of all values of a Secret, as the API server counts them. */
const largestSecret = 1024 * 1024 - 1;
/** Bytes; it is in an annotation and in the env of the Job. */
const longestId = 1024;

/** Data key of the body in the Secret; those of variables have this before their names. */
export const bodyKey = 'message';
export const variablePrefix = 'env.';

export interface Content {
  readonly sha256: string;
  /** Data of the Secret by its keys; empty: the Job asks for nothing. */
  readonly data: ReadonlyMap<string, Uint8Array>;
}

/** `problem`: a sentence that repeats nothing of the message. */
export type ContentReading = { readonly content: Content } | { readonly problem: string };

/** Names of the variables whose values are in the Secret. */
export function variablesOf({ payload, env }: PerMessageSpec): readonly string[] {
  return [...(payload.env === undefined ? [] : [payload.env]), ...Object.keys(env).filter((name) => name !== payload.env)];
}

/** Whether the Job has a Secret at all. */
export function asksForContent(perMessage: PerMessageSpec): boolean {
  return perMessage.payload.file !== undefined || variablesOf(perMessage).length > 0;
}

/** What references to the message give, once it is known to be one that the spec takes. */
export function readMessage({ perMessage }: Pick<MessageQueueSpec, 'perMessage'>, message: Message, attempt: number): { readonly values: MessageValues } | { readonly problem: string } {
  const body = lazy(() => jsonOf(message.body));
  const problem = idProblem(message.id) ?? bodyProblem(perMessage, message, body);
  return problem === undefined ? { values: { id: message.id, attempt, sha256: sha256(message.body), headers: message.headers, body } } : { problem };
}

/** The same message gives the same content, whatever process reads it. */
export function readContent(spec: Pick<MessageQueueSpec, 'perMessage'>, message: Message, attempt: number): ContentReading {
  const { perMessage } = spec;
  const reading = readMessage(spec, message, attempt);
  if ('problem' in reading) return reading;
  const { values } = reading;
  const { file, env } = perMessage.payload;
  const data = new Map<string, Uint8Array>(file === undefined ? [] : [[bodyKey, message.body]]);
  if (env !== undefined) {
    const text = textOf(message.body);
    const wrong = text === undefined ? 'it is not UTF-8' : variableProblem(text);
    if (wrong !== undefined) return { problem: `the body cannot be the environment variable ${env}: ${wrong}` };
    data.set(`${variablePrefix}${env}`, message.body);
  }
  for (const [name, template] of Object.entries(perMessage.env)) {
    const rendered = renderMessageText(template, values);
    if ('problem' in rendered) return { problem: `the environment variable ${name} cannot be made: ${rendered.problem}` };
    const wrong = variableProblem(rendered.text);
    if (wrong !== undefined) return { problem: `the environment variable ${name} cannot be made: ${wrong}` };
    data.set(`${variablePrefix}${name}`, Buffer.from(rendered.text));
  }
  const size = [...data.values()].reduce((sum, { length }) => sum + length, 0);
  if (size > largestSecret) return { problem: `what the Job asks for of the message has ${size} bytes in all, and a Secret holds ${largestSecret}` };
  return { content: { sha256: values.sha256, data } };
}

function idProblem(id: string): string | undefined {
  if (id === '') return 'its id is empty';
  if (id.includes('\0')) return 'its id has a NUL';
  return Buffer.byteLength(id) > longestId ? `its id has more than ${longestId} bytes` : undefined;
}

function bodyProblem({ payload, schema }: PerMessageSpec, message: Message, body: () => Json | undefined): string | undefined {
  const { length } = message.body;
  if (payload.file !== undefined && length > longestFile) return `the body has ${length} bytes, and as a file it may have ${longestFile}`;
  if (schema === undefined) return undefined;
  const value = body();
  return value === undefined ? 'the body is no JSON, and `schema` asks for it' : schemaProblem(schema, value);
}

function variableProblem(text: string): string | undefined {
  const size = Buffer.byteLength(text);
  if (size > longestVariable) return `its value has ${size} bytes, and may have ${longestVariable}`;
  return text.includes('\0') ? 'its value has a NUL' : undefined;
}

function jsonOf(bytes: Uint8Array): Json | undefined {
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  // The reader of texts that anybody may have written says null for what is no JSON.
  return value === null && text.trim() !== 'null' ? undefined : value;
}

/** undefined: it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
