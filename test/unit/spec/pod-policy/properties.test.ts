import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../../../../src/lib/json.ts';
import { kubernetesDefinitions } from '../../../../src/spec/generated/kubernetes-job.ts';
import { policyFindings } from '../../../../src/spec/pod-policy/check.ts';
import { aPolicy } from './jobs.ts';

const words = ['app', 'main-db', 'job-chief', 'default', 'ghcr.io/acme/app:1', 'alpine', 'Always', 'Default', 'Unmasked', 'ALL', 'SYS_ADMIN', 'Bidirectional', 'None', 'kernel.shmmax', 'net.ipv4.tcp_syncookies', 'RuntimeDefault', '1Gi', ''];

/** Any value of a class of Kubernetes, most fields left out. */
function anything(schema: Json | undefined, depth: number): fc.Arbitrary<Json> {
  const reference = stringAt(schema, '$ref');
  if (reference !== undefined) return depth <= 0 ? fc.constant({}) : mapping(objectAt(objectAt(kubernetesDefinitions, reference.replace('#/$defs/', '')), 'properties'), depth - 1);
  const type = isObject(schema) ? schema['type'] : undefined;
  switch (Array.isArray(type) ? type[0] : type) {
    case 'array':
      return fc.array(anything(objectAt(schema, 'items'), depth), { maxLength: 2 });
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.constantFrom(0, 1, 80);
    case 'object':
      return fc.dictionary(fc.constantFrom('a', 'memory', 'share'), fc.constantFrom(...words), { maxKeys: 2 });
    default:
      return fc.constantFrom(...words);
  }
}

function mapping(properties: JsonObject, depth: number): fc.Arbitrary<Json> {
  const names = Object.keys(properties);
  if (names.length === 0) return fc.constant({});
  return fc.subarray(names, { maxLength: Math.min(names.length, 4) }).chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, anything(properties[name], depth)]))));
}

const job = anything({ $ref: '#/$defs/V1PodSpec' }, 5).map((pod): JsonObject => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: {}, spec: { template: { spec: { containers: [{ name: 'main', image: 'ghcr.io/acme/app' }], ...(isObject(pod) ? pod : {}) } } } }));

/** Every field and value, however deep, with the names that lead to it. */
function* walk(value: Json | undefined, path: readonly string[] = []): Generator<{ name: string; parent: string; value: Json; path: readonly string[] }> {
  if (Array.isArray(value)) {
    for (const entry of value) yield* walk(entry, path);
  } else if (isObject(value)) {
    for (const [name, entry] of Object.entries(value)) {
      if (entry === undefined || entry === null) continue;
      yield { name, parent: path.at(-1) ?? '', value: entry, path };
      yield* walk(entry, [...path, name]);
    }
  }
}

const forbidden = new Set(['hostPath', 'gitRepo', 'hostPort']);

describe('what the checker lets through', () => {
  it('has nothing in it that is never allowed', () => {
    let passed = 0;
    fc.assert(fc.property(job, (one) => {
      if (policyFindings(one, aPolicy()).length > 0) return;
      passed += 1;
      for (const { name, value, parent } of walk(one)) {
        if (['privileged', 'hostNetwork', 'hostPID', 'hostIPC', 'hostProcess'].includes(name)) expect(value).toBe(false);
        if (forbidden.has(name)) expect(value).toBe(0);
        if (name === 'add' && parent === 'capabilities') expect(value).toEqual([]);
        if (name === 'procMount') expect(['Default', '']).toContain(value);
        if (name === 'mountPropagation') expect(['None', 'HostToContainer']).toContain(value);
        if (name === 'ephemeralContainers') expect(value).toEqual([]);
        if (name === 'serviceAccountName' || name === 'serviceAccount') expect(value).not.toBe('job-chief');
        if ((name === 'name' && /secret/i.test(parent)) || name === 'secretName') expect(value).not.toBe('main-db');
      }
    }), { numRuns: 3000, seed: 7 });
    expect(passed).toBeGreaterThan(300);
  });

  it('has only images, Secrets and types of volumes that are listed', () => {
    const policy = aPolicy({ imagePrefixes: ['ghcr.io/acme'], secrets: ['app'], volumeTypes: ['secret', 'emptyDir', 'projected'] });
    fc.assert(fc.property(job, (one) => {
      if (policyFindings(one, policy).length > 0) return;
      const pod = objectAt(objectAt(objectAt(one, 'spec'), 'template'), 'spec');
      for (const list of ['containers', 'initContainers']) for (const container of arrayAt(pod, list)) if (isObject(container) && container['image'] !== undefined) expect(['ghcr.io/acme/app', 'ghcr.io/acme/app:1']).toContain(container['image']);
      for (const volume of arrayAt(pod, 'volumes')) expect(Object.keys(volume as JsonObject).filter((field) => !['name', 'secret', 'emptyDir', 'projected'].includes(field))).toEqual([]);
      for (const { name, value, parent } of walk(pod)) if (name === 'secretName' || (name === 'name' && /secret/i.test(parent))) expect(value).toBe('app');
    }), { numRuns: 2000, seed: 11 });
  });

  it('is let through by a laxer policy too', () => {
    const lax = aPolicy();
    const strict = aPolicy({ restricted: true, secrets: ['app'], imagePrefixes: ['ghcr.io/acme'], serviceAccounts: ['default', 'app'], tolerations: [], configMaps: [] });
    fc.assert(fc.property(job, (one) => policyFindings(one, lax).length <= policyFindings(one, strict).length), { numRuns: 500, seed: 13 });
  });

  it('is judged the same whatever stands in fields that are left empty', () => {
    fc.assert(fc.property(job, (one) => {
      const withNull = JSON.parse(JSON.stringify(one)) as JsonObject;
      objectAt(objectAt(withNull, 'spec'), 'template')['metadata'] = null;
      expect(policyFindings(withNull, aPolicy()).length).toBe(policyFindings(one, aPolicy()).length);
    }), { numRuns: 300, seed: 17 });
  });
});
