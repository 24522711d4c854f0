import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../src/plan/observed.ts';
import { depthDemand, podsFor } from '../../../src/plan/start.ts';
import { anEndedJob, aClaim, aQueueSpec, minutes, noon, observed, observedOf, passed, ready, seconds, unreachable, verdict } from '../../support/builders.ts';
import { acts, planAt, standing } from '../../support/planning.ts';

const idle = (...outcomes: ('succeeded' | 'failed')[]): Pick<Observed, 'jobs'> => ({ jobs: outcomes.map((outcome, index) => anEndedJob(outcome, { sequence: index + 1, at: noon - minutes(20) })) });

describe('a free queue', () => {
  it.each([
    ['an unchecked template starts nothing, whatever waits', { verdict: undefined, depth: ready(5) }, 'Checking', 'SpecChecking', 'the API server is asked whether it would take the Job'],
    ['a verdict on another revision says nothing', { verdict: passed('hash-0'), depth: ready(5) }, 'Checking', 'SpecChecking', 'the API server is asked whether it would take the Job'],
    ['a refused template is a problem of the spec', { verdict: verdict('refused', { message: 'spec.template: invalid' }), depth: ready(5) }, 'Rejected', 'TemplateRefused', 'spec.template: invalid'],
    ['a missing right blocks', { verdict: verdict('forbidden'), depth: ready(5) }, 'Blocked', 'Forbidden', 'the API server said so'],
    ['an API server that cannot say is asked again', { verdict: verdict('unknown'), depth: ready(5) }, 'Checking', 'TemplateUnchecked', 'the dry run of the Job got no clear answer: the API server said so'],
    ['a queue that nobody has read starts nothing', {}, 'Checking', 'SpecChecking', 'the queue is being looked at'],
    ['an unknown depth is never zero', { depth: unreachable() }, 'Blocked', 'QueueUnreachable', 'connection refused'],
    ['an empty queue is idle', { depth: ready(0) }, 'Idle', 'QueueEmpty', 'no message is ready'],
    ['deferred messages are no work yet', { depth: ready(0, 'after nothing', { nextReadyAt: noon + 1 }) }, 'Idle', 'QueueEmpty', 'no message is ready'],
    ["a reading from before the last Job's end starts nothing", { ...idle('succeeded'), depth: ready(5, 'after nothing') }, 'Checking', 'SpecChecking', 'the queue is being looked at'],
    ['a reading about the Job before the last one starts nothing', { ...idle('succeeded', 'succeeded'), depth: ready(5, 'after Job thumbnails-1') }, 'Checking', 'SpecChecking', 'the queue is being looked at'],
    ['a reading that was made to scale the last Job starts nothing', { ...idle('succeeded'), depth: ready(5, 'scale thumbnails-1 from 1') }, 'Checking', 'SpecChecking', 'the queue is being looked at'],
  ] as const)('%s', (_sentence, changes, state, reason, message) => {
    expect(standing(observed(changes))).toEqual({ state, reason, message });
    expect(acts(planAt(observed(changes)))).toEqual([]);
  });

  it.each([
    ['one message is enough', {}, 1],
    ['a reading after the last Job starts the next', idle('succeeded', 'failed'), 2],
  ] as const)('starts a Job: %s', (_sentence, changes, count) => {
    const after = 'jobs' in changes ? `after Job thumbnails-${count}` : 'after nothing';
    const view = observed({ ...changes, depth: ready(count, after) });
    expect(acts(planAt(view))).toEqual(['create QueueReady']);
    expect(planAt(view).actions[0]).toMatchObject({ because: `at least ${count} ready ${count === 1 ? 'message' : 'messages'}`, blueprint: { key: { kind: 'queue', name: 'thumbnails' }, name: 'thumbnails' } });
    expect(standing(view)).toEqual({ state: 'Starting', reason: 'QueueReady', message: 'messages are ready; a Job is being created' });
  });

  it.each(['ConnectionUnknown', 'QueueUnreachable', 'QueueForbidden', 'QueueNotFound', 'QueueUnsupported'] as const)('says %s as the reader said it', (reason) => {
    const depth = { question: 'after nothing', at: noon, result: { kind: 'unknown' as const, reason, message: 'because', since: noon } };
    expect(standing(observed({ depth }))).toEqual({ state: 'Blocked', reason, message: 'because' });
  });

  it.each([
    [1, 'would start a Job with 1 pod; observe is true'],
    [3, 'would start a Job with 3 pods; observe is true'],
  ])('with observe it says what it would start, for %i messages, and starts nothing', (count, message) => {
    const view = observedOf(aQueueSpec({ observe: true, drain: { pods: { max: 5 } } }), { depth: ready(count) });
    expect(standing(view)).toEqual({ state: 'Idle', reason: 'SpecObserved', message });
    expect(acts(planAt(view))).toEqual([]);
  });

  it('the pods of the Job follow the depth', () => {
    const view = observedOf(aQueueSpec({ drain: { pods: { max: 4, messagesPerPod: 10 } } }), { depth: ready(25) });
    expect(planAt(view).actions[0]).toMatchObject({ blueprint: { manifest: { spec: { parallelism: 3 } } } });
  });

  it('the question about the depth names all that the reader needs', () => {
    const spec = aQueueSpec({ source: { schema: 'jobs' }, drain: { checkInterval: seconds(3), pods: { max: 4, messagesPerPod: 10 } } });
    expect(depthDemand(spec, 'why?')).toEqual({ kind: 'depth', question: 'why?', source: { type: 'pgBoss', connection: 'main', schema: 'jobs', queue: 'thumbnails' }, upTo: 40, every: seconds(3) });
    expect(planAt(observedOf(spec)).demands).toEqual([depthDemand(spec, 'after nothing')]);
  });
});

describe('pods for a depth', () => {
  it.each([
    ['one pod for one message', 1, { min: 1, max: 9, messagesPerPod: 1 }, 1],
    ['one pod for each hundred messages, the last not full', 101, { min: 1, max: 9, messagesPerPod: 100 }, 2],
    ['never more than max', 1_000_000, { min: 1, max: 9, messagesPerPod: 1 }, 9],
    ['never fewer than min', 1, { min: 3, max: 9, messagesPerPod: 1 }, 3],
  ])('%s', (_sentence, count, pods, expected) => {
    expect(podsFor(aQueueSpec({ drain: { pods } }), count)).toBe(expected);
  });
});

describe('the dry run of a template', () => {
  const demandAt = (view: Observed, now = noon): unknown => planAt(view, now).demands.find((demand) => demand.kind === 'verdict');
  it('is asked for at once, with the smallest Job', () => {
    const view = observedOf(aQueueSpec({ drain: { pods: { min: 2, max: 5 } } }), { verdict: undefined });
    expect(demandAt(view)).toMatchObject({ kind: 'verdict', hash: 'hash-1', notBefore: noon, manifests: [{ manifest: { metadata: { generateName: 'job-chief-check-' }, spec: { parallelism: 2 } } }] });
    expect(planAt(view).wakeAt).toBeUndefined();
  });

  it.each([
    ['no clear answer is asked for again after a second', verdict('unknown'), seconds(1)],
    ['then after two, four, eight', verdict('unknown', { count: 4 }), seconds(8)],
    ['and then each minute', verdict('unknown', { count: 40 }), minutes(1)],
    ['a refusal after the wait for refusals', verdict('refused'), seconds(30)],
    ['a second refusal after twice that', verdict('refused', { count: 2 }), minutes(1)],
    ['a missing right as a refusal', verdict('forbidden', { count: 9 }), minutes(5)],
  ])('%s', (_sentence, given, pause) => {
    const view = observed({ verdict: given });
    expect(demandAt(view)).toMatchObject({ notBefore: noon + pause });
    expect(planAt(view).wakeAt).toBe(noon + pause);
  });

  it('while the repeated dry run is under way nobody is woken again and again', () => {
    expect(planAt(observed({ verdict: verdict('unknown') }), noon + seconds(1)).wakeAt).toBeUndefined();
    expect(planAt(observed({ verdict: verdict('unknown') }), noon + seconds(5)).wakeAt).toBeUndefined();
  });

  it('a template that has passed is not checked again', () => {
    expect(demandAt(observed())).toBeUndefined();
  });

  it('what the API server warned about is part of the status', () => {
    const { statuses } = planAt(observed({ verdict: passed('hash-1', ['would violate PodSecurity']), claims: [aClaim(aQueueSpec(), undefined, [{ code: 'Deprecated', severity: 'warning', message: 'old field' }])] }));
    expect(statuses[0]?.status.conditions[0]).toEqual({ type: 'Accepted', status: 'Unknown', reason: 'SpecChecking', message: 'old field; would violate PodSecurity' });
  });
});
