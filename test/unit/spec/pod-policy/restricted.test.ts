import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { aJob, aPolicy, told } from './jobs.ts';

const good: JsonObject = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } };
const policy = aPolicy({ restricted: true });
const withContext = (changes: JsonObject, pod: JsonObject = {}): JsonObject => aJob(pod, { securityContext: { ...good, ...changes } });
const own = 'spec.containers[0].securityContext';

describe('the restricted profile', () => {
  it.each<[string, JsonObject]>([
    ['a container that says all of it', withContext({})],
    ['a container whose pod says what a pod can', withContext({ runAsNonRoot: null, seccompProfile: null }, { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost', localhostProfile: 'x' } } })],
    ['a user that is not root', withContext({ runAsUser: 1000 })],
    ['a type of SELinux for containers', withContext({ seLinuxOptions: { type: 'container_t', level: 's0' } })],
    ['volumes of its types', withContext({}, { volumes: [{ name: 'a' }, { name: 'b', configMap: { name: 'x' } }, { name: 'c', secret: { secretName: 'x' } }, { name: 'd', persistentVolumeClaim: { claimName: 'x' } }, { name: 'e', csi: { driver: 'd' } }] })],
    ['a probe of its own pod', aJob({}, { securityContext: good, livenessProbe: { httpGet: { port: 80, host: '' } } })],
  ])('lets pass %s', (_what, job) => {
    expect(told(job, policy)).toEqual([]);
  });

  it.each<[string, JsonObject, readonly string[]]>([
    ['nothing that a container says', aJob(), ['allowPrivilegeEscalation', 'runAsNonRoot', 'seccompProfile.type', 'capabilities.drop'].map((field) => `${own}.${field}`)],
    ['privilege escalation', withContext({ allowPrivilegeEscalation: true }), [`${own}.allowPrivilegeEscalation`]],
    ['root, by a switch', withContext({ runAsNonRoot: false }), [`${own}.runAsNonRoot`]],
    ['root, by its number', withContext({ runAsUser: 0 }), [`${own}.runAsUser`]],
    ['root, by its number, for all', withContext({}, { securityContext: { runAsUser: 0 } }), ['spec.securityContext.runAsUser']],
    ['root, by a switch of the pod', withContext({}, { securityContext: { runAsNonRoot: false } }), ['spec.securityContext.runAsNonRoot']],
    ['no seccomp', withContext({ seccompProfile: { type: 'Unconfined' } }), [`${own}.seccompProfile.type`]],
    ['no seccomp for all', withContext({}, { securityContext: { seccompProfile: { type: 'Unconfined' } } }), ['spec.securityContext.seccompProfile.type']],
    ['a seccomp profile without a type', withContext({ seccompProfile: {} }), [`${own}.seccompProfile.type`, `${own}.seccompProfile.type`]],
    ['no AppArmor', withContext({ appArmorProfile: { type: 'Unconfined' } }), [`${own}.appArmorProfile.type`]],
    ['no AppArmor, by annotation', aJob({}, { securityContext: good }, { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': 'unconfined' } }), ['metadata.annotations["container.apparmor.security.beta.kubernetes.io/main"]']],
    ['an SELinux type of the host', withContext({ seLinuxOptions: { type: 'spc_t' } }), [`${own}.seLinuxOptions.type`]],
    ['an SELinux user and role', withContext({ seLinuxOptions: { user: 'u', role: 'r' } }), [`${own}.seLinuxOptions.user`, `${own}.seLinuxOptions.role`]],
    ['capabilities that are kept', withContext({ capabilities: { drop: ['NET_RAW'] } }), [`${own}.capabilities.drop`]],
    ['a volume from the network', withContext({}, { volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }), ['spec.volumes[0].nfs']],
    ['a probe of somebody else', aJob({}, { securityContext: good, livenessProbe: { httpGet: { port: 80, host: '169.254.169.254' } } }), ['spec.containers[0].livenessProbe.httpGet.host']],
    ['a hook that asks somebody else', aJob({}, { securityContext: good, lifecycle: { preStop: { tcpSocket: { port: 80, host: 'db' } } } }), ['spec.containers[0].lifecycle.preStop.tcpSocket.host']],
    ['an init container that says nothing', withContext({}, { initContainers: [{ name: 'i', image: 'x', securityContext: { ...good, runAsNonRoot: null } }] }), ['spec.initContainers[0].securityContext.runAsNonRoot']],
  ])('denies %s', (_what, job, paths) => {
    expect(told(job, policy)).toEqual(paths.map((path) => `${path} restricted`));
  });

  it('asks for nothing where the policy does not', () => {
    expect(told(aJob(), aPolicy({ restricted: false }))).toEqual([]);
  });

  it('waits for values that are still open', () => {
    const job = aJob({ securityContext: { runAsNonRoot: '$(params.x)', seccompProfile: '$(params.x)' } }, { securityContext: { allowPrivilegeEscalation: '$(params.x)', capabilities: { drop: ['$(params.x)'] }, runAsUser: '$(params.x)' } });
    expect(told(job, policy, { open: true })).toEqual([]);
    expect(told(job, policy)).not.toEqual([]);
  });
});
