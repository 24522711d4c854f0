import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../src/lib/json.ts';
import type { SourceState } from '../../../../src/plan/messages/message.ts';
import { longestRun, runLeaseTooShort } from '../../../../src/plan/messages/runs/lease-limit.ts';
import { longestParameters, parametersOf } from '../../../../src/plan/messages/runs/parameters.ts';
import { targetOfMessages } from '../../../../src/plan/messages/runs/target.ts';
import type { Attempt, RunState } from '../../../../src/plan/run/state.ts';
import { untried } from '../../../../src/plan/run/untried.ts';
import { parseSpec } from '../../../../src/spec/parse.ts';
import { isRunnable, type ParsedSpec } from '../../../../src/spec/parsed.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';

function parsed(kind: 'Template' | 'Workflow', ...lines: readonly string[]): ParsedSpec {
  return parseSpec({ file: 'f', objectName: 'thumbnail', label: kind.toLowerCase(), data: { 'spec.yaml': ['apiVersion: job-chief/v1', `kind: ${kind}`, ...lines].join('\n') } }, {});
}

function specOf(kind: 'Template' | 'Workflow', ...lines: readonly string[]): WorkflowSpec {
  const { spec, problems } = parsed(kind, ...lines);
  if (!isRunnable(spec)) throw new Error(JSON.stringify(problems));
  return spec;
}

const target = { kind: 'template', name: 'thumbnail' } as const;
const job = 'job: {image: x}';
const sized = 'parameters: {width: {type: integer, maximum: 10}, note: {type: string, default: none}}';

describe('what messages start runs of', () => {
  const held = (view: ParsedSpec | undefined, parameters: Record<string, Json> = {}): unknown => targetOfMessages({ target, parameters }, { target: view });

  it.each<[what: string, view: ParsedSpec | undefined, parameters: Record<string, Json>, stand: object]>([
    ['that nothing defines', undefined, {}, { state: 'Waiting', reason: 'TargetUnknown', message: 'waits for template "thumbnail", which nothing defines' }],
    ['whose text has errors', parsed('Template', 'jobs: {}'), {}, { state: 'Waiting', reason: 'TargetBroken', message: 'waits for template "thumbnail", whose spec has errors' }],
    ['that takes no requests', parsed('Workflow', 'trigger: {onChange: true}', 'steps: [{name: a, job: {image: x}}]'), {}, { state: 'Waiting', reason: 'RequestRefused' }],
    ['that is suspended', parsed('Template', job, 'suspend: true'), {}, { state: 'Waiting', reason: 'SpecSuspended' }],
    ['that is only observed', parsed('Template', job, 'observe: true'), {}, { state: 'Waiting', reason: 'SpecObserved' }],
    ['that needs a value which nobody gives', parsed('Template', sized, job), {}, { state: 'Rejected', reason: 'ParametersRefused', message: 'parameters.width: the parameter "width" needs a value of type integer' }],
    ['that has no such parameter', parsed('Template', sized, job), { width: 3, wide: '$(message.id)' }, { state: 'Rejected', reason: 'ParametersRefused', message: 'parameters.wide: there is no parameter "wide"; there is width, note' }],
    ['that does not take a value of the Queue itself', parsed('Template', sized, job), { width: 11 }, { state: 'Rejected', reason: 'ParametersRefused' }],
  ])('holds all messages: %s', (_, view, parameters, stand) => {
    expect(held(view, parameters)).toMatchObject({ held: stand });
  });

  it('is not known where records are not read', () => {
    expect(targetOfMessages({ target, parameters: {} }, { target: parsed('Template', job), recordsUnknown: { reason: 'Forbidden', message: 'no right' } })).toEqual({ held: { state: 'Blocked', reason: 'Forbidden', message: 'no right' } });
  });

  it('takes values that nobody knows before there is a message', () => {
    expect(held(parsed('Template', sized, job), { width: '$(message.body.width)' })).toMatchObject({ spec: { name: 'thumbnail' } });
  });
});

describe('parameters of a run that a message starts', () => {
  const { parameters: declared } = specOf('Template', sized, job);
  const of = (body: Json, given: Record<string, Json> = { width: '$(message.body.width)' }): unknown => parametersOf(given, declared, { id: 'a', attempt: 1, sha256: '', headers: {}, body: () => body });

  it('are what is declared', () => {
    expect(of({ width: 7 })).toEqual({ parameters: { width: 7 } });
    expect(of({ width: '7' })).toEqual({ parameters: { width: 7 } });
  });

  it.each<[what: string, body: Json, given: Record<string, Json> | undefined, problem: string]>([
    ['of another type', { width: [] }, undefined, 'the parameter "width" does not fit its declaration, type'],
    ['that is null', { width: null }, undefined, 'the parameter "width" does not fit its declaration, type'],
    ['that is too large a number', { width: 11 }, undefined, 'the parameter "width" does not fit its declaration, maximum'],
    ['a text that is no number', { width: 'secret' }, undefined, 'the parameter "width" cannot be made: the text is not a whole number'],
    ['with a NUL', { note: 'a\0b' }, { width: 1, note: '$(message.body.note)' }, 'the parameter "note" has a NUL'],
    ['that is not there', {}, { note: 'x' }, 'the parameter "width" has no value'],
  ])('are none with a value %s, and nothing of it is repeated', (_, body, given, problem) => {
    expect(of(body, given)).toEqual({ problem });
  });

  it('are none where a record has no room for them', () => {
    expect(of({ note: 'x'.repeat(longestParameters) }, { width: 1, note: '$(message.body.note)' })).toEqual({ problem: expect.stringMatching(/^its parameters have 4000\d\d bytes as JSON, and may have 400000$/) as unknown });
  });
});

describe('how long a run may take', () => {
  it.each<[what: string, spec: WorkflowSpec, longest: number | undefined]>([
    ['as its Job, with all tries', specOf('Template', job, 'startTimeout: 1m', 'timeout: 2m', 'retry: {attempts: 2, delay: 10s}'), 370_000],
    ['as nobody knows, without a timeout', specOf('Template', job), undefined],
    ['as its steps one after the other', specOf('Workflow', 'trigger: {onRequest: true}', 'steps: [{name: a, job: {image: x}, startTimeout: 1m, timeout: 1m}]', 'finally: [{name: b, job: {image: x}, startTimeout: 1m, timeout: 1m}]'), 240_000],
    ['as nobody knows, where items take turns', specOf('Workflow', 'trigger: {onRequest: true}', 'steps: [{name: a, job: {image: x, args: [$(item)]}, timeout: 1m, forEach: {items: [1, 2]}, maxParallel: 1}]'), undefined],
  ])('is %s', (_, spec, longest) => {
    expect(longestRun(spec)).toBe(longest);
  });

  it('is compared with how long a message can be held', () => {
    const retry = { attempts: 1, within: undefined, delay: 0, factor: 1, maxDelay: 0, exitCodes: undefined, onOOM: undefined };
    const open = (leaseLimit: number, strict: boolean): Extract<SourceState, { kind: 'open' }> => ({ kind: 'open', leaseLimit, strict, limitName: 'the limit' });
    const of = (spec: WorkflowSpec, source: Extract<SourceState, { kind: 'open' }>, settle: 'onCompletion' | 'onJobCreated' = 'onCompletion'): string | undefined =>
      runLeaseTooShort({ perMessage: { settle, retry, payload: { file: undefined, env: undefined }, env: {}, schema: undefined, deadLetter: undefined, waitAfter: { notStarted: 0, refused: 0 } } }, { run: { target, parameters: {} }, target: spec }, source)?.message;
    const bounded = specOf('Template', job, 'startTimeout: 1m', 'timeout: 2m');
    expect(of(bounded, open(200_000, true))).toBeUndefined();
    expect(of(bounded, open(180_000, true))).toBe('a message can be held for 3m (the limit), and a run of template "thumbnail" may take 3m: lower its timeouts, raise that limit, or set settle: onJobCreated');
    expect(of(specOf('Template', job), open(200_000, true))).toBe('a message can be held for 3m20s (the limit), and nothing says how long a run of template "thumbnail" may take: set timeout in the template, or set settle: onJobCreated');
    expect([of(specOf('Template', job), open(200_000, false)), of(bounded, open(1, true), 'onJobCreated')]).toEqual([undefined, undefined]);
  });
});

describe('a run that failed before anything of it ran', () => {
  const attempt = (outcome: NonNullable<Attempt['outcome']>, more: Partial<Attempt> = {}): Attempt => ({ job: 'j', at: 1, outcome, ...more });
  const failed = (steps: RunState['steps'], end: Partial<RunState['end']> = {}): RunState => ({ startedAt: 0, steps, undo: {}, end: { outcome: 'failed', reason: 'StepFailed', message: '', at: 2, failedSteps: [], ...end } });

  it.each<[what: string, state: RunState, expected: string | undefined]>([
    ['did not start', failed({ a: { outcome: 'notStarted', attempts: [attempt('notStarted')] } }), 'notStarted'],
    ['was refused', failed({ a: { outcome: 'refused', attempts: [attempt('refused')] }, b: { outcome: 'omitted' } }), 'refused'],
    ['was lost before it started', failed({ a: { outcome: 'errored', attempts: [attempt('errored')] } }), 'errored'],
    ['did not start, after it was lost', failed({ a: { outcome: 'notStarted', attempts: [attempt('errored'), attempt('notStarted')] } }), 'notStarted'],
    ['of which no item started', failed({ a: { outcome: 'notStarted', items: [{ attempts: [attempt('notStarted')] }, { attempts: [] }] } }), 'notStarted'],
    ['ran and was lost', failed({ a: { outcome: 'errored', attempts: [attempt('errored', { ranAt: 1 })] } }), undefined],
    ['ran and failed', failed({ a: { outcome: 'failed', attempts: [attempt('failed')] } }), undefined],
    ['had a step that succeeded', failed({ a: { outcome: 'succeeded', attempts: [attempt('succeeded')] }, b: { outcome: 'notStarted', attempts: [attempt('notStarted')] } }), undefined],
    ['had a step carried over', failed({ a: { outcome: 'succeeded', from: 'earlier' }, b: { outcome: 'notStarted', attempts: [attempt('notStarted')] } }), undefined],
    ['could not be made of its own values', failed({ a: { outcome: 'errored', reason: 'ItemsInvalid' } }), undefined],
    ['was cancelled', failed({ a: { outcome: 'cancelled', attempts: [attempt('notStarted')] } }, { outcome: 'cancelled' }), undefined],
    ['is not over', { startedAt: 0, steps: {}, undo: {} }, undefined],
  ])('%s', (_, state, expected) => {
    expect(untried(state)).toBe(expected);
  });
});
