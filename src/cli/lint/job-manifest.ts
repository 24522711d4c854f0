/** The Jobs that a spec gives, as `lint --defaults` prints them: with every default, before names and labels of a run. */
import { objectAt, type JsonObject } from '../../lib/json.ts';
import type { CommonSpec, ExtraMetadata } from '../../spec/common.ts';
import type { Spec } from '../../spec/parsed.ts';
import type { QueueSpec } from '../../spec/queue.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';

/** One Job and where in its spec it comes from. */
export interface SpecJob {
  /** Of a Workflow: the step. */
  readonly step?: string;
  /** Data key of the manifest. */
  readonly file?: string;
  /** The Job that compensates the step. */
  readonly undo?: true;
  /** For reading, and for a dry run: it has a generateName. */
  readonly job: JsonObject;
}

/** All of them, in the order of the text; none of kinds that start nothing. */
export function jobsOf(spec: Spec): SpecJob[] {
  switch (spec.kind) {
    case 'Queue':
      return spec.mode !== 'drain' && spec.run ? [] : [{ job: queueJob(spec) }];
    case 'Workflow':
    case 'Template':
      return [...spec.steps, ...spec.finally].flatMap((step) => stepJobs(spec, step));
    case 'Run':
    case 'Limits':
      return [];
  }
}

function queueJob(spec: QueueSpec): JsonObject {
  const job = manifest(spec, spec.name, spec.jobTemplate);
  return { ...job, spec: { parallelism: spec.mode === 'drain' ? spec.drain.pods.min : 1, ...objectAt(job, 'spec') } };
}

function stepJobs(spec: WorkflowSpec, step: StepSpec): SpecJob[] {
  const name = `${spec.name}-${step.name}`;
  return [
    ...templatesOf(step).map(({ template, ...file }) => ({ step: step.name, ...file, job: manifest(spec, name, template) })),
    ...(step.undo ? [{ step: step.name, undo: true as const, job: manifest(spec, `${name}-undo`, step.undo.template) }] : []),
  ];
}

function templatesOf({ work }: StepSpec): readonly { readonly file?: string; readonly template: JsonObject }[] {
  switch (work.kind) {
    case 'job':
      return [{ template: work.template }];
    case 'manifests':
      return work.manifests;
    case 'subRun':
    case 'approve':
      return [];
  }
}

function manifest({ jobMetadata, podMetadata }: CommonSpec, name: string, jobTemplate: JsonObject): JsonObject {
  const job = objectAt(jobTemplate, 'spec');
  const template = objectAt(job, 'template');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { generateName: `${nameHead(name)}-`, ...withExtra(objectAt(jobTemplate, 'metadata'), jobMetadata) },
    spec: { ...job, template: { ...template, metadata: withExtra(objectAt(template, 'metadata'), podMetadata) } },
  };
}

/** Names of steps may have capitals and underscores, names of Jobs may not. */
function nameHead(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.-]/g, '-').slice(0, 40);
}

function withExtra(metadata: JsonObject, extra: ExtraMetadata): JsonObject {
  const merged = { labels: { ...objectAt(metadata, 'labels'), ...extra.labels }, annotations: { ...objectAt(metadata, 'annotations'), ...extra.annotations } };
  return Object.fromEntries(Object.entries(merged).filter(([, values]) => Object.keys(values).length > 0));
}
