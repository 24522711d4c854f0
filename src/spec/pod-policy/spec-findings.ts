/** The policy's word on a spec's text, for lint: at the field that the user wrote. What depends on references is left out. */
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { ExtraMetadata } from '../common.ts';
import { readDocument } from '../document.ts';
import { pathText, type FieldPath } from '../field-path.ts';
import { podFieldNames } from '../job-schema.ts';
import { isRunnable, type Spec, type SpecInput } from '../parsed.ts';
import type { Finding } from '../report.ts';
import type { StepSpec } from '../workflow.ts';
import { policyFindings } from './check.ts';
import type { PolicyFinding } from './finding.ts';
import type { PodPolicy } from './policy.ts';

/** A Job of the spec, and the field that it comes from. */
interface PlacedJob {
  /** JobTemplateSpec with all defaults. */
  readonly template: JsonObject;
  /** Of the mapping that has `job`, `jobTemplate`, `jobFile` or `jobFiles`. */
  readonly holder: FieldPath;
  /** Data key of the manifest. */
  readonly file?: string;
  readonly open: boolean;
}

interface SpecText {
  readonly value: JsonObject;
  readonly input: SpecInput;
}

/** What the policy has against the Jobs of a spec that is valid otherwise. */
export function specPolicyFindings(spec: Spec, text: SpecText, policy: PodPolicy): Finding[] {
  if (spec.kind === 'Queue' && spec.mode !== 'drain' && spec.run) return [];
  if (spec.kind === 'Queue') return jobFindings({ template: spec.jobTemplate, holder: [], open: false }, spec, { text, policy });
  if (!isRunnable(spec)) return [];
  return [...spec.steps, ...spec.finally].flatMap((step) => jobsOf(step, stepPath(text.value, step.name)).flatMap((job) => jobFindings(job, spec, { text, policy })));
}

function jobsOf({ work, undo }: StepSpec, holder: FieldPath): PlacedJob[] {
  const own: PlacedJob[] =
    work.kind === 'job' ? [{ template: work.template, holder, open: true }] : work.kind === 'manifests' ? work.manifests.map((manifest) => ({ ...manifest, holder, open: false })) : [];
  return [...own, ...(undo ? [{ template: undo.template, holder: [...holder, 'undo'], open: undo.verbatim !== true }] : [])];
}

/** Of a Template, whose one step is the text as a whole, the root. */
function stepPath(value: JsonObject, name: string): FieldPath {
  const lists: FieldPath[] = [['steps'], ['finally'], ...arrayAt(value, 'phases').map((_, index): FieldPath => ['phases', index, 'steps'])];
  for (const path of lists) {
    const list = path[0] === 'phases' ? arrayAt(arrayAt(value, 'phases')[Number(path[1])], 'steps') : arrayAt(value, String(path[0]));
    const index = list.findIndex((step) => stringAt(step, 'name') === name);
    if (index >= 0) return [...path, index];
  }
  return [];
}

interface Judged {
  readonly text: SpecText;
  readonly policy: PodPolicy;
}

function jobFindings(job: PlacedJob, extra: { readonly jobMetadata: ExtraMetadata; readonly podMetadata: ExtraMetadata }, { text, policy }: Judged): Finding[] {
  const { open } = job;
  return policyFindings(withMetadata(job.template, extra), policy, { open }).map((finding) => placed(finding, job, text));
}

/** As job-chief will put it on the Job and its pods. */
function withMetadata(template: JsonObject, { jobMetadata, podMetadata }: { readonly jobMetadata: ExtraMetadata; readonly podMetadata: ExtraMetadata }): JsonObject {
  const job = objectAt(template, 'spec');
  const podTemplate = objectAt(job, 'template');
  const merged = (metadata: JsonObject, more: ExtraMetadata): JsonObject => ({ ...metadata, annotations: { ...objectAt(metadata, 'annotations'), ...more.annotations } });
  return {
    ...template,
    metadata: merged(objectAt(template, 'metadata'), jobMetadata),
    spec: { ...job, template: { ...podTemplate, metadata: merged(objectAt(podTemplate, 'metadata'), podMetadata) } },
  };
}

function placed({ path, message, hint }: PolicyFinding, { holder, file }: PlacedJob, { value, input }: SpecText): Finding {
  const at = holder.reduce<JsonObject>((inner, name) => stepInto(inner, name), value);
  if (file !== undefined || at['jobFile'] !== undefined) {
    const key = file ?? stringAt(at, 'jobFile') ?? '';
    const place = readDocument(input.data[key] ?? '').place({ code: 'PolicyDenied', message, path });
    const field = at['jobFiles'] === undefined ? 'jobFile' : 'jobFiles';
    return { code: 'PolicyDenied', message: `${key}:${place.line}:${place.column}: ${pathText(path)}: ${message}`, path: [...holder, field], hint, inside: { key, ...place } };
  }
  return { code: 'PolicyDenied', message, path: fieldPath(path, holder, { at, value }), hint };
}

function stepInto(inner: JsonObject, name: string | number): JsonObject {
  const next = typeof name === 'number' ? inner[String(name)] : inner[name];
  return isObject(next) ? next : Array.isArray(next) ? Object.fromEntries(next.entries()) : {};
}

/** Where a field of the Job stands in the text, or would stand. */
function fieldPath(path: FieldPath, holder: FieldPath, { at, value }: { readonly at: JsonObject; readonly value: JsonObject }): FieldPath {
  const [first, second, third, ...inPod] = path;
  if (path.includes('annotations')) {
    const [name, rest]: [string, FieldPath] = first === 'metadata' ? ['jobMetadata', path.slice(1)] : ['podMetadata', path.slice(3)];
    if (stringAt(objectAt(objectAt(value, name), 'annotations'), String(rest.at(-1))) !== undefined) return [name, ...rest];
  }
  if (at['jobTemplate'] !== undefined) return [...holder, 'jobTemplate', ...path];
  const recipe = [...holder, 'job'];
  if (second !== 'template') return [...recipe, ...path.slice(1)];
  if (third !== 'spec') return recipe;
  const [field = '', ...rest] = inPod;
  if (field === 'containers') return [...recipe, ...rest.slice(1)];
  return [...recipe, recipeNames.get(String(field)) ?? field, ...rest];
}
const recipeNames: ReadonlyMap<string, string> = new Map(Object.entries(podFieldNames).map(([name, original]) => [original, name]));
