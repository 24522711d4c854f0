/** What the API server refuses with 422, as far as job-chief's own writes and specs can meet it. */
import { arrayAt, isObject, objectAt, stringAt } from '../lib/json.ts';
import { invalid } from './failure.ts';
import { asJob, type Container, type JobObject, type JobSpec } from './job-shape.ts';
import { configMaps, equal, jobs, type KubeObject, pods, type Resource, secrets } from './objects.ts';

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/u;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/u;
const dataKey = /^[-._a-zA-Z0-9]+$/u;
/** Measured limits: 1,048,576 bytes of data, 262,144 of annotations in all. */
const dataLimit = 1_048_576;
const annotationLimit = 262_144;

export function validateNew(resource: Resource, object: KubeObject): void {
  const causes = [...nameProblems(resource, object), ...metadataProblems(object), ...dataProblems(resource, object)];
  if (resource === jobs) causes.push(...jobProblems(asJob(object)));
  refuse(resource, object, causes);
}

export function validateUpdate(resource: Resource, next: KubeObject, old: KubeObject): void {
  const causes = [...metadataProblems(next), ...dataProblems(resource, next), ...identityProblems(next, old)];
  if (resource === jobs) causes.push(...jobChangeProblems(asJob(next), asJob(old)));
  if (resource === configMaps || resource === secrets) causes.push(...immutableDataProblems(next, old));
  refuse(resource, next, causes);
}

function refuse(resource: Resource, object: KubeObject, causes: readonly string[]): void {
  if (causes.length > 0) throw invalid({ resource, name: object.metadata.name }, causes);
}

function nameProblems(resource: Resource, { metadata: { name } }: KubeObject): string[] {
  if (name === '') return ['metadata.name: Required value: name or generateName is required'];
  if (resource === jobs || resource === pods ? !dnsLabel.test(name) && !dnsSubdomain.test(name) : !dnsSubdomain.test(name)) {
    return [`metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`];
  }
  const limit = resource === jobs ? 63 : 253;
  return name.length > limit ? [`metadata.name: Invalid value: "${name}": must be no more than ${limit} characters`] : [];
}

function metadataProblems({ metadata }: KubeObject): string[] {
  const causes: string[] = [];
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (value.length > 63) causes.push(`metadata.labels: Invalid value: "${value}": must be no more than 63 characters`);
    else if (!labelValue.test(value)) causes.push(`metadata.labels: Invalid value: "${value}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.' (key ${key})`);
  }
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) size += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (size > annotationLimit) causes.push(`metadata.annotations: Too long: may not be more than ${annotationLimit} bytes`);
  return causes;
}

/** A merge patch with another object's UID answers 422 while the object exists. */
function identityProblems(next: KubeObject, old: KubeObject): string[] {
  return (['uid', 'name', 'namespace', 'creationTimestamp'] as const)
    .filter((field) => next.metadata[field] !== old.metadata[field])
    .map((field) => `metadata.${field}: Invalid value: "${next.metadata[field]}": field is immutable`);
}

function dataProblems(resource: Resource, object: KubeObject): string[] {
  if (resource !== configMaps && resource !== secrets) return [];
  const causes: string[] = [];
  let size = 0;
  for (const field of ['data', 'binaryData', 'stringData']) {
    for (const [key, value] of Object.entries(objectAt(object, field))) {
      if (!dataKey.test(key)) causes.push(`${field}[${key}]: Invalid value: "${key}": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`);
      if (typeof value === 'string') size += Buffer.byteLength(value, isBase64(resource, field) ? 'base64' : 'utf8');
    }
  }
  const twice = resource === configMaps ? Object.keys(objectAt(object, 'data')).filter((key) => key in objectAt(object, 'binaryData')) : [];
  causes.push(...twice.map((key) => `data[${key}]: Invalid value: "${key}": duplicate of key present in binaryData`));
  if (size > dataLimit) causes.push(`[]: Too long: may not be more than ${dataLimit} bytes`);
  return causes;
}

/** Such values count decoded; measured: exactly 1,048,576 bytes in binaryData are taken, whatever the key. */
function isBase64(resource: Resource, field: string): boolean {
  return field === 'binaryData' || (resource === secrets && field === 'data');
}

function immutableDataProblems(next: KubeObject, old: KubeObject): string[] {
  if (old['immutable'] !== true) return [];
  const fields = ['data', 'binaryData'].filter((field) => !equal(objectAt(next, field), objectAt(old, field)));
  return [...(next['immutable'] === true ? [] : ['immutable']), ...fields].map((field) => `${field}: Forbidden: field is immutable when \`immutable\` is set`);
}

function jobProblems(job: JobObject): string[] {
  const { spec, metadata } = job;
  const pod = spec.template.spec;
  const causes: string[] = [];
  if (pod.restartPolicy !== 'Never' && pod.restartPolicy !== 'OnFailure') {
    causes.push(`spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`);
  }
  if (pod.containers.length === 0) causes.push('spec.template.spec.containers: Required value');
  for (const [index, container] of pod.containers.entries()) causes.push(...containerProblems(container, `spec.template.spec.containers[${index}]`));
  for (const field of ['parallelism', 'completions', 'backoffLimit', 'activeDeadlineSeconds', 'ttlSecondsAfterFinished'] as const) {
    const value = spec[field];
    if (value !== undefined && value < 0) causes.push(`spec.${field}: Invalid value: ${value}: must be greater than or equal to 0`);
  }
  if (isObject(spec.podFailurePolicy) && pod.restartPolicy !== 'Never') causes.push('spec.podFailurePolicy: Invalid value: only "Never" restartPolicy is supported');
  return [...causes, ...indexedProblems(metadata.name, spec)];
}

function containerProblems(container: Container, path: string): string[] {
  const image = stringAt(container, 'image') === undefined ? [`${path}.image: Required value`] : [];
  return dnsLabel.test(stringAt(container, 'name') ?? '') ? image : [...image, `${path}.name: Required value`];
}

/** A pod's host name is the Job's name and its index: measured 61 characters for up to 10 completions, 57 for 100,000. */
function indexedProblems(name: string, spec: JobSpec): string[] {
  if (spec.completionMode !== 'Indexed') {
    const fields = ['backoffLimitPerIndex', 'maxFailedIndexes', 'successPolicy'].filter((field) => spec[field] !== undefined);
    return fields.map((field) => `spec.${field}: Invalid value: requires indexed completion mode`);
  }
  if (spec.completions === undefined) return ['spec.completions: Required value: when completion mode is Indexed'];
  const length = `${name}-${Math.max(spec.completions - 1, 0)}`.length;
  return length > 63 ? [`metadata.name: Invalid value: "${name}": will not able to create pod DNS label: must be no more than 63 characters`] : [];
}

const immutableJobFields = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'maxFailedIndexes', 'managedBy', 'successPolicy'] as const;

function jobChangeProblems(next: JobObject, old: JobObject): string[] {
  const changed = (field: string): boolean => !equal(next.spec[field], old.spec[field]);
  const causes: string[] = immutableJobFields.filter(changed);
  if (changed('completions') && !isElasticChange(next.spec)) causes.push('completions');
  if (changed('template') && !isSchedulingChange(next, old)) causes.push('template');
  return causes.map((field) => `spec.${field}: Invalid value: field is immutable`);
}

function isElasticChange(spec: JobSpec): boolean {
  return spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
}

/** While suspended and never started, a Job's node selection, resources and pod metadata may change; its image may not. */
function isSchedulingChange(next: JobObject, old: JobObject): boolean {
  if (!old.spec.suspend || old.status.startTime !== undefined) return false;
  return equal(fixedPart(next), fixedPart(old));
}

function fixedPart(job: JobObject): KubeObject {
  const { nodeSelector: _a, affinity: _b, tolerations: _c, schedulingGates: _d, ...spec } = job.spec.template.spec;
  const containers = arrayAt(spec, 'containers').map((container) => (isObject(container) ? { ...container, resources: {} } : container));
  return { apiVersion: '', kind: '', metadata: { name: '', namespace: '', uid: '', resourceVersion: '', creationTimestamp: '' }, spec: { ...spec, containers } };
}
