import { describe, expect, it } from 'vitest';
import { finalOutcome } from '../../../src/plan/outcome.ts';
import { aFailedPod, aJob, aPod, aRunningJob, aRunningPod, complete, endingNote, failed, finalNote } from '../../support/builders.ts';

const finished = failed();
const evicted = aFailedPod(137, { name: 'pod-a', reason: 'Evicted', disrupted: true });
const preempted = aPod({ name: 'pod-a', phase: 'Failed', disrupted: true });

describe('how a finished Job came out', () => {
  it.each([
    ['a Job without a verdict has no outcome', aRunningJob(), undefined],
    ['a Job that was given up on has no outcome before its verdict', aJob({ recorded: endingNote('notStarted') }), undefined],
    ['what was written down finally is never judged again', aJob({ finished: complete(), recorded: finalNote('errored', { reason: 'Evicted' }) }), finalNote('errored', { reason: 'Evicted' })],
    ['a Job that completed has succeeded', aJob({ finished: complete() }), finalNote('succeeded')],
    ['a Job that completed although it was given up on has succeeded', aJob({ finished: complete(), recorded: endingNote('failed') }), finalNote('succeeded')],
    ['a failed pod does not spoil a Job that completed', aJob({ finished: complete(), pods: [aFailedPod(1)] }), finalNote('succeeded')],
    ['a Job that was given up on came out as it was given up on', aJob({ finished, recorded: endingNote('notStarted'), pods: [aFailedPod(143)] }), { ...endingNote('notStarted'), phase: 'final' }],
    ['a container that exits with 3 has failed', aJob({ finished, pods: [aFailedPod(3)] }), finalNote('failed', { message: 'container "main" exited with 3', exitCode: 3 })],
    ['the termination message is part of the outcome', aJob({ finished, pods: [aFailedPod(1, { said: ' disk full\n' })] }), finalNote('failed', { message: 'container "main" exited with 1: disk full', exitCode: 1 })],
    ['a container that was killed for its memory has failed', aJob({ finished, pods: [aFailedPod(137, { why: 'OOMKilled' })] }), finalNote('failed', { reason: 'OOMKilled', message: 'container "main" exited with 137 (OOMKilled)', exitCode: 137 })],
    ['a failure without a reason is an Error', aJob({ finished, pods: [aFailedPod(1, { why: '' })] }), finalNote('failed', { message: 'container "main" exited with 1', exitCode: 1 })],
    ['a command that does not exist has not started', aJob({ finished, pods: [aFailedPod(128, { why: 'StartError', said: 'no such file' })] }), finalNote('notStarted', { reason: 'StartError', message: 'container "main" exited with 128 (StartError): no such file', exitCode: 128 })],
    ['a container that cannot run has not started', aJob({ finished, pods: [aFailedPod(127, { why: 'ContainerCannotRun' })] }), finalNote('notStarted', { reason: 'ContainerCannotRun', message: 'container "main" exited with 127 (ContainerCannotRun)', exitCode: 127 })],
    ['a container that its node lost is errored: its exit code is made up', aJob({ finished, pods: [aFailedPod(137, { why: 'ContainerStatusUnknown' })] }), finalNote('errored', { reason: 'ContainerStatusUnknown', message: 'container "main" exited with 137 (ContainerStatusUnknown)', exitCode: 137 })],
    ['a pod that was active longer than its own deadline has failed', aJob({ finished, pods: [aPod({ name: 'pod-a', phase: 'Failed', reason: 'DeadlineExceeded' })] }), finalNote('failed', { reason: 'Timeout', message: 'pod pod-a was active longer than its own deadline' })],
    ['an evicted pod is errored, not failed', aJob({ finished, pods: [evicted] }), finalNote('errored', { reason: 'Evicted', message: 'pod pod-a was evicted' })],
    ['a preempted pod is errored', aJob({ finished, pods: [preempted] }), finalNote('errored', { reason: 'DisruptionTarget', message: 'pod pod-a was taken off its node' })],
    ['a pod that the kubelet did not admit is errored', aJob({ finished, pods: [aPod({ phase: 'Failed', reason: 'OutOfcpu' })] }), finalNote('errored', { reason: 'OutOfcpu', message: 'pod pod-a was taken off its node' })],
    ['an evicted pod of a parallel drain is errored, not failed: the others were stopped with it', aJob({ finished, pods: [aFailedPod(143, { name: 'pod-b', deleting: true }), evicted] }), finalNote('errored', { reason: 'Evicted', message: 'pod pod-a was evicted' })],
    ['the failure of a replacement is the outcome, not the eviction before it', aJob({ finished, pods: [evicted, aFailedPod(3, { name: 'pod-b' })] }), finalNote('failed', { message: 'container "main" exited with 3', exitCode: 3 })],
    ['a failed container of a pod that is stopped with its Job is better than nothing', aJob({ finished, pods: [aFailedPod(143, { deleting: true })] }), finalNote('failed', { message: 'container "main" exited with 143', exitCode: 143 })],
    ['a failed container of a pod that still lives counts', aJob({ finished, pods: [aRunningPod({ failures: [{ container: 'side', exitCode: 2, reason: 'Error', message: '' }] })] }), finalNote('failed', { message: 'container "side" exited with 2', exitCode: 2 })],
    ['without pods the Job controller has the word', aJob({ finished }), finalNote('failed', { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' })],
    ['a healthy pod tells nothing about a failed Job', aJob({ finished, pods: [aRunningPod()] }), finalNote('failed', { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' })],
    ['a deadline that passed while nobody looked is a timeout', aJob({ finished: failed(0, 'DeadlineExceeded', 'Job was active longer than specified deadline') }), finalNote('failed', { reason: 'Timeout', message: 'Job was active longer than specified deadline' })],
    ['a Job that failed without a word has failed', aJob({ finished: failed(0, '', '') }), finalNote('failed', { reason: 'JobFailed', message: '' })],
  ] as const)('%s', (_sentence, job, outcome) => {
    expect(finalOutcome(job)).toEqual(outcome);
  });
});
