import { describe, expect, it } from 'vitest';
import { itemsOf, type BatchJob } from '../../../../../src/plan/messages/batches/items.ts';
import type { ObservedJob, ObservedPod, StepJobFacts } from '../../../../../src/plan/observed.ts';
import { aJob, aPod, noon, seconds } from '../../../../support/builders.ts';
import { aNote, settledAs } from '../../../../support/message-builders.ts';

const facts: StepJobFacts = { indexed: true, completions: 3, parallelism: 3, restartPolicy: 'Never', awaitsVerdict: false, completedIndexes: '', failedIndexes: '' };

function aBatch(changes: Partial<ObservedJob> & { readonly status?: Partial<StepJobFacts>; readonly committed?: boolean } = {}): BatchJob {
  const { status, committed = true, ...rest } = changes;
  return { ...aJob({ name: 'orders-x', sequence: undefined, startedAt: noon - seconds(20), ...rest }), step: { ...facts, ...status }, batch: { notes: ['a', 'b', 'c'].map((id) => aNote(id)), settled: new Map([[2, settledAs('returned')]]), committed } };
}

function podOf(index: number, changes: Partial<ObservedPod> = {}, done?: 'succeeded' | 'failed'): ObservedPod {
  return aPod({ name: `orders-x-${index}`, phase: 'Running', started: true, ...changes, step: { index, done, doneAt: done && noon - seconds(2), messages: [], containers: 1 } });
}

const exited = (exitCode: number) => [{ container: 'main', exitCode, reason: 'Error', message: '' }];
const ended = (outcome: 'failed' | 'notStarted' | 'errored', phase: 'ending' | 'final' = 'final') => ({ phase, outcome, reason: 'Timeout', message: '' }) as const;
const said = (job: BatchJob) => itemsOf(job).map(({ finished, recorded }) => `${finished?.condition ?? 'open'} ${recorded?.phase ?? '-'} ${recorded?.outcome ?? '-'}`);

describe('an index of a batch', () => {
  it('is none of a batch that was never let go, unless a container has started', () => {
    expect(itemsOf(aBatch({ committed: false, suspended: true }))).toEqual([]);
    expect(itemsOf(aBatch({ committed: false, pods: [podOf(0)] })).map(({ message: { note } }) => note.id)).toEqual(['a', 'b', 'c']);
  });

  it('has its own note, what was said of it, its own pods, and its place', () => {
    const items = itemsOf(aBatch({ pods: [podOf(1), podOf(2)] }));
    expect(items.map(({ message: { note, settled }, pods, carrier }) => [note.id, settled?.as, pods.map(({ name }) => name), carrier])).toEqual([
      ['a', undefined, [], { kind: 'index', index: 0 }],
      ['b', undefined, ['orders-x-1'], { kind: 'index', index: 1 }],
      ['c', 'returned', ['orders-x-2'], { kind: 'index', index: 2 }],
    ]);
  });

  const finished = { condition: 'Failed', reason: 'DeadlineExceeded', message: '', at: noon } as const;
  it.each([
    ['all run', aBatch({ pods: [podOf(0), podOf(1), podOf(2)] }), ['open - -', 'open - -', 'open - -']],
    ['one is done by the word of the Job controller, one has failed, one runs', aBatch({ status: { completedIndexes: '0', failedIndexes: '1' }, pods: [podOf(1, { phase: 'Failed', failures: exited(3) }), podOf(2)] }), ['Complete final succeeded', 'Failed final failed', 'open - -']],
    ['one is done by its containers', aBatch({ pods: [podOf(0, {}, 'succeeded'), podOf(1)] }), ['Complete final succeeded', 'open - -', 'open - -']],
    ['one is done by its containers, and rules of the user judge', aBatch({ status: { awaitsVerdict: true }, pods: [podOf(0, {}, 'succeeded')] }), ['open - -', 'open - -', 'open - -']],
    ['one was asked to stop, and ended with 0', aBatch({ pods: [podOf(0, { deleting: true }, 'succeeded'), podOf(1, { disrupted: true }, 'succeeded'), podOf(2)] }), ['open - -', 'open - -', 'open - -']],
    ['the Job timed out, and one that was stopped for it ended with 0', aBatch({ recorded: ended('failed', 'ending'), pods: [podOf(0, { deleting: true }, 'succeeded'), podOf(1), podOf(2)] }), ['open ending failed', 'open ending failed', 'open ending failed']],
    ['one had ended with 0 before it was evicted', aBatch({ pods: [podOf(0, { disrupted: true, phase: 'Succeeded' }, 'succeeded')] }), ['Complete final succeeded', 'open - -', 'open - -']],
    ['one has failed by its containers alone', aBatch({ pods: [podOf(0, { failures: exited(3) }, 'failed')] }), ['open - -', 'open - -', 'open - -']],
    ['the Job is being ended', aBatch({ recorded: ended('failed', 'ending'), pods: [podOf(0), podOf(1)] }), ['open ending failed', 'open ending failed', 'open ending failed']],
    ['the Job is being ended, and its pods count as failed already', aBatch({ recorded: ended('notStarted', 'ending'), status: { failedIndexes: '0,1' }, pods: [podOf(0, { started: false, deleting: true })] }), ['Failed final notStarted', 'Failed final notStarted', 'open ending notStarted']],
    ['the Job timed out: one was done, one had failed, one was stopped', aBatch({ finished, recorded: ended('failed'), status: { completedIndexes: '0', failedIndexes: '1-2' }, pods: [podOf(1, { phase: 'Failed', failures: exited(3) }), podOf(2, { deleting: true, failures: exited(143) })] }), ['Complete final succeeded', 'Failed final failed', 'Failed final failed']],
    ['the Job timed out, and one never started', aBatch({ finished, recorded: ended('failed'), pods: [podOf(0), podOf(1, { started: false })] }), ['Failed final failed', 'Failed final notStarted', 'Failed final failed']],
    ['the Job timed out while its pods ran one after the other: one was done, one may have been stopped, one had no pod yet', aBatch({ finished, recorded: ended('failed'), status: { parallelism: 1, completedIndexes: '0' } }), ['Complete final succeeded', 'Failed final failed', 'Failed final notStarted']],
    ['the Job is being ended, and one has no pod yet', aBatch({ recorded: ended('failed', 'ending'), status: { parallelism: 1 }, pods: [podOf(0)] }), ['open ending failed', 'open ending failed', 'open ending failed']],
    ['the Job was ended without pods: how many there were before is not known', aBatch({ finished, recorded: ended('failed'), status: { parallelism: 0 } }), ['Failed final failed', 'Failed final failed', 'Failed final failed']],
    ['the Job has ended, and its outcome is not written yet', aBatch({ finished, status: { completedIndexes: '0' }, pods: [] }), ['Complete final succeeded', 'Failed - -', 'Failed - -']],
  ])('%s', (_sentence, job, expected) => {
    expect(said(job)).toEqual(expected);
  });

  it('that has failed has the reason of its own pod, not of another', () => {
    const pods = [podOf(0, { phase: 'Failed', failures: exited(3) }), podOf(1, { phase: 'Failed', failures: exited(64) })];
    expect(itemsOf(aBatch({ status: { failedIndexes: '0-1' }, recorded: ended('failed'), pods })).map(({ recorded }) => recorded?.exitCode)).toEqual([3, 64, undefined]);
  });
});
