import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kindLabel } from '../../../src/spec/keys.ts';
import { configJsonSchema } from '../../../src/config/config-schema.ts';
import { fileVariable } from '../../../src/config/settings.ts';
import type { Json } from '../../../src/lib/json.ts';
import { validator } from '../../../src/spec/validate.ts';
import { find, parseYaml, readManifest, type Manifest } from './render.ts';

interface Pod {
  serviceAccountName: string;
  securityContext: { runAsNonRoot: boolean; runAsUser: number; seccompProfile: { type: string } };
  terminationGracePeriodSeconds: number;
  containers: {
    args: string[];
    env: { name: string; value: string }[];
    ports: { name: string; containerPort: number }[];
    livenessProbe: { httpGet: { path: string; port: string } };
    readinessProbe: { httpGet: { path: string; port: string } };
    resources: { requests: Record<string, string>; limits: Record<string, string> };
    securityContext: { allowPrivilegeEscalation: boolean; readOnlyRootFilesystem: boolean; capabilities: { drop: string[]; add?: string[] } };
    volumeMounts: { name: string; mountPath: string; readOnly: boolean }[];
  }[];
  volumes: { name: string; hostPath?: unknown }[];
}

const deployment = find(readManifest('base/deployment.yaml'), 'Deployment', 'job-chief');
const spec = deployment['spec'] as { replicas: number; strategy: { type: string }; selector: { matchLabels: object }; template: { metadata: { labels: object; annotations: Record<string, string> }; spec: Pod } };
const pod = spec.template.spec;
const [container] = pod.containers;

describe('the Deployment', () => {
  it('runs one controller at a time', () => {
    expect([spec.replicas, spec.strategy.type]).toEqual([1, 'Recreate']);
  });

  it('meets the restricted Pod Security profile', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
    expect(container?.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(key);
    for (const volume of pod.volumes) expect(volume).not.toHaveProperty('hostPath');
  });

  it('is probed where the server answers, and scraped there too', () => {
    expect(container?.ports).toEqual([{ name: 'http', containerPort: 8080 }]);
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'http' });
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
    expect(spec.template.metadata.annotations).toMatchObject({ 'prometheus.io/port': '8080', 'prometheus.io/path': '/metrics' });
  });

  it('runs the controller with the mounted configuration', () => {
    expect(container?.args).toEqual(['controller']);
    expect(container?.env).toContainEqual({ name: fileVariable, value: '/etc/job-chief/config.yaml' });
    expect(container?.volumeMounts).toContainEqual({ name: 'config', mountPath: '/etc/job-chief/config.yaml', subPath: 'config.yaml', readOnly: true });
    expect(container?.resources).toMatchObject({ requests: { memory: '128Mi' }, limits: { memory: '256Mi' } });
  });

  it('is found by its selector, and by the Service', () => {
    expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
    const service = find(readManifest('base/service.yaml'), 'Service', 'job-chief')['spec'] as { selector: object; ports: { targetPort: string }[] };
    expect(service.selector).toEqual(spec.selector.matchLabels);
    expect(service.ports.map(({ targetPort }) => targetPort)).toEqual(['http']);
  });

  it('is the only pod with the token of its account', () => {
    expect(pod).toMatchObject({ serviceAccountName: 'job-chief', automountServiceAccountToken: true });
    expect(find(readManifest('base/service-account.yaml'), 'ServiceAccount', 'job-chief')).toMatchObject({ automountServiceAccountToken: false });
  });
});

describe('the configuration', () => {
  it('is no spec', () => {
    const config = find(readManifest('base/config.yaml'), 'ConfigMap', 'job-chief-config');
    expect(config.metadata.labels).not.toHaveProperty(kindLabel);
  });

  it.each(['base/config.yaml', 'examples/one-queue/config.yaml', 'components/files-only/kustomization.yaml'])('in %s is what the controller understands', (path) => {
    const check = validator(configJsonSchema);
    const configs = configsIn(readManifest(path));
    expect(configs).toHaveLength(1);
    for (const text of configs) expect(check(parse(text) as Json)).toEqual([]);
  });

  /** Also from the patches of a component. */
  function configsIn(all: readonly Manifest[]): string[] {
    const patches = all.flatMap((one) => ((one['patches'] ?? []) as { patch?: string }[]).flatMap(({ patch }) => (patch === undefined ? [] : parseYaml(patch))));
    return [...all, ...patches].flatMap((one) => {
      const data = one['data'] as Record<string, string> | undefined;
      return one.kind === 'ConfigMap' && data?.['config.yaml'] !== undefined ? [data['config.yaml']] : [];
    });
  }
});
