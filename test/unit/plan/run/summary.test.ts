import { describe, expect, it } from 'vitest';
import { isOver, phaseOf, resultOf } from '../../../../src/plan/run/summary.ts';
import { aState, over } from '../../../support/record-fakes.ts';
import { noon } from '../../../support/builders.ts';

describe('what the metadata of a record says', () => {
  it.each([['succeeded', 'Succeeded'], ['failed', 'Failed'], ['cancelled', 'Cancelled']] as const)('of a run that %s', (outcome, phase) => {
    const state = aState({ end: { outcome, reason: 'RunFailed', message: 'm'.repeat(2000), at: noon + 1, failedSteps: ['a'] } });
    expect([phaseOf(state, true), isOver(phaseOf(state, false))]).toEqual([phase, true]);
    expect(resultOf(state)).toEqual({ outcome, reason: 'RunFailed', message: 'm'.repeat(1024), startedAt: noon, finishedAt: noon + 1, failedSteps: ['a'] });
  });

  it('of a run that goes on', () => {
    expect([phaseOf(aState(), false), phaseOf(aState(), true), resultOf(aState())]).toEqual(['Running', 'Suspended', undefined]);
    expect((['Queued', 'Running', 'Suspended'] as const).map(isOver)).toEqual([false, false, false]);
  });

  it('of a run of which thousands of steps failed, names the first of them', () => {
    const failedSteps = Array.from({ length: 5000 }, (_, index) => `${index}`.padStart(63, 'x'));
    expect(resultOf(aState({ end: { outcome: 'failed', reason: 'StepFailed', message: '', at: noon, failedSteps } }))?.failedSteps).toEqual(failedSteps.slice(0, 100));
  });

  it('with the outputs of the run, where it has any', () => {
    expect(resultOf(over)).not.toHaveProperty('outputs');
    expect(resultOf(aState({ end: { outcome: 'succeeded', reason: 'RunSucceeded', message: '', at: noon, failedSteps: [], outputs: { rows: 3 } } }))).toMatchObject({ outputs: { rows: 3 } });
  });
});
