import { expect, it } from 'vitest';
import { targetOfMessages } from '../../../../src/plan/messages/runs/target.ts';
import type { TemplateVerdict } from '../../../../src/plan/observed.ts';
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

it('nothing is leased for runs that would only be queued: until the API server would take their Jobs', () => {
  const parsed = target();
  const at = { at: 0, count: 1 };
  const held = (targetVerdict: TemplateVerdict | 'unasked' | undefined): unknown => targetOfMessages(startOf({ width: '$(message.body.width)' }), { target: parsed, targetVerdict });
  const verdict = (result: TemplateVerdict['result'], hash = parsed.hash ?? ''): TemplateVerdict => ({ ...at, hash, result });
  expect(held(undefined)).toHaveProperty('spec');
  expect(held(verdict({ kind: 'passed', warnings: [] }))).toHaveProperty('spec');
  expect([held('unasked'), held(verdict({ kind: 'passed', warnings: [] }, 'of another text'))]).toMatchObject([{ held: { state: 'Checking', reason: 'SpecChecking' } }, { held: { state: 'Checking', reason: 'SpecChecking' } }]);
  expect((['refused', 'denied', 'forbidden', 'unknown'] as const).map((kind) => held(verdict({ kind, message: 'no' })))).toMatchObject([
    { held: { state: 'Waiting', reason: 'TemplateRefused', message: 'waits for template "task": no' } },
    { held: { state: 'Waiting', reason: 'PolicyDenied', message: 'waits for template "task": no' } },
    { held: { state: 'Blocked', reason: 'Forbidden', message: 'waits for template "task": no' } },
    { held: { state: 'Checking', reason: 'TemplateUnchecked' } },
  ]);
});
