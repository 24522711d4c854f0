import { expect, it } from 'vitest';
import { targetOfMessages } from '../../../../src/plan/messages/runs/target.ts';
import { parseSpec } from '../../../../src/spec/parse.ts';

const template = JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Template', parameters: { width: { type: 'integer' } }, job: { image: 'a/b:1' } });
const target = () => parseSpec({ file: 'task', objectName: 'task', label: 'template', data: { 'spec.yaml': template } }, {});
const startOf = (parameters: Record<string, string>) => ({ target: { kind: 'template', name: 'task' }, parameters }) as const;
const refused = (reason: string) => ({ held: { state: 'Rejected', reason, message: expect.any(String) as string } });

it('what a Queue gives its runs is held against what is declared once, as long as neither text changes', () => {
  const run = startOf({ width: '$(message.body.width)' });
  let looks = 0;
  const parameters = new Proxy(run.parameters, { ownKeys: (given) => { looks += 1; return Reflect.ownKeys(given); } });
  const view = { target: target(), recordsUnknown: undefined };
  expect(targetOfMessages({ ...run, parameters }, view)).toHaveProperty('spec');
  const first = looks;
  expect(first).toBeGreaterThan(0);
  expect(targetOfMessages({ ...run, parameters }, view)).toHaveProperty('spec');
  expect(looks).toBe(first);
  expect(targetOfMessages({ ...run, parameters }, { ...view, target: target() })).toHaveProperty('spec');
  expect(looks).toBeGreaterThan(first);
});

it('what does not fit is said again each time', () => {
  const view = { target: target(), recordsUnknown: undefined };
  const run = startOf({ height: '3' });
  expect([targetOfMessages(run, view), targetOfMessages(run, view)]).toEqual([refused('ParametersRefused'), refused('ParametersRefused')]);
});
