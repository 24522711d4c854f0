import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { aJob, aPolicy, told } from './jobs.ts';

const limited = (limits: JsonObject, requests?: JsonObject): JsonObject => ({ resources: { limits, ...(requests ? { requests } : {}) } });
const container = (name: string, memory: string, more: JsonObject = {}): JsonObject => ({ name, image: 'x', ...limited({ memory }), ...more });
const sidecar = { restartPolicy: 'Always' };

describe('ceilings of a container', () => {
  const policy = aPolicy({ maxPerContainer: { cpu: '2', memory: '4Gi', 'nvidia.com/gpu': 1 } });
  const at = 'spec.containers[0].resources';
  it.each<[string, JsonObject, readonly string[]]>([
    ['at it', limited({ cpu: '2', memory: '4Gi' }), []],
    ['at it, in other words', limited({ cpu: '2000m', memory: '4294967296' }), []],
    ['a number', limited({ cpu: 2, memory: 4096 }), []],
    ['a hair above it', limited({ cpu: '2001m', memory: '4097Mi' }), [`${at}.limits.cpu`, `${at}.limits.memory`]],
    ['without a limit', {}, [`${at}.limits.cpu`, `${at}.limits.memory`]],
    ['with one of two', limited({ cpu: '1' }), [`${at}.limits.memory`]],
    ['with requests only', { resources: { requests: { cpu: '1', memory: '1Gi' } } }, [`${at}.limits.cpu`, `${at}.limits.memory`]],
    ['that asks for more than the limit could be', limited({ cpu: '1', memory: '1Gi' }, { memory: '5Gi' }), [`${at}.requests.memory`]],
    ['with too many devices', limited({ cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '2' }), [`${at}.limits["nvidia.com/gpu"]`]],
    ['with a limit that is none', limited({ cpu: 'lots', memory: ['1Gi'] }), [`${at}.limits.cpu`, `${at}.limits.memory`]],
    ['with a negative limit', limited({ cpu: '-1', memory: '1Gi' }), [`${at}.limits.cpu`]],
  ])('a container %s', (_what, resources, paths) => {
    expect(told(aJob({}, resources), policy)).toEqual(paths.map((path) => `${path} maxPerContainer`));
  });

  it('init containers have them too', () => {
    expect(told(aJob({ containers: [container('a', '1Gi')], initContainers: [container('i', '9Gi')] }), aPolicy({ maxPerContainer: { memory: '4Gi' } }))).toEqual(['spec.initContainers[0].resources.limits.memory maxPerContainer']);
  });

  it('a limit of the pod as a whole bounds containers that have none', () => {
    const some = aPolicy({ maxPerContainer: { memory: '4Gi' }, maxPerPod: { memory: '4Gi' } });
    expect(told(aJob({ resources: { limits: { memory: '4Gi' } } }), some)).toEqual([]);
    expect(told(aJob({ resources: { limits: { memory: '5Gi' } } }), some)).toEqual(['spec.containers[0].resources.limits.memory maxPerContainer', 'spec.resources.limits.memory maxPerPod']);
  });
});

describe('ceilings of a pod', () => {
  const policy = aPolicy({ maxPerPod: { memory: '4Gi' } });
  it.each<[string, JsonObject, boolean]>([
    ['two containers that fit together', { containers: [container('a', '2Gi'), container('b', '2Gi')] }, true],
    ['two that do not', { containers: [container('a', '2Gi'), container('b', '2049Mi')] }, false],
    ['init containers, which run before', { containers: [container('a', '4Gi')], initContainers: [container('i', '4Gi'), container('j', '4Gi')] }, true],
    ['a sidecar, which runs beside', { containers: [container('a', '3Gi')], initContainers: [container('s', '2Gi', sidecar)] }, false],
    ['a sidecar beside a large init container', { containers: [container('a', '1Gi')], initContainers: [container('s', '2Gi', sidecar), container('i', '3Gi')] }, false],
    ['one without a limit', { containers: [container('a', '1Gi'), { name: 'b', image: 'x' }] }, false],
    ['a limit for all together', { containers: [{ name: 'a', image: 'x' }, { name: 'b', image: 'x' }], resources: { limits: { memory: '4Gi' } } }, true],
  ])('%s', (_what, pod, allowed) => {
    expect(told(aJob(pod), policy).length === 0).toBe(allowed);
  });
});
