/**
 * `$(message.…)` in `perMessage.env`: where such a reference may lead, and what a text becomes with a message.
 *
 * The plan calls `renderMessageText(template, values)` for each value of `perMessage.env`. The texts reach containers
 * through a Secret, which nobody expands again: nothing is doubled in what is inserted, and `$$(` is read as `$(` here,
 * as Kubernetes reads it in the env of a container.
 */
import { isNestedDeeper, isObject, type Json } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { textOf } from './convert.ts';
import { referencesIn, type Reference } from './references.ts';

/** What a message has for texts. */
export interface MessageValues {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  /** Of the body, in hex. */
  readonly sha256: string;
  readonly headers: Readonly<Record<string, Json>>;
  /** The body read as JSON; undefined where it is none. Called only by texts that name a part of it. */
  readonly body: () => Json | undefined;
}

/** `problem`: why there is no text, a sentence that names the reference and repeats nothing of the message. */
export type MessageText = { readonly text: string } | { readonly problem: string };

/** Levels of lists and mappings; as text they would cost stack for each. */
export const deepestValue = 256;

/** The parts of a message, and how each is named. */
const parts = { id: '$(message.id)', attempt: '$(message.attempt)', sha256: '$(message.sha256)', headers: '$(message.headers.NAME)', body: '$(message.body.PATH)' } as const;
type Part = keyof typeof parts;
const partNames = Object.keys(parts) as readonly Part[];

/** The text with the message's values: texts as they are, mappings and lists as JSON. The first problem ends it. */
export function renderMessageText(template: string, message: MessageValues): MessageText {
  let text = '';
  let at = 0;
  for (const reference of referencesIn(template).filter(({ root }) => root === 'message')) {
    const value = messageValue(reference, message);
    if ('problem' in value) return value;
    text += literal(template.slice(at, reference.offset)) + textOf(value.value);
    at = reference.offset + reference.text.length;
  }
  return { text: text + literal(template.slice(at)) };
}

/** What is wrong with a reference to a message whatever the message is; undefined: it can lead somewhere. */
export function messageReferenceProblem(reference: Reference): { readonly message: string; readonly hint: string } | undefined {
  const { text, path, malformed } = reference;
  const all = `references to a message are ${Object.values(parts).join(', ')}`;
  if (malformed) return { message: `${text} cannot be read: message is followed by names such as .body.order, ["the order"] or [0]`, hint: all };
  const [name, ...rest] = path;
  if (name === undefined) return { message: `${text} names no part of the message`, hint: all };
  const part = partNames.find((known) => known === name);
  if (part === undefined) return { message: `a message has no "${name}"`, hint: guessOf(name) ?? all };
  if (part === 'headers' && rest.length === 0) return { message: `${text} names no header`, hint: `write ${parts.headers}` };
  if (part !== 'body' && part !== 'headers' && rest.length > 0) return { message: `${text} names a field of a value that has none`, hint: `write ${parts[part]}` };
  return undefined;
}

function guessOf(name: string): string | undefined {
  const guess = nearest(name, partNames);
  return guess === undefined ? undefined : `did you mean "${guess}"?`;
}

/** `problem`: why there is no value, a sentence that repeats nothing of the message. */
export type Found = { readonly value: Json } | { readonly problem: string };

/** What a reference to the message gives. */
export function messageValue(reference: Reference, message: MessageValues): Found {
  const found = valueOf(reference, message);
  return 'value' in found && isNestedDeeper(found.value, deepestValue) ? { problem: `${reference.text} is nested deeper than ${deepestValue} levels` } : found;
}

function valueOf(reference: Reference, message: MessageValues): Found {
  const problem = messageReferenceProblem(reference);
  if (problem) return { problem: problem.message };
  const [part, ...path] = reference.path;
  switch (part) {
    case 'id':
    case 'attempt':
    case 'sha256':
      return { value: message[part] };
    case 'headers':
      return headerOf(path, reference, message);
    default:
      return bodyOf(path, reference, message);
  }
}

function headerOf([name = '', ...path]: readonly string[], { text }: Reference, { headers }: MessageValues): Found {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return value === undefined ? { problem: `${text} leads nowhere: the message has no header "${name}"` } : inside(value, path, { text, what: `the header "${name}"` });
}

function bodyOf(path: readonly string[], { text }: Reference, { body }: MessageValues): Found {
  const value = body();
  return value === undefined ? { problem: `${text} leads nowhere: the body of the message is no JSON` } : inside(value, path, { text, what: 'the body' });
}

/** Only what the value itself has: no `length` of lists or texts, and nothing inherited. */
function inside(value: Json, path: readonly string[], { text, what }: { readonly text: string; readonly what: string }): Found {
  let at: Json = value;
  for (const [index, name] of path.entries()) {
    const next = memberOf(at, name);
    if (next === undefined) return { problem: `${text} leads nowhere: ${index === 0 ? what : `"${path.slice(0, index).join('.')}" of ${what}`} has no "${name}"` };
    at = next;
  }
  return { value: at };
}

function memberOf(value: Json, name: string): Json | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(name) ? value[Number(name)] : undefined;
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function literal(text: string): string {
  return text.replaceAll('$$(', () => '$(');
}
