import { describe, expect, it } from 'vitest';
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../../../../src/lib/json.ts';
import { kubernetesDefinitions } from '../../../../src/spec/generated/kubernetes-job.ts';
import { fieldTable } from '../../../../src/spec/pod-policy/check.ts';
import { rules } from '../../../../src/spec/pod-policy/rules.ts';

/** Class behind a field of Kubernetes; undefined for plain values. */
function classOf(field: unknown): string | undefined {
  const reference = stringAt(field, '$ref') ?? stringAt(objectAt(field, 'items'), '$ref');
  return reference?.replace('#/$defs/', '');
}

/** Classes that a Job can reach without passing a field that is denied. */
function reached(): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const { inside } of Object.values(fieldTable[name] ?? {})) if (inside !== undefined) visit(inside);
  };
  visit('Job');
  return [...found].filter((name) => name !== 'Job');
}

const properties = (name: string): JsonObject => objectAt(kubernetesDefinitions[name], 'properties');

describe('every field of Kubernetes is decided about', () => {
  it.each(reached().map((name) => [name]))('all of %s, and no others', (name) => {
    expect(Object.keys(fieldTable[name] ?? {}).toSorted()).toEqual(Object.keys(properties(name)).toSorted());
  });

  it.each(reached().map((name) => [name]))('what is inside the fields of %s is looked into, or denied as a whole', (name) => {
    const wrong = Object.entries(fieldTable[name] ?? {}).filter(([field, rule]) => rule.kind !== 'denied' && rule.inside !== classOf(properties(name)[field]) && !isOwners(field));
    expect(wrong).toEqual([]);
  });

  /** job-chief writes them itself, and those of a template are never copied. */
  const isOwners = (field: string): boolean => field === 'ownerReferences';

  it('no table is about a class that no Job can reach', () => {
    expect(Object.keys(fieldTable).toSorted()).toEqual(['Job', ...reached()].toSorted());
  });

  it('what is denied says why', () => {
    const silent = Object.entries(fieldTable).flatMap(([name, table]) => Object.entries(table).filter(([, rule]) => rule.kind === 'denied' && (rule.why ?? '') === '').map(([field]) => `${name}.${field}`));
    expect(silent).toEqual([]);
  });

  it('no rule goes unused', () => {
    const used = new Set(Object.values(fieldTable).flatMap((table) => Object.values(table).flatMap(({ by = [] }) => by)));
    expect([...used].toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  it('every name of a Secret and of a ConfigMap in Kubernetes follows its list', () => {
    const byName = Object.entries(fieldTable).flatMap(([name, table]) => Object.entries(table).filter(([field]) => /secretName$/i.test(field) || (field === 'name' && /Secret|ConfigMap/.test(name))).map(([field, rule]) => [`${name}.${field}`, rule.by?.[0]] as const));
    expect(byName.filter(([name, rule]) => rule !== (/ConfigMap/.test(name) ? 'configMaps' : 'secrets'))).toEqual([]);
    expect(byName.length).toBeGreaterThan(7);
  });

  it('a plain reference to an object in the same namespace always means a Secret', () => {
    const holders = Object.entries(kubernetesDefinitions).flatMap(([, definition]) => Object.entries(objectAt(definition, 'properties')).filter(([, field]) => classOf(field) === 'V1LocalObjectReference').map(([field]) => field));
    expect([...new Set(holders)].toSorted()).toEqual(['imagePullSecrets', 'nodePublishSecretRef', 'secretRef']);
  });

  it('the definitions are those that a Job has', () => {
    expect(isObject(kubernetesDefinitions['V1PodSpec'])).toBe(true);
    expect(arrayAt(kubernetesDefinitions['V1PodSpec'], 'required')).toEqual(['containers']);
  });
});
