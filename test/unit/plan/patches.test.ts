import { describe, expect, it } from 'vitest';
import type { EndAction, MarkAction } from '../../../src/plan/action.ts';
import { endPatch, markPatch, reownPatch, scalePatch } from '../../../src/plan/patches.ts';
import { endingNote, finalNote } from '../../support/builders.ts';

const job = { name: 'thumbnails-1', uid: 'uid-1', resourceVersion: '100' };
const because = 'it is so';
const end = (suspended: boolean): EndAction => ({ kind: 'end', reason: 'StartTimeout', because, job, suspended, outcome: endingNote('notStarted') });

describe('actions as merge patches', () => {
  it('ending a Job makes it fail by its deadline and says why', () => {
    expect(endPatch(end(false))).toEqual({ metadata: { annotations: { 'job-chief/outcome': JSON.stringify(endingNote('notStarted')) } }, spec: { activeDeadlineSeconds: 1 } });
  });

  it('ending a suspended Job resumes it without pods, or its deadline would never run', () => {
    expect(endPatch(end(true))['spec']).toEqual({ activeDeadlineSeconds: 1, suspend: false, parallelism: 0 });
  });

  it('marking a Job writes its outcome and nothing else', () => {
    const mark: MarkAction = { kind: 'mark', reason: 'JobFailed', because, job, ran: 1, outcome: finalNote('failed', { exitCode: 3 }) };
    expect(markPatch(mark)).toEqual({ metadata: { annotations: { 'job-chief/outcome': JSON.stringify(finalNote('failed', { exitCode: 3 })) } } });
  });

  it('a long message is cut, the note stays readable', () => {
    const mark: MarkAction = { kind: 'mark', reason: 'JobFailed', because, job, ran: 1, outcome: finalNote('failed', { message: 'x'.repeat(5000) }) };
    expect(markPatch(mark)).toEqual({ metadata: { annotations: { 'job-chief/outcome': JSON.stringify(finalNote('failed', { message: 'x'.repeat(1024) })) } } });
  });

  it('scaling sets the parallelism', () => {
    expect(scalePatch({ kind: 'scale', reason: 'QueueGrew', because, job, parallelism: 4 })).toEqual({ spec: { parallelism: 4 } });
  });

  it('a new owner controls the Job and blocks no deletion', () => {
    expect(reownPatch({ kind: 'reown', reason: 'OwnerChanged', because, job, owner: { name: 'thumbnails-b', uid: 'cm-2' } })).toEqual({
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'thumbnails-b', uid: 'cm-2', controller: true }] },
    });
  });
});
