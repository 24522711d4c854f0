import { describe, expect, it } from 'vitest';
import { logsFeature } from '../../../src/adapters/kubernetes/features.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { buildWith, find, granted, hasKubectl, readManifest, type Manifest } from './render.ts';

describe('the right on logs', () => {
  it('is the one that the API uses', () => {
    expect(granted(readManifest('components/api/role-logs.yaml'))).toEqual(logsFeature.rights.map(({ verb, resource, subresource = '' }) => `${resource.group}/${resource.plural}/${subresource} ${verb}`));
  });
});

describe.runIf(hasKubectl)('components/api', () => {
  interface Container {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }
  const containerOf = (all: readonly Manifest[]): Container => {
    const { template } = find(all, 'Deployment', 'job-chief')['spec'] as { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
    return template.spec.containers[0];
  };

  it('switches the API on, where the Service finds it and the tokens are', () => {
    const all = buildWith('api', 'high-availability');
    const { env, ports, volumeMounts } = containerOf(all);
    const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    const { JOB_CHIEF_CONFIG: _file, ...others } = variables;
    const { config, warnings } = loadConfig({ env: others });
    expect(warnings).toEqual([]);
    expect(config.httpApi).toMatchObject({ enabled: true, tokens: volumeMounts.find(({ name }) => name === 'api-tokens')?.mountPath });
    expect(ports.find(({ name }) => name === 'api')?.containerPort).toBe(config.httpApi.listen.port);
    expect(find(all, 'Service', 'job-chief-api')['spec']).toMatchObject({ selector: { 'app.kubernetes.io/name': 'job-chief' }, ports: [{ targetPort: 'api' }] });
  });

  it('adds the right on logs, and no other', () => {
    const [without, with_] = [granted(buildWith('without-status')), granted(buildWith('without-status', 'api'))];
    expect(with_.filter((right) => !without.includes(right))).toEqual(['/pods/log get']);
  });
});
