/** References in the text of a Workflow or Template: which places have them, what is wrong with them, and which steps they lead to. */
import type { JsonObject } from '../lib/json.ts';
import { lazy } from '../lib/lazy.ts';
import { pointerPath, type FieldPath } from './field-path.ts';
import { referencesIn, referencesUnder } from './references.ts';
import { resolve, type Declarations, type ReferenceScope } from './reference-scope.ts';
import type { Finding } from './report.ts';
import type { SchemaError } from './validate.ts';
import type { ValueType } from './value-type.ts';
import type { StepText } from './workflow-steps.ts';

/** A part of the spec whose texts may hold references. */
export interface Place {
  readonly path: FieldPath;
  readonly scope: ReferenceScope;
  /** Its references are edges of the graph. */
  readonly edges: boolean;
}

/** A step that is named by a reference in another one. */
export interface Mention {
  readonly from: StepText;
  readonly to: StepText;
  readonly path: FieldPath;
}

/** What there is to say about the references of a spec. */
export interface SpecReferences {
  readonly findings: readonly Finding[];
  readonly mentions: readonly Mention[];
  /** The errors of the schema, without those that are about values nobody knows yet. */
  withoutOpen(errors: readonly SchemaError[]): { readonly errors: readonly SchemaError[]; readonly findings: readonly Finding[] };
}

/** Reads all of a Workflow. */
export function specReferences(declared: Declarations): SpecReferences {
  const references = referencesAt(declared, placesOf(declared));
  return { ...references, findings: [...references.findings, ...unreplaced(declared)] };
}

/** Reads those of some places. */
export function referencesAt(declared: Declarations, places: readonly Place[]): SpecReferences {
  const findings: Finding[] = [];
  const mentions: Mention[] = [];
  for (const { path: base, scope, edges } of places) {
    for (const { path, reference } of referencesUnder(declared.spec, base)) {
      const resolved = resolve(reference, scope, declared);
      if (resolved.kind === 'nothing') findings.push({ code: 'UnknownReference', message: resolved.message, path, hint: resolved.hint, within: reference.offset });
      else if (edges && resolved.step && scope.step) mentions.push({ from: scope.step, to: resolved.step, path });
    }
  }
  // What forEach may hold is the schema's to say.
  const scopes = lazy(() => new Map(places.filter(({ path }) => path.at(-1) !== 'forEach').map(({ path, scope }) => [JSON.stringify(path), scope])));
  return {
    findings,
    mentions,
    withoutOpen: (errors) => withoutOpen(errors, { declared, scopes }),
  };
}

function placesOf({ spec, steps }: Declarations): Place[] {
  const whole: Place[] = [
    { path: ['jobDefaults'], scope: { step: undefined, item: 'other', steps: 'never' }, edges: false },
    { path: ['outputs'], scope: { step: undefined, item: 'other', steps: 'after' }, edges: false },
  ];
  return [...whole.filter(({ path: [field = ''] }) => Object.hasOwn(spec, field)), ...steps.all.flatMap(placesOfStep)];
}

function placesOfStep(step: StepText): Place[] {
  const item = Object.hasOwn(step.value, 'forEach') ? 'each' : 'none';
  const scope: ReferenceScope = { step, item, steps: step.late ? 'after' : 'before' };
  const at = (...fields: readonly string[]): FieldPath => [...step.path, ...fields];
  return [
    ...[at('job'), at('jobTemplate'), at('timeout'), at('template', 'parameters'), at('workflow', 'parameters')].map((path) => ({ path, scope, edges: true })),
    { path: at('forEach'), scope: { ...scope, item: 'other' }, edges: true },
    ...[at('undo', 'job'), at('undo', 'jobTemplate')].map((path) => ({ path, scope: { step, item: 'other' as const, steps: 'after' as const }, edges: false })),
  ];
}

function unreplaced({ spec, steps }: Declarations): Finding[] {
  const paths = steps.all.flatMap(({ path }) => [['approve', 'message'], ['undo', 'timeout'], ['startTimeout'], ['template', 'name'], ['workflow', 'name'], ['jobFile'], ['retry']].map((fields) => [...path, ...fields]));
  return unreplacedFindings(spec, paths, 'references are replaced in job, jobTemplate, timeout, forEach and the parameters of template and workflow of a step, and in outputs of the workflow');
}

/** Texts that look as if they were meant to be replaced, where nothing is. `hint`: where something is. */
export function unreplacedFindings(spec: JsonObject, paths: readonly FieldPath[], hint: string): Finding[] {
  return paths.flatMap((base) =>
    referencesUnder(spec, base).map(({ path, reference }): Finding => ({ code: 'UnreplacedReference', message: `${reference.text} is not replaced here`, path, within: reference.offset, hint })),
  );
}

interface Known {
  readonly declared: Declarations;
  readonly scopes: () => ReadonlyMap<string, ReferenceScope>;
}

function withoutOpen(errors: readonly SchemaError[], known: Known): ReturnType<SpecReferences['withoutOpen']> {
  const findings: Finding[] = [];
  const kept = errors.filter((error) => {
    const { data } = error as { data?: unknown };
    if (typeof data !== 'string') return true;
    const path = pointerPath(error.instancePath, known.declared.spec);
    const references = referencesIn(data);
    const scope = references.length === 0 ? undefined : scopeAt(path, known.scopes());
    if (!scope) return true;
    if (error.keyword === 'type') findings.push(...typeFindings(error, { path, data, scope }, known.declared));
    return false;
  });
  return { errors: kept, findings };
}

/** What a job is built on: defaults are filled in, and fields refused, before any value is known. */
const spine = ['spec', 'template', 'spec'].join('/');

/** A job as a whole cannot be a reference, nor its spec and that of its pods: their parts can. */
function scopeAt(path: FieldPath, scopes: ReadonlyMap<string, ReferenceScope>): ReferenceScope | undefined {
  for (let length = path.length; length > 0; length--) {
    const scope = scopes.get(JSON.stringify(path.slice(0, length)));
    if (!scope) continue;
    const rest = path.slice(length);
    const isWhole = rest.length === 0 ? path.at(-1) !== 'timeout' : path[length - 1] === 'jobTemplate' && `${spine}/`.startsWith(`${rest.join('/')}/`);
    return isWhole ? undefined : scope;
  }
  return undefined;
}

interface Destination {
  readonly path: FieldPath;
  readonly data: string;
  readonly scope: ReferenceScope;
}

/** The destination is no text: then the text must be one reference whose type fits. */
function typeFindings(error: SchemaError, { path, data, scope }: Destination, declared: Declarations): Finding[] {
  const wanted = [(error.params as { type?: unknown }).type].flat().map(String);
  const [reference, ...others] = referencesIn(data);
  if (!reference || others.length > 0 || !reference.whole) {
    return [{ code: 'WrongType', message: `must be ${wanted.map(inWords).join(' or ')}, and a text around a reference is always text`, path, hint: 'write the reference alone' }];
  }
  const resolved = resolve(reference, scope, declared);
  if (resolved.kind === 'nothing' || resolved.type === undefined || wanted.some((type) => fits(resolved.type, type))) return [];
  return [{ code: 'WrongType', message: `must be ${wanted.map(inWords).join(' or ')}, and ${reference.text} is declared as ${resolved.type}`, path, hint: `declare it with type: ${wanted[0] ?? 'string'}, or use another value` }];
}

function fits(type: ValueType | undefined, wanted: string): boolean {
  return type === wanted || (type === 'integer' && wanted === 'number');
}

function inWords(type: string): string {
  switch (type) {
    case 'object':
      return 'a mapping';
    case 'array':
      return 'a list';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    default:
      return type === 'string' ? 'text' : `a ${type}`;
  }
}

/** `forEach.from` must lead to a list and `count` to a number; the schema sees only texts. */
export function forEachTypes(declared: Declarations): Finding[] {
  return declared.steps.all.flatMap((step) => {
    const scope: ReferenceScope = { step, item: 'other', steps: step.late ? 'after' : 'before' };
    const fields: readonly (readonly [string, ValueType])[] = [
      ['from', 'array'],
      ['count', 'integer'],
    ];
    return fields.flatMap(([field, wanted]) => sourceFindings(step, { field, wanted, scope }, declared));
  });
}

function sourceFindings(step: StepText, { field, wanted, scope }: { field: string; wanted: ValueType; scope: ReferenceScope }, declared: Declarations): Finding[] {
  const value = (step.value['forEach'] as JsonObject | undefined)?.[field];
  const [reference] = typeof value === 'string' ? referencesIn(value) : [];
  const resolved = reference && resolve(reference, scope, declared);
  if (resolved?.kind !== 'value' || resolved.type === undefined || resolved.type === wanted) return [];
  return [{ code: 'WrongType', message: `must be ${inWords(wanted)}, and ${reference?.text ?? ''} is declared as ${resolved.type}`, path: [...step.path, 'forEach', field], hint: `declare it with type: ${wanted}, or use another value` }];
}
