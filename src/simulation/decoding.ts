/**
 * What strict decoding finds in a Job or ConfigMap: unknown fields (400 that names every one) and wrong types (400 with
 * any field validation). The lists hold the fields of the levels where people misspell; deeper ones are not checked.
 */
import { arrayAt, isObject, type Json, type JsonObject, objectAt } from '../lib/json.ts';
import { badRequest } from './failure.ts';
import { configMaps, jobs, type Resource, secrets } from './objects.ts';

const metadataFields = words('name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields');
const jobFields = words('parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit backoffLimitPerIndex maxFailedIndexes selector manualSelector template ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy scheduling');
const podFields = words('volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride workloadRef schedulingGroup');
const containerFields = words('name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty');
const integerFields = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'backoffLimitPerIndex', 'maxFailedIndexes', 'ttlSecondsAfterFinished'];

/** Throws the 400 that a real API server would send for a body it cannot decode. */
export function checkDecoding(resource: Resource, body: JsonObject, strict: boolean): void {
  const wrongType = resource === jobs ? jobTypeProblem(body) : undefined;
  if (wrongType !== undefined) throw badRequest(`${cannotHandle(resource)}: ${wrongType}`);
  if (!strict) return;
  const unknown = unknownFields(resource, body);
  if (unknown.length > 0) throw badRequest(`${cannotHandle(resource)}: strict decoding error: ${unknown.map((field) => `unknown field "${field}"`).join(', ')}`);
}

function cannotHandle({ kind, version }: Resource): string {
  return `${kind} in version "${version}" cannot be handled as a ${kind}`;
}

function unknownFields(resource: Resource, body: JsonObject): string[] {
  const metadata = strangers(objectAt(body, 'metadata'), metadataFields, 'metadata');
  if (resource === configMaps || resource === secrets) {
    return [...strangers(body, words('apiVersion kind metadata data binaryData stringData immutable type'), ''), ...metadata];
  }
  return resource === jobs ? [...strangers(body, words('apiVersion kind metadata spec status'), ''), ...metadata, ...unknownJobFields(objectAt(body, 'spec'))] : [];
}

function unknownJobFields(spec: JsonObject): string[] {
  const template = objectAt(spec, 'template');
  const pod = objectAt(template, 'spec');
  const containers = (['initContainers', 'containers'] as const).flatMap((field) =>
    arrayAt(pod, field).flatMap((container, index) => (isObject(container) ? strangers(container, containerFields, `spec.template.spec.${field}[${index}]`) : [])),
  );
  return [
    ...strangers(spec, jobFields, 'spec'),
    ...strangers(template, words('metadata spec'), 'spec.template'),
    ...strangers(objectAt(template, 'metadata'), metadataFields, 'spec.template.metadata'),
    ...strangers(pod, podFields, 'spec.template.spec'),
    ...containers,
  ];
}

function jobTypeProblem(body: JsonObject): string | undefined {
  const spec = objectAt(body, 'spec');
  for (const field of integerFields) {
    const value = spec[field];
    if (value !== undefined && value !== null && typeof value !== 'number') return unmarshal(value, `JobSpec.spec.${field}`, 'int32');
  }
  for (const container of arrayAt(objectAt(objectAt(spec, 'template'), 'spec'), 'containers')) {
    for (const variable of arrayAt(container, 'env')) {
      const value = isObject(variable) ? variable['value'] : undefined;
      if (value !== undefined && value !== null && typeof value !== 'string') return unmarshal(value, 'EnvVar.spec.template.spec.containers.env.value', 'string');
    }
  }
  return undefined;
}

function unmarshal(value: Json, field: string, type: string): string {
  const found = typeof value === 'boolean' ? 'bool' : Array.isArray(value) ? 'array' : typeof value;
  return `json: cannot unmarshal ${found} into Go struct field ${field} of type ${type}`;
}

function strangers(object: JsonObject, known: ReadonlySet<string>, path: string): string[] {
  return Object.keys(object).filter((key) => !known.has(key)).map((key) => (path === '' ? key : `${path}.${key}`));
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}
