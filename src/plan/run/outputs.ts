/**
 * What a step's containers wrote to `$JOB_CHIEF_OUTPUT`, as the values that its spec declares. It travels as termination
 * message: a JSON object, or lines of `name=value`. Names that the spec does not declare are ignored, for images leave
 * notes of their own there; names that it declares must be right.
 */
import type { Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { convert } from '../../spec/convert.ts';
import type { OutputSpec, ValueType } from '../../spec/workflow.ts';
import { idOf } from '../../spec/workflow-steps.ts';
import type { StepPodFacts } from '../observed.ts';
import { parseOutputs } from './output-text.ts';

export type OutputSpecs = Readonly<Record<string, OutputSpec>>;

export type OutputReading = { readonly kind: 'read'; readonly outputs: Readonly<Record<string, Json>> } | OutputProblem;
export interface OutputProblem {
  readonly kind: 'problem';
  readonly reason: 'OutputTooLong' | 'OutputUnreadable' | 'OutputMissing';
  readonly message: string;
  /** Items that it concerns; absent for a Job that stands for itself. */
  readonly items?: readonly number[];
}

/** The kubelet keeps so many bytes of each message, and so many of all messages of a pod, shared out evenly. */
const mostOfContainer = 4096;
const mostOfPod = 12 * 1024;

/** Of the pods that made the step succeed: one, but for Jobs with several completions, whose pods must not repeat each other. */
export function readOutputs(specs: OutputSpecs, pods: readonly StepPodFacts[]): OutputReading {
  const written = writtenBy(specs, pods);
  if (!(written instanceof Map)) return written;
  const outputs: [string, Json][] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const value = written.get(name) ?? spec.default;
    if (value === undefined) return { kind: 'problem', reason: 'OutputMissing', message: `output "${name}" was not written; ${wroteInAll(pods)}` };
    outputs.push([name, value]);
  }
  return { kind: 'read', outputs: Object.fromEntries(outputs) };
}

/**
 * Of an Indexed Job: each output as a list in the order of the items, with the default, else null, where an item wrote
 * none. `pods` by index; those of items that failed are absent.
 */
export function readItemOutputs(specs: OutputSpecs, pods: ReadonlyMap<number, StepPodFacts>, count: number): OutputReading {
  const written = new Map<number, ReadonlyMap<string, Json>>();
  const problems: [number, OutputProblem][] = [];
  for (const [index, pod] of pods) {
    const found = writtenBy(specs, [pod]);
    if (found instanceof Map) written.set(index, found);
    else problems.push([index, found]);
  }
  if (problems.length > 0) return problemOfItems(problems);
  const lists = Object.entries(specs).map(([name, spec]): [string, Json] => [name, Array.from({ length: count }, (_, index) => written.get(index)?.get(name) ?? spec.default ?? null)]);
  return { kind: 'read', outputs: Object.fromEntries(lists) };
}

function problemOfItems(problems: readonly (readonly [number, OutputProblem])[]): OutputProblem {
  const sorted = [...problems].sort(([left], [right]) => left - right);
  const first = sorted.slice(0, 1).map(([index, { message }]) => `item ${index}: ${message}`).join('');
  const more = sorted.length > 1 ? `; the same goes for ${sorted.length - 1} more` : '';
  return { kind: 'problem', reason: sorted[0]?.[1].reason ?? 'OutputUnreadable', message: `${first}${more}`, items: sorted.map(([index]) => index) };
}

/** What the declared outputs were given, by their names as they are declared. */
function writtenBy(specs: OutputSpecs, pods: readonly StepPodFacts[]): Map<string, Json> | OutputProblem {
  const declared = new Map(Object.keys(specs).map((name) => [idOf(name), name]));
  const written = new Map<string, Json>();
  if (declared.size === 0) return written;
  for (const pod of pods) {
    for (const message of pod.messages) {
      const problem = readMessage(message, { specs, declared, limit: Math.min(mostOfContainer, Math.floor(mostOfPod / Math.max(pod.containers, 1))) }, written);
      if (problem) return problem;
    }
  }
  return written;
}

interface Reading {
  readonly specs: OutputSpecs;
  /** Declared names by how expressions spell them: containers may use either spelling. */
  readonly declared: ReadonlyMap<string, string>;
  readonly limit: number;
}

/** Adds to `written`. */
function readMessage({ container, text }: StepPodFacts['messages'][number], { specs, declared, limit }: Reading, written: Map<string, Json>): OutputProblem | undefined {
  const size = Buffer.byteLength(text);
  // What is longer was cut without a word, and what is exactly as long looks no different.
  if (size >= limit) {
    return { kind: 'problem', reason: 'OutputTooLong', message: `container "${container}" wrote ${limit} bytes of outputs or more, and Kubernetes keeps no more than ${limit}: ${[...declared.values()].map((name) => `"${name}"`).join(', ')} may be cut` };
  }
  const unreadable = (message: string): OutputProblem => ({ kind: 'problem', reason: 'OutputUnreadable', message });
  const parsed = parseOutputs(text);
  if ('problem' in parsed) return unreadable(`container "${container}" wrote ${size} bytes that are not outputs: ${parsed.problem}`);
  for (const [given, raw] of parsed.entries) {
    const name = declared.get(idOf(given));
    const type = name === undefined ? undefined : specs[name]?.type;
    if (name === undefined || type === undefined) continue;
    if (written.has(name)) return unreadable(`output "${name}" was written twice, the second time by container "${container}"`);
    const value = converted(raw, type);
    if (value === undefined) return unreadable(`output "${name}" of container "${container}" (${size} bytes): ${shown(raw)} is not of type ${type}`);
    written.set(name, value);
  }
  return undefined;
}

function wroteInAll(pods: readonly StepPodFacts[]): string {
  const messages = pods.flatMap((pod) => pod.messages);
  if (messages.length === 0) return 'no container wrote outputs';
  return messages.map(({ container, text }) => `container "${container}" wrote ${Buffer.byteLength(text)} bytes`).join(', ');
}

/** Texts may stand for values of other types, as everywhere; but nothing else becomes a text: `1.10` would come out as 1.1. */
function converted(value: Json, type: ValueType): Json | undefined {
  if (type === 'string') return typeof value === 'string' ? value : undefined;
  const result = convert(value, type);
  // JSON reads 1e999 as infinite, and could not write it again.
  return result.kind === 'value' && result.value !== Infinity && result.value !== -Infinity ? result.value : undefined;
}
