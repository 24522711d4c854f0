import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayAt, objectAt, type JsonObject } from '../../../../src/lib/json.ts';
import { memoryOf, withMemory } from '../../../../src/plan/run/memory.ts';
import { aTemplateWithMemory } from '../../../support/steps.ts';

const podOf = (template: JsonObject): JsonObject => objectAt(objectAt(objectAt(template, 'spec'), 'template'), 'spec');
const memory = (limits?: string, requests?: string): JsonObject => ({ resources: { ...(limits === undefined ? {} : { limits: { memory: limits } }), ...(requests === undefined ? {} : { requests: { memory: requests } }) } });
const template = (containers: JsonObject[], pod: JsonObject = {}): JsonObject => ({ spec: { template: { spec: { ...pod, containers } } } });
const resources = (of: JsonObject) => arrayAt(podOf(of), 'containers').map((container) => objectAt(container, 'resources'));

describe('the memory of a template', () => {
  it.each<[string, JsonObject, bigint | undefined]>([
    ['is the limit of its container', template([memory('1Ki', '1')]), 1024n],
    ['is that of the largest of several', template([memory('1Ki'), memory('3Ki'), memory('2Ki')]), 3072n],
    ['is the request where no container has a limit', template([memory(undefined, '2Ki')]), 2048n],
    ['is a limit though another container requests more', template([memory('1Ki'), memory(undefined, '2Ki')]), 1024n],
    ['is that of the pod where no container says', template([{}], memory('4Ki')), 4096n],
    ['may be a plain number', template([{ resources: { limits: { memory: 1000 } } }]), 1000n],
    ['is not known where nobody says', template([{}]), undefined],
    ['is not known of garbage', { spec: 3 }, undefined],
  ])('%s', (_sentence, of, bytes) => {
    expect(memoryOf(of)).toBe(bytes);
  });
});

describe('a template with more memory', () => {
  it('has it as limit and request, as far as they are set, and all else as before', () => {
    const raised = withMemory(aTemplateWithMemory({ limits: '512Mi', requests: '128Mi' }), '1Gi');
    expect(resources(raised)).toEqual([{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }]);
    expect(resources(withMemory(aTemplateWithMemory({ limits: '512Mi' }), '1Gi'))).toEqual([{ limits: { cpu: '1', memory: '1Gi' } }]);
  });

  it('raises the largest container only, and what bounds the pod with it', () => {
    const raised = withMemory(template([memory('512Mi'), memory('64Mi')], memory('1Gi')), '1Gi');
    expect(resources(raised)).toEqual([{ limits: { memory: '1Gi' } }, { limits: { memory: '64Mi' } }]);
    expect(podOf(raised)['resources']).toEqual({ limits: { memory: '1536Mi' } });
  });

  it('raises the pod where only that is bounded', () => {
    const raised = withMemory(template([{ name: 'main' }], memory('1Gi')), '2Gi');
    expect([podOf(raised)['resources'], arrayAt(podOf(raised), 'containers')]).toEqual([{ limits: { memory: '2Gi' } }, [{ name: 'main' }]]);
  });

  it.each([[undefined], ['much']])('is itself with %s', (wanted) => {
    const before = aTemplateWithMemory({ limits: '512Mi' });
    expect(withMemory(before, wanted)).toBe(before);
  });

  it('has the memory that it was given, whatever it was', () => {
    const amount = fc.integer({ min: 1, max: 1 << 20 }).map((kibibytes) => `${kibibytes}Ki`);
    fc.assert(fc.property(fc.array(amount, { minLength: 1, maxLength: 4 }), (limits) => {
      expect(memoryOf(withMemory(template(limits.map((each) => memory(each))), '4Gi'))).toBe(4n << 30n);
    }));
  });
});
