/** Files that a Workflow names: data keys, and the Job manifests among them. */
import { objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { anyOf, shown } from '../lib/show.ts';
import { pointerPath, type FieldPath } from './field-path.ts';
import { readManifest, type Manifest } from './job-manifest.ts';
import { specKey } from './keys.ts';
import type { Finding } from './report.ts';
import type { SchemaError } from './validate.ts';
import { pathInStep, type StepTexts } from './workflow-steps.ts';
import { mostSteps } from './workflow.ts';

/** What the steps name. */
export interface NamedFiles {
  readonly findings: readonly Finding[];
  /** Data keys that are there, sorted. */
  readonly keys: readonly string[];
  /** Manifests that could be used, by data key. */
  readonly manifests: ReadonlyMap<string, JsonObject>;
}

/** One place that names data keys. */
interface Mention {
  readonly path: FieldPath;
  readonly keys: readonly string[];
  readonly manifest: boolean;
}

/** Reads them. */
export function namedFiles(steps: StepTexts, data: Readonly<Record<string, string>>): NamedFiles {
  const known = Object.keys(data).filter((key) => key !== specKey).sort();
  const findings: Finding[] = [];
  const mentions = steps.all.flatMap(({ value, path }) => [...mentionsOf(value, path), ...patternMention(value, path, known), ...mentionsOf(objectAt(value, 'undo'), [...path, 'undo'])]);
  const read = new Map<string, Manifest>();
  for (const { path, keys, manifest } of mentions) {
    if (keys.length === 0) findings.push(nothingMatches(path, valueText(steps, path), known));
    for (const key of keys) {
      if (!Object.hasOwn(data, key) || key === specKey) findings.push(unknownFile(key, path, known));
      else if (manifest && !read.has(key)) read.set(key, readManifest(key, data[key] ?? '', path));
    }
  }
  for (const { findings: inside } of read.values()) findings.push(...inside);
  const named = mentions.flatMap(({ keys }) => keys).filter((key) => known.includes(key));
  const manifests = new Map([...read].flatMap(([key, { template }]) => (template ? [[key, template] as const] : [])));
  return { findings: [...findings, ...tooMany(steps, mentions)], keys: [...new Set(named)].sort(), manifests };
}

function mentionsOf(value: JsonObject, path: FieldPath): Mention[] {
  const jobFile = stringAt(value, 'jobFile');
  const files = Object.entries(objectAt(value, 'files')).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return [
    ...(jobFile === undefined ? [] : [{ path: [...path, 'jobFile'], keys: [jobFile], manifest: true }]),
    ...files.map(([target, key]) => ({ path: [...path, 'files', target], keys: [key], manifest: false })),
  ];
}

function patternMention(value: JsonObject, path: FieldPath, known: readonly string[]): Mention[] {
  const pattern = stringAt(value, 'jobFiles');
  return pattern === undefined ? [] : [{ path: [...path, 'jobFiles'], keys: matching(pattern, known), manifest: true }];
}

/**
 * Data keys that a pattern matches, sorted. `*` stands for any characters, `?` for one; where keys are paths neither for a
 * slash, `**` for that too, and the name of a folder for all manifests below it.
 */
export function matching(pattern: string, keys: readonly string[]): string[] {
  const expression = new RegExp(`^${pattern.split(/(\*\*\/|\*+|\?)/).map(partOf).join('')}$`);
  const folder = `${pattern.replace(/\/+$/, '')}/`;
  return keys.filter((key) => key !== specKey && (expression.test(key) || (key.startsWith(folder) && /\.(ya?ml|json)$/i.test(key)))).sort();
}

/** Of a regular expression. */
function partOf(text: string): string {
  if (text === '?') return '[^/]';
  if (text === '*') return '[^/]*';
  if (text === '**/') return '(?:.*/)?';
  return text.startsWith('*') ? '.*' : text.replace(/[^A-Za-z0-9_-]/g, '\\$&');
}

/** What the schema says about the slash in a name of a file. `inStep`: a path of the spec as seen from its step. */
export function isAboutPath({ keyword, instancePath }: SchemaError, spec: JsonObject, inStep = pathInStep): boolean {
  const [first, second, ...rest] = keyword === 'pattern' ? (inStep(pointerPath(instancePath, spec)) ?? []) : [];
  const field = first === 'undo' ? second : first;
  if (field === 'files' && first === 'files') return second !== undefined && rest.length === 0;
  return field === 'jobFile' || field === 'jobFiles';
}

function unknownFile(key: string, path: FieldPath, known: readonly string[]): Finding {
  if (key === specKey) return { code: 'UnknownFile', message: `${shown(key)} is this spec itself`, path, hint: 'name another data key' };
  const guess = nearest(key, known);
  return { code: 'UnknownFile', message: `there is no data key ${shown(key)} beside the spec`, path, hint: guess === undefined ? dataKeysHint(known) : `did you mean "${guess}"?` };
}

function nothingMatches(path: FieldPath, pattern: string, known: readonly string[]): Finding {
  return { code: 'UnknownFile', message: `no data key matches ${shown(pattern)}`, path, hint: dataKeysHint(known) };
}

function dataKeysHint(known: readonly string[]): string {
  if (known.length > 12) return `there are ${known.length} data keys beside the spec`;
  return known.length === 0 ? 'there are no data keys beside the spec; job-chief wrap makes a ConfigMap of a folder' : `the data keys are ${anyOf(known).replace(/ or (?=[^ ]*$)/, ' and ')}`;
}

function valueText({ all }: StepTexts, path: FieldPath): string {
  return stringAt(all.find((step) => step.path.every((part, index) => path[index] === part))?.value, 'jobFiles') ?? '';
}

function tooMany({ all }: StepTexts, mentions: readonly Mention[]): Finding[] {
  const jobs = mentions.reduce((sum, { keys, path }) => sum + (path.at(-1) === 'jobFiles' ? keys.length - 1 : 0), all.length);
  return jobs <= mostSteps || all.length > mostSteps ? [] : [{ code: 'InvalidValue', message: `the steps have ${jobs} Jobs, more than the ${mostSteps} allowed`, path: [], hint: 'split the workflow' }];
}

