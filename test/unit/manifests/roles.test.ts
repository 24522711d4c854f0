import { describe, expect, it } from 'vitest';
import { core, eventsFeature, highAvailability, history, payloads, records, specs, status } from '../../../src/adapters/kubernetes/features.ts';
import type { Feature } from '../../../src/adapters/kubernetes/permissions.ts';
import { build, buildWith, files, find, granted, hasKubectl, readManifest, type Rule } from './render.ts';

const features: Readonly<Record<'core' | 'specs' | 'status' | 'records' | 'events' | 'payloads' | 'history' | 'lease', Feature>> = { core, specs, status, records, payloads, history, events: eventsFeature, lease: highAvailability('job-chief') };
const of = (...names: (keyof typeof features)[]): string[] =>
  [...new Set(names.flatMap((name) => features[name].rights.map(({ verb, resource, subresource }) => `${resource.group}/${resource.plural}${subresource === undefined ? '' : `/${subresource}`} ${verb}`)))].sort();

describe('rights', () => {
  const base = files('base').flatMap((path) => readManifest(path));

  it('are exactly the verbs that the adapters use', () => {
    expect(granted(base)).toEqual(of('core', 'specs', 'status', 'records', 'events'));
  });

  it('come in one Role for each feature', () => {
    expect(granted([find(base, 'Role', 'job-chief')])).toEqual(of('core'));
    expect(granted([find(base, 'Role', 'job-chief-specs')])).toEqual(of('specs'));
    expect(granted([find(base, 'Role', 'job-chief-status')])).toEqual(of('status'));
    expect(granted([find(base, 'Role', 'job-chief-records')])).toEqual(of('records'));
    expect(granted([find(base, 'Role', 'job-chief-events')])).toEqual(of('events'));
  });

  it('use no wildcard, and say nothing about Secrets or other accounts', () => {
    const rules = base.filter(({ kind }) => kind === 'Role').flatMap((role) => role['rules'] as Rule[]);
    for (const rule of rules) {
      expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain('*');
      for (const resource of ['secrets', 'serviceaccounts', 'roles', 'rolebindings', 'pods/exec']) expect(rule.resources).not.toContain(resource);
    }
  });

  it('on Secrets is to create them, in a component that only messages need, as is the right to keep what became of them', () => {
    expect(granted(files('components/messages').flatMap((path) => readManifest(path)))).toEqual(of('payloads', 'history'));
  });

  it('are bound to the one ServiceAccount, each Role by a binding of its name', () => {
    const roles = base.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.name);
    for (const name of roles) {
      expect(find(base, 'RoleBinding', name)).toMatchObject({
        roleRef: { kind: 'Role', name, apiGroup: 'rbac.authorization.k8s.io' },
        subjects: [{ kind: 'ServiceAccount', name: 'job-chief' }],
      });
    }
    expect(base.filter(({ kind }) => kind === 'RoleBinding')).toHaveLength(roles.length);
  });

  it('are within the namespace: nothing of the cluster is installed', () => {
    const kinds = files().flatMap((path) => readManifest(path)).map(({ kind }) => kind);
    for (const kind of ['ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition', 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'Namespace']) expect(kinds).not.toContain(kind);
  });
});

describe.runIf(hasKubectl)('components', () => {
  it('base builds without them', () => {
    expect(granted(build('base'))).toEqual(of('core', 'specs', 'status', 'records', 'events'));
  });

  it.each<[string, string[]]>([
    ['files-only', of('core', 'events')],
    ['queues-only', of('core', 'specs', 'status', 'events')],
    ['without-status', of('core', 'specs', 'records', 'events')],
    ['without-events', of('core', 'specs', 'status', 'records')],
    ['high-availability', of('core', 'specs', 'status', 'records', 'events', 'lease')],
    ['messages', of('core', 'specs', 'status', 'records', 'events', 'payloads', 'history')],
    ['prometheus-operator', of('core', 'specs', 'status', 'records', 'events')],
  ])('%s leaves the right rights', (component, expected) => {
    const all = buildWith(component);
    expect(granted(all)).toEqual(expected);
    const names = (kind: string): string[] => all.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name).sort();
    expect(names('RoleBinding')).toEqual(names('Role'));
  });

  it('can be combined', () => {
    expect(granted(buildWith('queues-only', 'without-status', 'without-events', 'messages', 'prometheus-operator'))).toEqual(of('core', 'specs', 'payloads', 'history'));
  });

  it('queues-only takes the Role and the switch together, so that nothing is tried and refused', () => {
    const all = buildWith('queues-only', 'high-availability');
    const deployment = JSON.stringify(find(all, 'Deployment', 'job-chief'));
    expect(deployment).toContain('{"name":"JOB_CHIEF_RECORDS_ENABLED","value":"false"}');
    expect(deployment).toContain('JOB_CHIEF_HIGH_AVAILABILITY_ENABLED');
    expect(all.filter(({ metadata }) => metadata.name === 'job-chief-records')).toEqual([]);
  });

  it('the example adds a connection and a labelled spec whose name does not change with its content', () => {
    const all = build('examples/one-queue');
    expect(find(all, 'ConfigMap', 'thumbnails').metadata.labels).toEqual({ 'job-chief': 'queue' });
    expect(JSON.stringify(find(all, 'Deployment', 'job-chief'))).toContain('/etc/job-chief/connections/main');
  });
});
