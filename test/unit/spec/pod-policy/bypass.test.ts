/**
 * Ways past the fences of others, tried here: Argo's podSpecPatch that overrode a template (CVE-2026-31892), the fields that
 * the first mend forgot (CVE-2026-42296) and the same patch one level deeper (CVE-2026-54526); and values that come from
 * parameters. What is judged is the Job that results.
 */
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../src/lib/json.ts';
import { policyFindings } from '../../../../src/spec/pod-policy/check.ts';
import { substitute } from '../../../../src/spec/substitute.ts';
import { aJob, aPolicy, told } from './jobs.ts';

const strict = aPolicy({ imagePrefixes: ['ghcr.io/acme'], serviceAccounts: ['worker'], secrets: ['app'], configMaps: ['app'], volumeTypes: ['emptyDir', 'secret', 'configMap'], restricted: false });
const worker = { serviceAccountName: 'worker' };

describe('what overrode a template elsewhere', () => {
  const patch = { containers: [{ name: 'main', image: 'alpine', securityContext: { privileged: true } }] };
  it.each<[string, JsonObject]>([
    ['podSpecPatch of a pod', aJob({ ...worker, podSpecPatch: JSON.stringify(patch) })],
    ['podSpecPatch of a container', aJob(worker, { podSpecPatch: JSON.stringify(patch) })],
    ['podSpecPatch of the Job', { ...aJob(worker), podSpecPatch: JSON.stringify(patch) }],
    ['podSpecPatch inside a volume, one level deeper', aJob({ ...worker, volumes: [{ name: 'v', emptyDir: { podSpecPatch: '{}' } }] })],
    ['podSpecPatch inside a probe', aJob(worker, { livenessProbe: { exec: { command: ['x'], podSpecPatch: '{}' } } })],
    ['artifactGC with a patch in it', aJob({ ...worker, artifactGC: { podSpecPatch: '{}' } })],
    ['hostNetwork beside the template', aJob({ ...worker, hostNetwork: true })],
    ['serviceAccountName beside the template', aJob({ serviceAccountName: 'admin' })],
    ['the old field beside the new one', aJob({ ...worker, serviceAccount: 'admin' })],
    ['securityContext beside the template', aJob({ ...worker, securityContext: { sysctls: [{ name: 'kernel.shmmax', value: '1' }] } })],
    ['the directives of a strategic merge', aJob({ ...worker, $patch: 'replace', '$setElementOrder/containers': [] })],
    ['a container of another list', aJob({ ...worker, ephemeralContainers: [{ name: 'x', image: 'ghcr.io/acme/app' }] })],
    ['a volume with two types', aJob({ ...worker, volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] })],
    ['a pod template in a claim template', aJob({ ...worker, volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: {}, metadata: { finalizers: ['a/b'] } } } }] })],
  ])('%s is denied', (_what, job) => {
    expect(told(job, strict)).not.toEqual([]);
  });
});

describe('names that look like those of job-chief', () => {
  const mine = { name: 'job-chief-connection', secret: { secretName: 'main-db' } };
  it.each<[string, JsonObject]>([
    ['a volume', aJob({ ...worker, volumes: [mine] })],
    ['a volume for files', aJob({ ...worker, volumes: [{ name: 'job-chief-files', configMap: { name: 'etl-x7-files' } }] })],
    ['env', aJob(worker, { env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'main-db', key: 'password' } } }] })],
    ['a container', aJob({ ...worker, initContainers: [{ name: 'job-chief', image: 'ghcr.io/acme/app', envFrom: [{ secretRef: { name: 'main-db' } }] }] })],
    ['a label', aJob({ ...worker, volumes: [mine] }, {}, { labels: { 'app.kubernetes.io/managed-by': 'job-chief' } })],
  ])('%s is judged as any other', (_what, job) => {
    expect(told(job, strict, { ours: [structuredClone(mine)] })).not.toEqual([]);
  });
});

describe('values of parameters', () => {
  /** Every place in a template that takes a text; `x` is what a submitter writes. */
  const places: readonly [place: string, template: JsonObject, bad: Json][] = [
    ['the image', aJob(worker, { image: '$(params.x)' }), 'alpine'],
    ['the tag of the image', aJob(worker, { image: 'ghcr.io/acme/app:$(params.x)' }), '1/../../evil'],
    ['the end of the path of the image', aJob(worker, { image: 'ghcr.io/acme$(params.x)' }), '.evil.com/app'],
    ['the registry of the image', aJob(worker, { image: '$(params.x)/acme/app' }), 'evil.com'],
    ['the image, with a digest in front', aJob(worker, { image: 'ghcr.io/acme/$(params.x)' }), `app@sha256:${'a'.repeat(64)}@evil`],
    ['a reference in a reference', aJob(worker, { image: '$(params.x)' }), '$(params.y)'],
    ['the ServiceAccount', aJob({ serviceAccountName: '$(params.x)' }), 'job-chief'],
    ['a Secret of env', aJob(worker, { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: '$(params.x)', key: 'k' } } }] }), 'main-db'],
    ['the end of the name of a Secret', aJob(worker, { envFrom: [{ secretRef: { name: 'app$(params.x)' } }] }), '-admin'],
    ['a Secret of a volume', aJob({ ...worker, volumes: [{ name: 'v', secret: { secretName: '$(params.x)' } }] }), 'main-db'],
    ['a ConfigMap', aJob({ ...worker, volumes: [{ name: 'v', configMap: { name: '$(params.x)' } }] }), 'other'],
    ['a switch', aJob({ ...worker, hostNetwork: '$(params.x)' }), 'true'],
    ['a switch of a container', aJob(worker, { securityContext: { privileged: '$(params.x)' } }), 'true'],
    ['a capability', aJob(worker, { securityContext: { capabilities: { add: ['$(params.x)'] } } }), 'SYS_ADMIN'],
    ['a port of the node', aJob(worker, { ports: [{ containerPort: 80, hostPort: '$(params.x)' }] }), '80'],
    ['a whole securityContext', aJob(worker, { securityContext: '$(params.x)' }), { privileged: true }],
    ['a whole volume', aJob({ ...worker, volumes: ['$(params.x)'] }), { name: 'v', hostPath: { path: '/' } }],
    ['a whole list of volumes', aJob({ ...worker, volumes: '$(params.x)' }), [{ name: 'v', hostPath: { path: '/' } }]],
    ['a whole container', aJob({ ...worker, initContainers: ['$(params.x)'] }), { name: 'i', image: 'alpine' }],
    ['a whole pod', { ...aJob(), spec: { template: { spec: '$(params.x)' } } }, { hostPID: true, containers: [] }],
    ['a sysctl', aJob({ ...worker, securityContext: { sysctls: [{ name: '$(params.x)', value: '1' }] } }), 'kernel.shmmax'],
  ];
  it.each(places)('in %s cannot smuggle', (_place, template, bad) => {
    const { spec, ...rest } = template;
    const result = substitute({ spec: spec ?? null }, 'job', ({ path }) => ({ kind: 'value', value: path[0] === 'x' ? bad : 'y' }));
    // What cannot be put in at all never becomes a Job.
    const created = result.kind === 'value' ? [{ ...rest, ...(result.value as JsonObject) }] : [];
    expect(created.filter((job) => policyFindings(job, strict).length === 0)).toEqual([]);
    expect(policyFindings(template, strict, { open: true }).filter(({ key }) => key !== undefined)).toEqual([]);
  });
});
