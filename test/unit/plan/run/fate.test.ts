import { describe, expect, it } from 'vitest';
import { fateOf, laterVerdict, takesSlot, type Fate, type FateRules } from '../../../../src/plan/run/fate.ts';
import type { ObservedJob } from '../../../../src/plan/observed.ts';
import type { Attempt } from '../../../../src/plan/run/state.ts';
import type { OutputSpec } from '../../../../src/spec/workflow.ts';
import { aPod, complete, endingNote, failed, finalNote, minutes, noon, seconds } from '../../../support/builders.ts';
import { aDonePod, aFailedStepPod, anIndexedJob, aStepJob, aStepPod } from '../../../support/steps.ts';

const rows: OutputSpec = { type: 'integer', default: undefined };
const rules = (changes: Partial<FateRules> = {}): FateRules => ({ outputs: {}, count: undefined, now: noon, ...changes });
const fate = (job: ObservedJob, changes: Partial<FateRules> = {}): Fate => fateOf(job, rules(changes));

const ranAt = noon - seconds(4);
const endedAt = noon - seconds(2);
const verdictAt = noon - seconds(1);
const open: Fate = { kind: 'open', ranAt };
const succeeded = { kind: 'ended', outcome: 'succeeded', reason: 'Completed', message: '', ranAt, endedAt };
const deadline = failed(verdictAt, 'DeadlineExceeded', 'Job was active longer than specified deadline');
const evicted = aFailedStepPod(137, { reason: 'Evicted', disrupted: true });

describe('an attempt has succeeded', () => {
  it.each<[string, ObservedJob]>([
    ['as soon as all of its containers have ended with 0, before the pod and the Job say so', aStepJob({ pods: [aDonePod()] })],
    ['when the Job controller says so as well', aStepJob({ pods: [aDonePod({ phase: 'Succeeded' })], finished: complete(), succeededPods: 1 })],
    ['though the Job controller says that its deadline passed', aStepJob({ pods: [aDonePod({ phase: 'Succeeded' })], finished: deadline })],
    ['though it was given up on in the same moment', aStepJob({ pods: [aDonePod()], recorded: endingNote('failed', { reason: 'Timeout' }) })],
    ['though an earlier pod of it failed', aStepJob({ pods: [aFailedStepPod(1, { name: 'pod-b' }), aDonePod()] })],
    ['though its node vanished after the pod had succeeded', aStepJob({ pods: [aDonePod({ phase: 'Succeeded', disrupted: true })] })],
    ['with restartPolicy OnFailure as with any other', aStepJob({ pods: [aDonePod()], step: { restartPolicy: 'OnFailure' } })],
    ['as a work queue of one pod, which is what parallelism 1 without completions means', aStepJob({ pods: [aDonePod()], step: { completions: undefined } })],
    ['as it was written down, whatever the Job controller says', aStepJob({ pods: [aDonePod()], finished: failed(), recorded: finalNote('succeeded') })],
  ])('%s', (_sentence, job) => {
    expect(fate(job)).toEqual(succeeded);
  });

  it('by the word of the Job controller alone, where its pods are gone and it has no outputs', () => {
    expect(fate(aStepJob({ finished: complete(verdictAt), succeededPods: 1 }))).toEqual({ kind: 'ended', outcome: 'succeeded', reason: 'Completed', message: '', endedAt: verdictAt });
  });

  it('with several completions when so many pods have, at the end of the last of them', () => {
    const done = (name: string, before: number) => aDonePod({ name, step: { doneAt: noon - seconds(before) } });
    const job = aStepJob({ step: { completions: 2, parallelism: 3 }, pods: [done('a', 9), done('b', 5), done('c', 1)] });
    expect(fate(job)).toMatchObject({ outcome: 'succeeded', endedAt: noon - seconds(5) });
    expect(fate({ ...job, pods: job.pods.slice(0, 1) })).toEqual(open);
  });

  it('with indexes when each of them has', () => {
    const item = (index: number, name = `pod-${index}`) => aDonePod({ name, step: { index } });
    expect(fate(anIndexedJob(2, { pods: [item(0), item(1)] }), { count: 2 })).toEqual(succeeded);
    expect(fate(anIndexedJob(2, { pods: [item(0), item(0, 'again')] }), { count: 2 })).toEqual(open);
  });
});

describe('an attempt is open', () => {
  it.each<[string, ObservedJob, Fate?]>([
    ['without pods', aStepJob(), { kind: 'open' }],
    ['while its pod starts', aStepJob({ pods: [aPod()] }), { kind: 'open' }],
    ['while its containers run', aStepJob({ pods: [aStepPod()] })],
    ['while the user\'s rules may still decide', aStepJob({ pods: [aDonePod()], step: { awaitsVerdict: true } })],
    ['while a pod of a work queue may still come', aStepJob({ pods: [aDonePod()], step: { completions: undefined, parallelism: 2 } })],
    ['after a pod failed, for another may follow', aStepJob({ pods: [aFailedStepPod(1)] })],
    ['while a pod that is asked to stop ends with 0: that is not its own word', aStepJob({ pods: [aDonePod({ deleting: true })] })],
    ['while a pod that is taken off its node ends with 0', aStepJob({ pods: [aDonePod({ disrupted: true })] })],
    ['while the Job that was given up on waits for its verdict', aStepJob({ pods: [aStepPod()], recorded: endingNote('notStarted') })],
    ['with zero completions, of which only the Job controller makes something', aStepJob({ pods: [aStepPod()], step: { completions: 0 } })],
  ])('%s', (_sentence, job, expected = open) => {
    expect(fate(job)).toEqual(expected);
  });
});

describe('an attempt has not succeeded', () => {
  it.each<[string, ObservedJob, object]>([
    ['a container that exits with 3 has failed', aStepJob({ finished: failed(), pods: [aFailedStepPod(3)] }), { outcome: 'failed', reason: 'Error', exitCode: 3, message: 'container "main" exited with 3', ranAt, endedAt: verdictAt }],
    ['one that was killed for its memory says so', aStepJob({ finished: failed(), pods: [aFailedStepPod(137, { why: 'OOMKilled' })] }), { outcome: 'failed', reason: 'OOMKilled', exitCode: 137 }],
    ['an evicted pod is errored', aStepJob({ finished: failed(), pods: [evicted] }), { outcome: 'errored', reason: 'Evicted' }],
    ['a preempted pod is errored', aStepJob({ finished: failed(), pods: [aFailedStepPod(143, { disrupted: true })] }), { outcome: 'errored', reason: 'DisruptionTarget' }],
    ['a pod that the kubelet did not admit is errored', aStepJob({ finished: failed(), pods: [aStepPod({ phase: 'Failed', reason: 'UnexpectedAdmissionError', step: { done: 'failed' } })] }), { outcome: 'errored', reason: 'UnexpectedAdmissionError' }],
    ['a container that its node lost is errored', aStepJob({ finished: failed(), pods: [aFailedStepPod(137, { why: 'ContainerStatusUnknown' })] }), { outcome: 'errored', reason: 'ContainerStatusUnknown' }],
    ['an evicted pod whose container took the signal well has not succeeded', aStepJob({ finished: failed(), pods: [aStepPod({ phase: 'Failed', reason: 'Evicted', disrupted: true, step: { done: 'failed' } })] }), { outcome: 'errored', reason: 'Evicted' }],
    ['a command that does not exist has not started', aStepJob({ finished: failed(), pods: [aFailedStepPod(128, { why: 'StartError' })] }), { outcome: 'notStarted', reason: 'StartError' }],
    ['an image that cannot be pulled has not started', aStepJob({ finished: deadline, recorded: endingNote('notStarted', { reason: 'ErrImagePull' }) }), { outcome: 'notStarted', reason: 'ErrImagePull' }],
    ['a pod without a node has not started', aStepJob({ finished: deadline, recorded: endingNote('notStarted', { reason: 'StartTimeout' }) }), { outcome: 'notStarted', reason: 'StartTimeout' }],
    ['what runs too long has failed', aStepJob({ finished: deadline, recorded: endingNote('failed', { reason: 'Timeout', message: 'too long' }), pods: [aDonePod({ deleting: true })] }), { outcome: 'failed', reason: 'Timeout', message: 'too long' }],
    ['what runs too long while job-chief is away has failed', aStepJob({ finished: deadline }), { outcome: 'failed', reason: 'Timeout' }],
    ['what was ended because its run was cancelled is cancelled', aStepJob({ finished: deadline, recorded: endingNote('errored', { reason: 'RunCancelled', message: 'by hand' }) }), { outcome: 'cancelled', reason: 'RunCancelled', message: 'by hand' }],
    ['what was ended because its spec is gone is what it was ended as', aStepJob({ finished: deadline, recorded: endingNote('errored', { reason: 'SpecDeleted' }) }), { outcome: 'errored', reason: 'SpecDeleted' }],
    ['what was written down as failed stays so', aStepJob({ finished: complete(), recorded: finalNote('failed'), pods: [aDonePod()] }), { outcome: 'failed' }],
    ['rules of the user that say Failed win over containers that ended with 0', aStepJob({ finished: failed(verdictAt, 'PodFailurePolicy', 'no'), step: { awaitsVerdict: true }, pods: [aDonePod()] }), { outcome: 'failed', reason: 'PodFailurePolicy' }],
  ])('%s', (_sentence, job, expected) => {
    expect(fate(job)).toMatchObject({ kind: 'ended', ...expected });
  });

  it('what was ended, and had completed before, has succeeded', () => {
    expect(fate(aStepJob({ finished: complete(), recorded: endingNote('errored', { reason: 'RunCancelled' }), pods: [aDonePod()] }))).toMatchObject({ outcome: 'succeeded' });
  });
});

describe('pods whose watch is behind that of Jobs are waited for', () => {
  const until = verdictAt + minutes(4);
  it.each<[string, ObservedJob, Partial<FateRules>, object, object]>([
    ['a failed Job whose pod is still shown as running', aStepJob({ finished: failed(), pods: [aStepPod()] }), {}, { kind: 'open', until, ranAt }, { outcome: 'failed', reason: 'BackoffLimitExceeded' }],
    ['a failed Job none of whose pods are shown', aStepJob({ finished: failed(), failedPods: 1 }), {}, { kind: 'open', until }, { outcome: 'failed', reason: 'BackoffLimitExceeded' }],
    ['a completed Job that has outputs, and whose pod is not shown', aStepJob({ finished: complete(), succeededPods: 1 }), { outputs: { rows } }, { kind: 'open', until }, { outcome: 'errored', reason: 'OutputMissing', message: 'output "rows" is not known: the pod that wrote it was gone before it was read' }],
    ['the same where a pod that failed before it was seen to go', aStepJob({ finished: complete(), succeededPods: 1, gone: { succeeded: 0, failed: 1 } }), { outputs: { rows } }, { kind: 'open', until }, { outcome: 'errored', reason: 'OutputMissing' }],
    ['the same where nothing was counted', aStepJob({ finished: complete() }), { outputs: { rows } }, { kind: 'open', until }, { outcome: 'errored', reason: 'OutputMissing' }],
    ['the same with a default', aStepJob({ finished: complete(), succeededPods: 1 }), { outputs: { rows: { ...rows, default: 7 } } }, { kind: 'open', until }, { outcome: 'succeeded', outputs: { rows: 7 } }],
    ['some pods of many', anIndexedJob(3, { finished: complete(), succeededPods: 3, pods: [aDonePod({ wrote: 'rows=1', step: { index: 1 } })] }), { outputs: { rows }, count: 3 }, { kind: 'open', until, ranAt }, { outcome: 'errored', message: 'output "rows" is not known: 2 pods that wrote it were gone before it was read' }],
    ['a failed Job whose other pods are being stopped', aStepJob({ finished: failed(), failedPods: 1, pods: [aStepPod({ deleting: true })] }), {}, { kind: 'open', until: verdictAt + seconds(30), ranAt }, { outcome: 'failed', reason: 'BackoffLimitExceeded' }],
  ])('%s', (_sentence, job, changes, early, late) => {
    expect(fate(job, changes)).toEqual(early);
    expect(fate(job, { ...changes, now: until })).toMatchObject({ kind: 'ended', ...late });
  });

  it.each<[string, ObservedJob]>([
    ['a Job that job-chief ended', aStepJob({ finished: failed(), recorded: endingNote('failed'), pods: [aStepPod()], failedPods: 1 })],
    ['a Job that failed by its deadline, which takes the pods along', aStepJob({ finished: deadline, failedPods: 1 })],
    ['a Job whose pod was seen, and seen to go', aStepJob({ finished: failed(), failedPods: 1, gone: { succeeded: 0, failed: 1 } })],
    ['a completed Job whose pod was seen to go', aStepJob({ finished: complete(), succeededPods: 1, gone: { succeeded: 1, failed: 0 } })],
    ['a Job that never had a pod', aStepJob({ finished: failed() })],
    ['a pod whose containers have ended, though its phase has not followed', aStepJob({ finished: failed(), pods: [{ ...aFailedStepPod(1), phase: 'Running' }] })],
  ])('but not for %s', (_sentence, job) => {
    expect(fate(job).kind).toBe('ended');
  });
});

describe('outputs of an attempt', () => {
  const outputs = { rows };
  it('come with its success', () => {
    expect(fate(aStepJob({ pods: [aDonePod({ wrote: 'rows=12' })] }), { outputs })).toEqual({ ...succeeded, outputs: { rows: 12 } });
  });

  it.each<[string, string | undefined, string]>([
    ['missing', undefined, 'OutputMissing'], ['of another type', 'rows=many', 'OutputUnreadable'], ['cut', 'x'.repeat(4096), 'OutputTooLong'],
  ])('that are %s make it a failure', (_sentence, wrote, reason) => {
    const pod = wrote === undefined ? aDonePod() : aDonePod({ wrote });
    expect(fate(aStepJob({ pods: [pod] }), { outputs })).toMatchObject({ kind: 'ended', outcome: 'failed', reason, endedAt });
  });

  it('are those of the pod that ended first, where more succeeded than had to', () => {
    const pods = [aDonePod({ name: 'late', wrote: 'rows=2', step: { doneAt: noon } }), aDonePod({ name: 'early', wrote: 'rows=1' })];
    for (const job of [aStepJob({ pods }), aStepJob({ pods, finished: complete(), succeededPods: 2 })]) expect(fate(job, { outputs })).toMatchObject({ outputs: { rows: 1 } });
  });

  it('of items are lists in their order', () => {
    const pods = [2, 0, 1].map((index) => aDonePod({ name: `pod-${index}`, wrote: `rows=${index * 10}`, step: { index } }));
    expect(fate(anIndexedJob(3, { pods }), { outputs, count: 3 })).toMatchObject({ outcome: 'succeeded', outputs: { rows: [0, 10, 20] } });
  });

  it('of one item that cannot be read make the step fail with that item', () => {
    const pods = [0, 1].map((index) => aDonePod({ name: `pod-${index}`, wrote: index === 1 ? 'rows=x' : 'rows=1', step: { index } }));
    expect(fate(anIndexedJob(2, { pods }), { outputs, count: 2 })).toMatchObject({ outcome: 'failed', reason: 'OutputUnreadable', failedItems: [1], message: expect.stringMatching(/^item 1: /) as string });
  });
});

describe('an Indexed Job that failed', () => {
  const failedIndexes = failed(verdictAt, 'FailedIndexes', 'Job has failed indexes');
  const pods = [
    aFailedStepPod(9, { name: 'first-try', step: { index: 0 } }),
    aDonePod({ name: 'pod-0', wrote: 'rows=1', step: { index: 0 } }),
    aFailedStepPod(3, { name: 'pod-1', step: { index: 1 } }),
    aDonePod({ name: 'pod-2', wrote: 'rows=3', step: { index: 2 } }),
  ];
  const job = anIndexedJob(3, { finished: failedIndexes, step: { completedIndexes: '0,2', failedIndexes: '1' }, pods });

  it('tells which items did and why, and what the others wrote', () => {
    expect(fate(job, { outputs: { rows }, count: 3 })).toMatchObject({
      outcome: 'failed', reason: 'Error', exitCode: 3, failedItems: [1], outputs: { rows: [1, null, 3] },
      message: '1 of 3 items failed (1): container "main" exited with 3',
    });
  });

  it('without outputs tells the items all the same', () => {
    expect(fate(job, { count: 3 })).not.toHaveProperty('outputs');
  });

  it('has failed with all items that did not succeed when it was ended as a whole', () => {
    const ended = anIndexedJob(4, { finished: deadline, step: { completedIndexes: '1' }, pods: [aFailedStepPod(1, { step: { index: 0 } })] });
    expect(fate(ended, { count: 4 })).toMatchObject({ reason: 'Timeout', failedItems: [0, 2, 3], message: '3 of 4 items failed (0,2,3): Job was active longer than specified deadline' });
  });

  it.each([
    ['has not started', endingNote('notStarted'), 'notStarted'],
    ['was cancelled', endingNote('errored', { reason: 'RunCancelled' }), 'cancelled'],
  ] as const)('names no items when it %s', (_sentence, recorded, outcome) => {
    const end = fate(anIndexedJob(3, { finished: deadline, recorded }), { count: 3 });
    expect(end).toMatchObject({ outcome });
    expect(end).not.toHaveProperty('failedItems');
  });
});

describe('a later verdict', () => {
  const attempt = (outcome: Attempt['outcome'], reason?: string): Attempt => ({ job: 'nightly-load-1', at: noon - minutes(1), ...(outcome && { outcome }), ...(reason !== undefined && { reason }) });
  it.each<[string, ObservedJob, Attempt, string | undefined]>([
    ['of a Job that is not finished is none', aStepJob(), attempt('succeeded'), undefined],
    ['that agrees is none', aStepJob({ finished: complete() }), attempt('succeeded'), undefined],
    ['of an open attempt is none', aStepJob({ finished: deadline }), attempt(undefined), undefined],
    ['of a deadline after success contradicts', aStepJob({ finished: deadline }), attempt('succeeded'), 'Failed: DeadlineExceeded: Job was active longer than specified deadline'],
    ['that completes what was cancelled contradicts', aStepJob({ finished: complete() }), attempt('cancelled'), 'Complete: CompletionsReached'],
    ['that completes what wrote bad outputs agrees: its containers did succeed', aStepJob({ finished: complete() }), attempt('failed', 'OutputUnreadable'), undefined],
    ['that fails what failed agrees', aStepJob({ finished: failed() }), attempt('failed', 'Error'), undefined],
  ])('%s', (_sentence, job, of, verdict) => {
    expect(laterVerdict(job, of)).toBe(verdict);
  });
});

describe('a slot is taken', () => {
  it.each<[string, ObservedJob, boolean]>([
    ['by a Job without pods', aStepJob(), true],
    ['by a Job whose containers run', aStepJob({ pods: [aStepPod()] }), true],
    ['by a Job that failed once and will try again', aStepJob({ pods: [aFailedStepPod(1)] }), true],
    ['no more when all containers have ended with 0, before the pod and the Job say so', aStepJob({ pods: [aDonePod()] }), false],
    ['by a work queue that has succeeded, while another pod of it runs', aStepJob({ finished: complete(), pods: [aDonePod(), aStepPod({ name: 'pod-b' })] }), true],
    ['by a Job that was ended, until its pods have', aStepJob({ finished: deadline, pods: [aStepPod({ deleting: true })] }), true],
    ['no more by a finished Job', aStepJob({ finished: failed(), pods: [aFailedStepPod(1)] }), false],
    ['by a Job that is being deleted before its outcome is known', aStepJob({ deleting: true, pods: [] }), true],
  ])('%s', (_sentence, job, taken) => {
    expect(takesSlot(job)).toBe(taken);
  });
});
