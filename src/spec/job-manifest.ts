/** A batch/v1 Job in a data key, used as it stands but for its name, namespace and owner. */
import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import { shown } from '../lib/show.ts';
import { readDocument } from './document.ts';
import { pathText, type FieldPath } from './field-path.ts';
import { jobFindings } from './job-rules.ts';
import { jobNotes, refusedStepFields, type FieldNotes } from './job-refusals.ts';
import { stepDefinitions } from './job-schema.ts';
import { referencesUnder } from './references.ts';
import type { Finding } from './report.ts';
import { schemaFindings } from './schema-findings.ts';
import { credentialFindings } from './text-rules.ts';
import { validator } from './validate.ts';

/** A manifest that was read. */
export interface Manifest {
  /** At the field that names the file; where in the file is told as well. */
  readonly findings: readonly Finding[];
  /** As a JobTemplateSpec, without name and namespace; only where no finding is an error. */
  readonly template: JsonObject | undefined;
}

const owner = 'remove it: job-chief names its Jobs, and the record of the run owns them';
const metadata: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(['name', 'generateName', 'namespace', 'labels', 'annotations'].map((field) => [field, objectAt(objectAt(stepDefinitions['V1ObjectMeta'], 'properties'), field)])),
};

const errorsOf = validator({
  type: 'object',
  additionalProperties: false,
  required: ['spec'],
  properties: { apiVersion: {}, kind: {}, metadata, spec: { $ref: '#/$defs/V1JobSpec' } },
  $defs: { ...stepDefinitions, V1PodSpec: { ...stepDefinitions['V1PodSpec'], required: ['containers', 'restartPolicy'] } },
});

const inTemplate = jobNotes({ inJob: (path) => ['jobTemplate', ...path], refusedInJob: refusedStepFields, unsupported: () => undefined });
const notes: FieldNotes = {
  ...inTemplate,
  explain: (path) => {
    if (path.length === 1 && path[0] === 'status') return { code: 'RefusedField', message: '"status" must not be set here', hint: 'remove it: this is what the cluster said about another Job' };
    if (path.length === 2 && path[0] === 'metadata') return { code: 'RefusedField', message: `"${String(path[1])}" must not be set here`, hint: owner };
    return inTemplate.explain(path);
  },
};

/** Reads the data key `key`, which the field at `path` of the spec names. */
export function readManifest(key: string, text: string, path: FieldPath): Manifest {
  const document = readDocument(text);
  const tell = (finding: Finding): Finding => {
    const place = document.place(finding);
    const field = finding.path && finding.path.length > 0 ? `${pathText(finding.path)}: ` : '';
    return { code: finding.code, message: `${key}:${place.line}:${place.column}: ${field}${finding.message}`, path, hint: finding.hint, inside: { key, ...place } };
  };
  if (document.value === undefined) return { findings: document.findings.map(tell), template: undefined };
  const job = withoutEmptyParts(document.value);
  const found = [...document.findings, ...notAJob(job)];
  const findings = (found.some(({ code }) => code === 'NotAJob') || !isObject(job) ? found : [...found, ...manifestFindings(job)]).map(tell);
  return { findings, template: isObject(job) ? templateOf(job) : undefined };
}

/** `kubectl create --dry-run` writes these, and means nothing by them. */
function withoutEmptyParts(value: Json): Json {
  if (!isObject(value)) return value;
  const { status, ...rest } = value;
  const kept = isObject(status) && Object.keys(status).length === 0 ? rest : value;
  const pod = objectAt(objectAt(kept, 'spec'), 'template');
  if (!isUndated(kept) && !isUndated(pod)) return kept;
  const dated = isUndated(pod) ? { ...kept, spec: { ...objectAt(kept, 'spec'), template: withoutDate(pod) } } : kept;
  return isUndated(dated) ? withoutDate(dated) : dated;
}

function isUndated(value: JsonObject): boolean {
  return objectAt(value, 'metadata')['creationTimestamp'] === null;
}

function withoutDate(value: JsonObject): JsonObject {
  const { creationTimestamp: _none, ...rest } = objectAt(value, 'metadata');
  return { ...value, metadata: rest };
}

function notAJob(value: Json): Finding[] {
  if (!isObject(value)) return [{ code: 'NotAJob', message: 'this is no manifest of a Job', path: [], hint: 'begin with apiVersion: batch/v1 and kind: Job' }];
  const [apiVersion, kind] = [stringAt(value, 'apiVersion'), stringAt(value, 'kind')];
  if (kind === 'Job' && apiVersion === 'batch/v1') return [];
  const field = kind === 'Job' ? 'apiVersion' : 'kind';
  const given = value[field];
  const message = given === undefined ? `a manifest of a Job has a field "${field}"` : `this is no manifest of a batch/v1 Job: its ${field} is ${shown(given)}`;
  return [{ code: 'NotAJob', message, path: [field], hint: kind === 'Job' ? 'set apiVersion: batch/v1' : 'only Jobs can be steps: begin with apiVersion: batch/v1 and kind: Job' }];
}

function manifestFindings(job: JsonObject): Finding[] {
  const holder = { jobTemplate: job };
  const inner = (findings: readonly Finding[]): Finding[] => findings.map((finding) => ({ ...finding, path: (finding.path ?? []).slice(1) }));
  return [...schemaFindings(errorsOf(job), job, notes), ...inner(jobFindings(holder, { verbatim: true })), ...inner(credentialFindings(holder)), ...referenceWarnings(job)];
}

function referenceWarnings(job: JsonObject): Finding[] {
  return referencesUnder(job, ['spec']).map(({ path, reference }) => ({
    code: 'UnreplacedReference',
    message: `${reference.text} is not replaced in a file, and reaches the container as it stands`,
    path,
    within: reference.offset,
    hint: 'write the Job as job or jobTemplate of the step, or write $$(…) where the text is meant',
  }));
}

/** Names are job-chief's, whatever the file says. */
function templateOf(job: JsonObject): JsonObject {
  const { labels, annotations } = objectAt(job, 'metadata');
  return { metadata: { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) }, spec: job['spec'] };
}
