import { describe, expect, it } from 'vitest';
import { stepNews } from '../../../../src/plan/run/news.ts';
import type { RunState, StepOutcome, StepState } from '../../../../src/plan/run/state.ts';
import { aState } from '../../../support/record-fakes.ts';

const withStep = (load: StepState): RunState => aState({ steps: { load } });
const open = withStep({ attempts: [{ job: 'j1', at: 1 }] });
const told = (before: RunState, after: RunState): unknown[] => stepNews(before, after).map(({ code, outcome, message, told: isTold }) => [code, outcome, message, isTold]);

describe('news of steps', () => {
  it.each([
    ['succeeded', 'StepSucceeded', 'step "load" succeeded', false],
    ['failed', 'StepFailed', 'step "load" failed', true],
    ['errored', 'StepFailed', 'step "load" was lost', true],
    ['notStarted', 'StepFailed', 'step "load" did not start', true],
    ['refused', 'StepFailed', 'step "load" was refused', true],
    ['skipped', 'StepSkipped', 'step "load" is skipped', false],
    ['omitted', 'StepSkipped', 'step "load" is omitted', false],
    ['cancelled', 'RunStopping', 'step "load" was cancelled', false],
  ] as const satisfies readonly (readonly [StepOutcome, string, string, boolean])[])('a step that is %s is told once', (outcome, code, message, isTold) => {
    const ended = withStep({ attempts: [{ job: 'j1', at: 1 }], outcome });
    expect(told(open, ended)).toEqual([[code, outcome, message, isTold]]);
    expect(told(ended, ended)).toEqual([]);
    // The Job controller's verdict came later: the step's outcome is no news any more.
    expect(told(ended, withStep({ attempts: [{ job: 'j1', at: 1, verdict: 'Complete' }], outcome }))).toEqual([]);
  });

  it('reason and message say why', () => {
    expect(told(open, withStep({ outcome: 'failed', reason: 'OOMKilled', message: 'exit 137' }))).toEqual([['StepFailed', 'failed', 'step "load" failed (OOMKilled: exit 137)', true]]);
    expect(told(open, withStep({ outcome: 'omitted', reason: 'RunStopping', message: '' }))).toEqual([['StepSkipped', 'omitted', 'step "load" is omitted (RunStopping)', false]]);
  });

  it('another attempt is told with what ended the one before; the first one is none', () => {
    const again = withStep({ attempts: [{ job: 'j1', at: 1, outcome: 'failed', reason: 'Error', message: 'exit 1' }, { job: 'j2', at: 9 }] });
    expect(told(open, again)).toEqual([['StepRetry', undefined, 'step "load" goes into attempt 2 after Error: exit 1', true]]);
    expect(told(aState(), open)).toEqual([]);
  });

  it('of items each retry is told, not each outcome', () => {
    const items = (...attempts: number[]): RunState => withStep({ items: attempts.map((count) => ({ attempts: Array.from({ length: count }, (_, index) => ({ job: `j${index}`, at: index })) })) });
    expect(told(items(1, 1, 0), items(1, 2, 1))).toEqual([['StepRetry', undefined, 'step "load" item 1 goes into attempt 2', true]]);
  });

  it('that somebody is asked for an approval is told once, with how to give it', () => {
    const asked = withStep({ attempts: [{ job: 'load', at: 1 }] });
    expect(told(aState(), asked)).toEqual([['WaitsForApproval', undefined, 'step "load" waits for an approval: annotation job-chief/approvals=load (or load=rejected) on the record', true]]);
    expect(told(asked, withStep({ attempts: [{ job: 'load', at: 1, seen: true }] }))).toEqual([]);
    // Given before it was asked for.
    expect(told(aState(), withStep({ attempts: [{ job: 'load', at: 1, outcome: 'succeeded' }], outcome: 'succeeded' }))).toEqual([['StepSucceeded', 'succeeded', 'step "load" succeeded', false]]);
  });

  it('undo jobs are told as such', () => {
    expect(told(aState(), aState({ undo: { load: { outcome: 'failed' } } }))).toEqual([['StepFailed', 'failed', 'undo of step "load" failed', true]]);
  });

  it('a step may have a name that every object has a property of', () => {
    expect(told(aState(), aState({ steps: { constructor: { outcome: 'succeeded' } } as RunState['steps'] }))).toEqual([['StepSucceeded', 'succeeded', 'step "constructor" succeeded', false]]);
  });
});
