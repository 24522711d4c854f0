import { describe, expect, it } from 'vitest';
import { highAvailability } from '../../../src/adapters/kubernetes/features.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { buildWith, find, hasKubectl, readManifest, type Manifest, type Rule } from './render.ts';

type LeaseRule = Rule & { readonly resourceNames?: string[] };
const role = find(readManifest('components/high-availability/role-lease.yaml'), 'Role', 'job-chief-lease')['rules'] as LeaseRule[];

describe('the right on Leases', () => {
  it('is for the one Lease that the configuration names, but for its creation', () => {
    const { lease } = loadConfig({ env: {} }).config.highAvailability;
    const granted = role.flatMap(({ verbs, resourceNames }) => verbs.map((verb) => ({ verb, name: resourceNames?.join() })));
    expect(granted).toEqual(highAvailability(lease).rights.map(({ verb, name }) => ({ verb, name })));
  });
});

describe.runIf(hasKubectl)('components/high-availability', () => {
  interface Spec {
    readonly replicas: number;
    readonly strategy: unknown;
    readonly selector: unknown;
    readonly template: { readonly spec: { readonly containers: { readonly env: { readonly name: string; readonly value: string }[] }[]; readonly topologySpreadConstraints: { readonly labelSelector: unknown }[] } };
  }
  const specOf = (all: readonly Manifest[]): Spec => find(all, 'Deployment', 'job-chief')['spec'] as Spec;

  it('runs two replicas that overlap, and tells them so', () => {
    const spec = specOf(buildWith('high-availability'));
    expect(spec).toMatchObject({ replicas: 2, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
    const env = Object.fromEntries(spec.template.spec.containers.flatMap((one) => one.env).map(({ name, value }) => [name, value]));
    expect(env['JOB_CHIEF_CONFIG']).toBe('/etc/job-chief/config.yaml');
    const { JOB_CHIEF_CONFIG: _file, ...others } = env;
    const { config, warnings } = loadConfig({ env: others });
    expect([config.highAvailability.enabled, warnings]).toEqual([true, []]);
  });

  it('spreads and protects the pods of the Deployment', () => {
    const all = buildWith('high-availability');
    const spec = specOf(all);
    expect(spec.template.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector)).toEqual([spec.selector]);
    expect(find(all, 'PodDisruptionBudget', 'job-chief')['spec']).toEqual({ maxUnavailable: 1, selector: spec.selector });
  });

  it('goes with specs from files', () => {
    expect(specOf(buildWith('files-only', 'high-availability')).replicas).toBe(2);
  });
});
