import { expect, test } from 'vitest';
import { requestFor, targetKey, targetName, targetOf, type RunRequest } from '../../../../src/plan/run/record.ts';
import type { RunTarget } from '../../../../src/spec/run.ts';

test.each<[string, RunRequest, RunTarget]>([
  ['a workflow', { workflow: 'etl', trigger: 'change' }, { kind: 'workflow', name: 'etl' }],
  ['a template', { template: 'resize', trigger: 'request' }, { kind: 'template', name: 'resize' }],
])('a request names %s', (_what, request, target) => {
  expect(targetOf(request)).toEqual(target);
  expect(targetKey(request)).toEqual(target);
  expect({ ...requestFor(target), trigger: request.trigger }).toEqual(request);
});

test('the key has the name as a label value, and so has a record whose request cannot be read', () => {
  const request: RunRequest = { template: 'a'.repeat(80), trigger: 'request' };
  const target = targetKey(request);
  expect(target.name).toHaveLength(63);
  expect([targetName({ request, target }), targetName({ request: undefined, target })]).toEqual(['a'.repeat(80), target.name]);
});
