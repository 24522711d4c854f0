import { describe, expect, it } from 'vitest';
import { hasStarted, isAlive, isLive, jobState } from '../../../src/plan/job-state.ts';
import { aFailedPod, aJob, aPod, aRunningPod, complete, endingNote, failed, finalNote } from '../../support/builders.ts';

describe('where a Job stands', () => {
  const table = [
    ['a Job without pods is podless', aJob(), 'podless'],
    ['a Job whose pods have not started is starting', aJob({ pods: [aPod()] }), 'starting'],
    ['a Job with a started container is running', aJob({ pods: [aPod(), aRunningPod({ name: 'pod-b' })] }), 'running'],
    ['a Job whose only started pod is gone but succeeded is running', aJob({ succeededPods: 1 }), 'running'],
    ['a Job whose pod failed and was not replaced yet is running', aJob({ pods: [aFailedPod(1)] }), 'running'],
    ['a suspended Job is suspended, whatever its pods did before', aJob({ suspended: true, pods: [aRunningPod()] }), 'suspended'],
    ['a Job that was given up on is ending', aJob({ recorded: endingNote('notStarted'), pods: [aRunningPod()] }), 'ending'],
    ['a Job that was given up on while suspended is ending', aJob({ recorded: endingNote('errored'), suspended: true }), 'ending'],
    ['a final note on a Job that has no verdict changes nothing', aJob({ recorded: finalNote('failed') }), 'podless'],
    ['a Job with a verdict and no living pod is finished', aJob({ finished: complete(), pods: [aPod({ phase: 'Succeeded' })] }), 'finished'],
    ['a Job with a verdict and a living pod lingers', aJob({ finished: failed(), pods: [aRunningPod()] }), 'lingering'],
    ['a pod on a lost node lives on', aJob({ finished: failed(), pods: [aPod({ phase: 'Unknown' })] }), 'lingering'],
    ['a Job with a deletionTimestamp is deleting, finished or not', aJob({ deleting: true, finished: complete() }), 'deleting'],
  ] as const;
  it.each(table)('%s', (_sentence, job, state) => {
    expect(jobState(job)).toBe(state);
  });

  it.each(table)('the slot is taken unless the Job is finished: %s', (_sentence, job, state) => {
    expect(isLive(job)).toBe(state !== 'finished');
  });
});

describe('pods', () => {
  it.each([
    ['Pending', true],
    ['Running', true],
    ['Unknown', true],
    ['Succeeded', false],
    ['Failed', false],
  ] as const)('a pod in phase %s is alive: %s', (phase, alive) => {
    expect(isAlive(aPod({ phase }))).toBe(alive);
  });

  it('a pod that is being deleted is alive until its phase says otherwise', () => {
    expect(isAlive(aPod({ deleting: true }))).toBe(true);
  });

  it('failed counters alone do not prove that a container ever started', () => {
    expect(hasStarted(aJob({ failedPods: 2 }))).toBe(false);
  });
});
