import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { policyFindings } from '../../../../src/spec/pod-policy/check.ts';
import { policyText } from '../../../../src/spec/pod-policy/finding.ts';
import { podPolicyFrom } from '../../../../src/spec/pod-policy/policy.ts';
import { aJob, aPolicy, told } from './jobs.ts';

const secretEnv = (name: string): JsonObject => ({ env: [{ name: 'X', valueFrom: { secretKeyRef: { name, key: 'k' } } }] });
const volume = (source: JsonObject): JsonObject => ({ volumes: [{ name: 'v', ...source }] });

describe('without a policy', () => {
  it.each<[string, JsonObject]>([
    ['an ordinary Job', aJob()],
    ['a Job that says no to what is denied', aJob({ hostNetwork: false, hostPID: false, ephemeralContainers: [], hostUsers: false }, { securityContext: { privileged: false, procMount: 'Default', capabilities: { drop: ['ALL'], add: [] } }, ports: [{ containerPort: 80 }] })],
    ['nothing where null stands', aJob({ hostNetwork: null, volumes: null }, { securityContext: null })],
    ['any image, ServiceAccount, Secret and volume', aJob({ serviceAccountName: 'builder', ...volume({ nfs: { server: 's', path: '/' } }) }, { image: 'alpine', ...secretEnv('anything') })],
    ['mounts that follow those of the node', aJob({}, { volumeMounts: [{ name: 'v', mountPath: '/x', mountPropagation: 'HostToContainer' }] })],
    ['a safe sysctl', aJob({ securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] } })],
  ])('%s may be created', (_what, job) => {
    expect(told(job)).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ['the ServiceAccount of job-chief', aJob({ serviceAccountName: 'job-chief' }), 'spec.serviceAccountName always'],
    ['the same in its old field', aJob({ serviceAccount: 'job-chief' }), 'spec.serviceAccount always'],
    ['the network of the node', aJob({ hostNetwork: true }), 'spec.hostNetwork always'],
    ['the same as a text', aJob({ hostNetwork: 'true' }), 'spec.hostNetwork always'],
    ['the processes of the node', aJob({ hostPID: true }), 'spec.hostPID always'],
    ['the IPC of the node', aJob({ hostIPC: true }), 'spec.hostIPC always'],
    ['a port of the node', aJob({}, { ports: [{ containerPort: 80, hostPort: 80 }] }), 'spec.containers[0].ports[0].hostPort always'],
    ['a folder of the node', aJob(volume({ hostPath: { path: '/' } })), 'spec.volumes[0].hostPath always'],
    ['a repository that git fetches on the node', aJob(volume({ gitRepo: { repository: 'x' } })), 'spec.volumes[0].gitRepo always'],
    ['a privileged container', aJob({}, { securityContext: { privileged: true } }), 'spec.containers[0].securityContext.privileged always'],
    ['capabilities', aJob({}, { securityContext: { capabilities: { add: ['NET_BIND_SERVICE'] } } }), 'spec.containers[0].securityContext.capabilities.add always'],
    ['an unmasked /proc', aJob({}, { securityContext: { procMount: 'Unmasked' } }), 'spec.containers[0].securityContext.procMount always'],
    ['an unsafe sysctl', aJob({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }), 'spec.securityContext.sysctls[0].name always'],
    ['a process on a Windows node, of the pod', aJob({ securityContext: { windowsOptions: { hostProcess: true } } }), 'spec.securityContext.windowsOptions.hostProcess always'],
    ['a process on a Windows node, of a container', aJob({}, { securityContext: { windowsOptions: { hostProcess: true } } }), 'spec.containers[0].securityContext.windowsOptions.hostProcess always'],
    ['ephemeral containers', aJob({ ephemeralContainers: [{ name: 'x', image: 'y' }] }), 'spec.ephemeralContainers always'],
    ['mounts that reach the node', aJob({}, { volumeMounts: [{ name: 'v', mountPath: '/x', mountPropagation: 'Bidirectional' }] }), 'spec.containers[0].volumeMounts[0].mountPropagation always'],
    ['finalizers', aJob({}, {}, { finalizers: ['a/b'] }), 'metadata.finalizers always'],
    ['a field that nobody has decided about', aJob({ hostNetworks: true }), 'spec.hostNetworks always'],
    ['a field in another spelling', aJob({ HostNetwork: true }), 'spec.HostNetwork always'],
    ['a field that every object has', aJob(JSON.parse('{"__proto__": {"hostNetwork": true}}') as JsonObject), 'spec.__proto__ always'],
    ['a field called constructor', aJob({ constructor: { hostPID: true } }), 'spec.constructor always'],
    ['something that is no mapping', aJob({ securityContext: 'privileged' }), 'spec.securityContext always'],
  ])('denied is %s', (_what, job, expected) => {
    expect(told(job)).toEqual([expected]);
  });

  it('a selector of its own, a status and a missing pod are denied', () => {
    const job = aJob();
    expect(told({ ...job, status: {} })).toEqual(['status always']);
    expect(told({ ...job, spec: { ...(job['spec'] as JsonObject), manualSelector: true, selector: {} } })).toEqual(['spec.manualSelector always', 'spec.selector always']);
    expect(told({ ...job, spec: {} })).toEqual(['spec always']);
    expect(told({ ...job, spec: { template: '$(params.x)' } })).toEqual(['spec.template always', 'spec always']);
  });

  it('a pod without a ServiceAccount runs under `default`, which may be that of job-chief', () => {
    const policy = podPolicyFrom(undefined, { connectionSecrets: [], ownServiceAccount: 'default' });
    expect(told(aJob(), policy)).toEqual(['spec.serviceAccountName always']);
    expect(told(aJob({ serviceAccountName: 'other' }), policy)).toEqual([]);
  });
});

describe('Secrets of connections', () => {
  const source = { name: 'main-db' };
  it.each<[string, JsonObject, string]>([
    ['env', aJob({}, secretEnv('main-db')), 'spec.containers[0].env[0].valueFrom.secretKeyRef.name'],
    ['env of an init container', aJob({ initContainers: [{ name: 'i', image: 'x', ...secretEnv('main-db') }] }), 'spec.initContainers[0].env[0].valueFrom.secretKeyRef.name'],
    ['env of a sidecar', aJob({ initContainers: [{ name: 'i', image: 'x', restartPolicy: 'Always', ...secretEnv('main-db') }] }), 'spec.initContainers[0].env[0].valueFrom.secretKeyRef.name'],
    ['envFrom', aJob({}, { envFrom: [{ secretRef: source }] }), 'spec.containers[0].envFrom[0].secretRef.name'],
    ['a volume', aJob(volume({ secret: { secretName: 'main-db' } })), 'spec.volumes[0].secret.secretName'],
    ['a projected volume', aJob(volume({ projected: { sources: [{ configMap: { name: 'x' } }, { secret: source }] } })), 'spec.volumes[0].projected.sources[1].secret.name'],
    ['a pull secret', aJob({ imagePullSecrets: [source] }), 'spec.imagePullSecrets[0].name'],
    ['a CSI volume', aJob(volume({ csi: { driver: 'd', nodePublishSecretRef: source } })), 'spec.volumes[0].csi.nodePublishSecretRef.name'],
    ['settings of a CSI driver', aJob(volume({ csi: { driver: 'd', volumeAttributes: { anything: 'main-db' } } })), 'spec.volumes[0].csi.volumeAttributes.anything'],
    ['an Azure file', aJob(volume({ azureFile: { secretName: 'main-db', shareName: 's' } })), 'spec.volumes[0].azureFile.secretName'],
    ['a flex volume', aJob(volume({ flexVolume: { driver: 'd', secretRef: source } })), 'spec.volumes[0].flexVolume.secretRef.name'],
    ['an iSCSI volume', aJob(volume({ iscsi: { targetPortal: 't', iqn: 'i', lun: 0, secretRef: source } })), 'spec.volumes[0].iscsi.secretRef.name'],
    ['a Cinder volume', aJob(volume({ cinder: { volumeID: 'v', secretRef: source } })), 'spec.volumes[0].cinder.secretRef.name'],
  ])('are denied in %s, also where the list of Secrets has them', (_where, job, path) => {
    expect(told(job)).toEqual([`${path} always`]);
    expect(told(job, aPolicy({ secrets: ['main-db', '*'] }))).toEqual([`${path} always`]);
  });

  it('and those that the operator denies, by name or beginning', () => {
    const policy = aPolicy({ deniedSecrets: ['api-tokens', 'vault-*'] });
    expect(['main-db', 'api-tokens', 'vault-x', 'api-token'].filter((name) => told(aJob({}, secretEnv(name)), policy).length > 0)).toEqual(['main-db', 'api-tokens', 'vault-x']);
  });

  it('are allowed in what job-chief itself has put there, which nothing else can be taken for', () => {
    const entry = { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'main-db', key: 'password' } } };
    const mounted = { name: 'job-chief-connection', secret: { secretName: 'main-db' } };
    const job = aJob({ volumes: [mounted] }, { env: [entry] });
    expect(told(job, aPolicy({ secrets: [], volumeTypes: [] }), { ours: [entry, mounted] })).toEqual([]);
    expect(told(aJob({ volumes: [{ ...mounted }] }, { env: [{ ...entry }] }), aPolicy(), { ours: [entry, mounted] })).toHaveLength(2);
  });
});

describe('lists of the policy', () => {
  const cases: readonly [key: string, policy: JsonObject, good: JsonObject, bad: JsonObject, path: string][] = [
    ['serviceAccounts', { serviceAccounts: ['worker-*'] }, aJob({ serviceAccountName: 'worker-a' }), aJob({ serviceAccountName: 'admin' }), 'spec.serviceAccountName'],
    ['serviceAccounts', { serviceAccounts: ['worker'] }, aJob({ serviceAccount: 'worker' }), aJob(), 'spec.serviceAccountName'],
    ['serviceAccountTokens', { serviceAccountTokens: false }, aJob({ automountServiceAccountToken: false }), aJob({ automountServiceAccountToken: true }), 'spec.automountServiceAccountToken'],
    ['serviceAccountTokens', { serviceAccountTokens: false }, aJob({ automountServiceAccountToken: false }), aJob({ automountServiceAccountToken: false, ...volume({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }) }), 'spec.volumes[0].projected.sources[0].serviceAccountToken'],
    ['imagePrefixes', { imagePrefixes: ['ghcr.io/acme'] }, aJob(), aJob({}, { image: 'ghcr.io/acme-evil/app' }), 'spec.containers[0].image'],
    ['imagePrefixes', { imagePrefixes: ['ghcr.io/acme'] }, aJob(), aJob({ initContainers: [{ name: 'i', image: 'alpine' }] }), 'spec.initContainers[0].image'],
    ['imagePrefixes', { imagePrefixes: ['ghcr.io/acme'] }, aJob(volume({ image: { reference: 'ghcr.io/acme/data:1' } })), aJob(volume({ image: { reference: 'data:1' } })), 'spec.volumes[0].image.reference'],
    ['secrets', { secrets: ['app'] }, aJob({}, secretEnv('app')), aJob({}, secretEnv('other')), 'spec.containers[0].env[0].valueFrom.secretKeyRef.name'],
    ['secrets', { secrets: ['app'] }, aJob(volume({ csi: { driver: 'd', volumeAttributes: { secretName: 'app', share: 'x' } } })), aJob(volume({ csi: { driver: 'd', volumeAttributes: { secretName: 'other' } } })), 'spec.volumes[0].csi.volumeAttributes.secretName'],
    ['configMaps', { configMaps: ['app'] }, aJob({}, { envFrom: [{ configMapRef: { name: 'app' } }] }), aJob(volume({ configMap: { name: 'other' } })), 'spec.volumes[0].configMap.name'],
    ['persistentVolumeClaims', { persistentVolumeClaims: ['data'] }, aJob(volume({ persistentVolumeClaim: { claimName: 'data' } })), aJob(volume({ persistentVolumeClaim: { claimName: 'other' } })), 'spec.volumes[0].persistentVolumeClaim.claimName'],
    ['persistentVolumeClaims', { persistentVolumeClaims: ['data'] }, aJob(volume({ ephemeral: { volumeClaimTemplate: { spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'data' } } } } })), aJob(volume({ ephemeral: { volumeClaimTemplate: { spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } } } } })), 'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.dataSource'],
    ['persistentVolumeClaims', { persistentVolumeClaims: ['data'] }, aJob(volume({ ephemeral: { volumeClaimTemplate: { spec: {} } } })), aJob(volume({ ephemeral: { volumeClaimTemplate: { spec: { volumeName: 'pv' } } } })), 'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.volumeName'],
    ['volumeTypes', { volumeTypes: ['configMap', 'emptyDir'] }, aJob(volume({})), aJob(volume({ nfs: { server: 's', path: '/' } })), 'spec.volumes[0].nfs'],
    ['volumeTypes', { volumeTypes: ['configMap'] }, aJob(volume({ configMap: { name: 'x' } })), aJob(volume({})), 'spec.volumes[0]'],
    ['csiDrivers', { csiDrivers: ['d'] }, aJob(volume({ csi: { driver: 'd' } })), aJob(volume({ csi: { driver: 'e' } })), 'spec.volumes[0].csi.driver'],
    ['priorityClasses', { priorityClasses: ['low'] }, aJob({ priorityClassName: 'low' }), aJob({ priorityClassName: 'system-node-critical' }), 'spec.priorityClassName'],
    ['priorityClasses', { priorityClasses: ['low'] }, aJob(), aJob({ priority: 1000 }), 'spec.priority'],
    ['runtimeClasses', { runtimeClasses: ['gvisor'] }, aJob({ runtimeClassName: 'gvisor' }), aJob({ runtimeClassName: 'kata' }), 'spec.runtimeClassName'],
    ['nodeSelector', { nodeSelector: { pool: 'batch' } }, aJob({ nodeSelector: { pool: 'batch', zone: 'a' } }), aJob({ nodeSelector: { pool: 'gpu' } }), 'spec.nodeSelector.pool'],
    ['nodeSelector', { nodeSelector: { pool: 'batch' } }, aJob({ nodeSelector: { pool: 'batch' } }), aJob({ nodeSelector: { pool: 'batch' }, nodeName: 'master' }), 'spec.nodeName'],
    ['tolerations', { tolerations: ['batch'] }, aJob({ tolerations: [{ key: 'batch', operator: 'Exists' }] }), aJob({ tolerations: [{ key: 'batch' }, { operator: 'Exists' }] }), 'spec.tolerations[1]'],
    ['tolerations', { tolerations: [] }, aJob(), aJob({ nodeName: 'master' }), 'spec.nodeName'],
  ];
  it.each(cases)('%s of %j', (key, policy, good, bad, path) => {
    expect(told(good, aPolicy(policy))).toEqual([]);
    expect(told(bad, aPolicy(policy))).toEqual([`${path} ${key}`]);
  });

  it('an empty list allows nothing, and names that are no texts are in no list', () => {
    expect(told(aJob({}, secretEnv('app')), aPolicy({ secrets: [] }))).toHaveLength(1);
    expect(told(aJob({}, { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: ['app'], key: 'k' } } }] }), aPolicy({ secrets: ['*'] }))).toHaveLength(1);
    expect(told(aJob({}, { image: 7 }), aPolicy({ imagePrefixes: ['docker.io'] }))).toHaveLength(1);
  });
});

describe('references that are still open', () => {
  const strict = aPolicy({ restricted: false, imagePrefixes: ['ghcr.io/acme'], secrets: ['app'], serviceAccounts: ['worker'], maxPerContainer: { memory: '1Gi' }, maxPerPod: { memory: '1Gi' } });
  const job = aJob(
    { serviceAccountName: '$(params.account)', securityContext: '$(params.context)', tolerations: '$(params.tolerations)' },
    { image: '$(params.image)', resources: { limits: { memory: '$(params.memory)' } }, ...secretEnv('$(params.secret)') },
  );

  it('are left out where they will be judged with their values', () => {
    expect(told(job, strict, { open: true })).toEqual([]);
  });

  it('count as what they are where nothing replaces them', () => {
    expect(told(job, strict).length).toBeGreaterThan(5);
  });

  it('do not hide what stands beside them', () => {
    expect(told(aJob({ hostNetwork: true }, { image: '$(params.image)', securityContext: { capabilities: { add: ['$(params.capability)'] } } }), strict, { open: true }).toSorted()).toEqual(
      ['spec.containers[0].resources.limits.memory maxPerContainer', 'spec.containers[0].securityContext.capabilities.add always', 'spec.hostNetwork always', 'spec.containers maxPerPod', 'spec.serviceAccountName serviceAccounts'].toSorted(),
    );
  });

  it("are only job-chief's own: $(TAG) is a text like any other", () => {
    expect(told(aJob({ serviceAccountName: 'worker' }, { image: '$(TAG)', resources: { limits: { memory: '1Gi' } } }), strict, { open: true })).toEqual(['spec.containers[0].image imagePrefixes']);
  });
});

describe('what people read', () => {
  it('where, what, which key, and what to do', () => {
    expect(policyText(policyFindings(aJob({}, { image: 'alpine' }), aPolicy({ imagePrefixes: ['ghcr.io/acme'] })))).toBe(
      'spec.template.spec.containers[0].image: the image "docker.io/library/alpine" is not allowed, says podPolicy.imagePrefixes (use an image under ghcr.io/acme, or ask the operator to allow it)',
    );
  });

  it('a few, and how many more', () => {
    const text = policyText(policyFindings(aJob({ hostNetwork: true, hostPID: true, hostIPC: true, hostNetworks: true, nodeNames: 'x' }), aPolicy()));
    expect(text).toMatch(/; 2 more$/);
    expect(text).toContain('spec.template.spec.hostNetwork: "hostNetwork" must not be set (remove it: no policy can allow it)');
  });

  it('a guess for a misspelt field', () => {
    expect(policyText(policyFindings(aJob({ servceAccountName: 'x' }), aPolicy()))).toContain('did you mean "serviceAccountName"?');
  });
});
