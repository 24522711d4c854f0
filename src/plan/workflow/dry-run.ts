/** All Jobs that a workflow may create, for the API server's dry run: with samples for what only a run knows. */
import { parseDuration } from '../../lib/duration.ts';
import { canonicalJson } from '../../lib/digest.ts';
import { arrayAt, isObject, objectAt, type Json, type JsonObject } from '../../lib/json.ts';
import { substitute, type Destination } from '../../spec/substitute.ts';
import type { ForEachSpec, StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import type { VerdictDemand } from '../action.ts';
import type { PlanEnvironment } from '../environment.ts';
import { dryRunOf } from '../manifest.ts';
import type { SpecKey } from '../observed.ts';
import type { Each } from '../run/items.ts';
import { stepJob, type StepJob, type StepJobInput } from '../run/step-job.ts';
import { sampleLookup, sampleTexts } from './sample.ts';

type Manifests = VerdictDemand['manifests'];
interface Template extends Pick<StepJobInput, 'step' | 'role' | 'index' | 'each' | 'template'> {
  readonly what: string;
  /** Used as it stands: no references are replaced. */
  readonly verbatim: boolean;
}

/** Most requests that one revision of a spec costs. Of what is left out each step tells itself what is wrong with it, as its Job is refused. */
const mostJobs = 200;

/** One manifest for all steps whose Jobs differ in nothing that is checked. `target`: the key of the spec. */
export function dryRunJobs(spec: WorkflowSpec, target: SpecKey, environment: PlanEnvironment): Manifests {
  const distinct = new Map<string, Template>();
  for (const template of [...spec.steps, ...spec.finally].flatMap((step) => templatesOf(step, spec.kind))) {
    const key = sameness(template);
    if (!distinct.has(key)) distinct.set(key, template);
  }
  return [...distinct.values()].slice(0, mostJobs).flatMap((template) => manifestOf(template, { spec, target, environment }));
}

function templatesOf(step: StepSpec, kind: WorkflowSpec['kind']): Template[] {
  const { name, work, undo, forEach } = step;
  const common = { step, index: undefined, each: undefined, role: 'do', verbatim: false } as const;
  // A template is one Job: nobody wrote a step.
  const place = kind === 'Template' ? [] : [`step "${name}"`];
  const own = (): Template[] => {
    if (work.kind === 'job') return [{ ...common, ...shapeOf(forEach), what: place.join(''), template: work.template }];
    if (work.kind !== 'manifests') return [];
    return work.manifests.map(({ file, template }, index) => ({ ...common, what: [...place, `file "${file}"`].join(', '), template, index: work.several ? index : undefined, verbatim: true }));
  };
  return [...own(), ...(undo ? [{ ...common, what: `undo of step "${name}"`, template: undo.template, role: 'undo', verbatim: undo.verbatim === true } as const] : [])];
}

/** One Indexed Job, or one Job for each item, of which the first is checked. */
function shapeOf(forEach: ForEachSpec | undefined): Pick<Template, 'each' | 'index'> {
  if (!forEach) return { each: undefined, index: undefined };
  return { each: itemsOf(forEach), index: forEach.shape === 'jobs' ? 0 : undefined };
}

/** As far as they are written out. */
function itemsOf({ source }: ForEachSpec): Each {
  switch (source.kind) {
    case 'items':
      return { count: Math.max(1, source.items.length), values: source.items.length === 0 ? [''] : source.items };
    case 'from':
      return { count: 1, values: [''] };
    case 'count':
      return { count: typeof source.count === 'number' ? Math.max(1, source.count) : 1 };
  }
}

/** Names, labels and env of the step differ, but a policy that likes one name and not another is not what a dry run is for. */
function sameness({ step, role, index, each, template }: Template): string {
  const { files, timeout, retry } = step;
  return canonicalJson([outline(template), role === 'undo' ? step.undo?.timeout : [files, timeout ?? null, retry.onOOM ?? null], index === undefined && each ? [each.count] : null, index !== undefined && each ? [each.values?.[0] ?? 0] : null]);
}

/** Without the texts that only the container itself looks at. */
function outline(template: JsonObject): Json {
  const job = objectAt(template, 'spec');
  const podTemplate = objectAt(job, 'template');
  const pod = objectAt(podTemplate, 'spec');
  const outlined = Object.fromEntries(['containers', 'initContainers'].map((key) => [key, arrayAt(pod, key).map(outlineOf)]));
  return { ...template, spec: { ...job, template: { ...podTemplate, spec: { ...pod, ...outlined } } } };
}

function outlineOf(container: Json): Json {
  if (!isObject(container)) return container;
  const { args: _args, command: _command, env: _env, ...rest } = container;
  return { ...rest, env: arrayAt(container, 'env').map((entry) => (isObject(entry) && typeof entry['value'] === 'string' ? { ...entry, value: '' } : entry)) };
}

interface Context {
  readonly spec: WorkflowSpec;
  readonly target: SpecKey;
  readonly environment: PlanEnvironment;
}

/**
 * A template for which no sample fits is left out: what is wrong with it can only be told with real values, and is, by
 * the step that gets them.
 */
function manifestOf(template: Template, { spec, target, environment }: Context): Manifests {
  const { step, role, index, each, what } = template;
  const replaced = template.verbatim ? template.template : sampled(template.template, 'job', { spec, template });
  if (!isObject(replaced)) return [];
  const record = { name: 'job-chief-check', uid: 'job-chief-check', target };
  const timeout = timeoutOf(template, spec);
  const made = (from: JsonObject): StepJob => stepJob({ record, spec, step, role, template: from, index, attempt: 1, each, memory: undefined, timeout, environment });
  const { manifest, ours } = made(replaced);
  if (template.verbatim) return [{ what, manifest: dryRunOf(manifest), ...(ours && { ours }) }];
  const open = made(template.template);
  return [{ what, manifest: dryRunOf(manifest), open: dryRunOf(open.manifest), ...(open.ours && { ours: open.ours }) }];
}

function sampled(tree: Json, destination: Destination, { spec, template: { each, index } }: { spec: WorkflowSpec; template: Template }): Json | undefined {
  const item = each && index !== undefined ? (each.values?.[index] ?? index) : undefined;
  for (const text of sampleTexts) {
    const lookup = sampleLookup(spec, item, text);
    const result = substitute(tree, destination, lookup);
    if (result.kind === 'value') return result.value;
  }
  return undefined;
}

function timeoutOf(template: Template, spec: WorkflowSpec): number | undefined {
  const { step, role } = template;
  const timeout = role === 'undo' ? step.undo?.timeout : step.timeout;
  if (typeof timeout !== 'string') return timeout;
  const text = sampled(timeout, 'text', { spec, template });
  return typeof text === 'string' ? parseDuration(text) : undefined;
}

