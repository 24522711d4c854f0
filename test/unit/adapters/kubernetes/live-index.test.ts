import { describe, expect, it } from 'vitest';
import { LiveIndex } from '../../../../src/adapters/kubernetes/live-index.ts';
import type { CachedJob } from '../../../../src/adapters/kubernetes/project-job.ts';
import type { CachedPod } from '../../../../src/adapters/kubernetes/project-pod.ts';
import type { Place } from '../../../../src/reconcile/ports.ts';
import { aJob, aPod, complete } from '../../../support/builders.ts';

const key = { kind: 'queue', name: 'q' } as const;
const place: Place = { group: 'gpu', holder: 'queue q' };
const job = (changes: Parameters<typeof aJob>[0] = {}): CachedJob => ({ ...aJob({ name: 'q-1', uid: 'uid-1', ...changes }), key, place });
const pod = (changes: Parameters<typeof aPod>[0] = {}): CachedPod => ({ ...aPod({ name: 'q-1-a', jobName: 'q-1', jobUid: 'uid-1', ...changes }), key, place });

/** An index, and what it told: `+ q-1 gpu`, `- q-1`, `seen q-1`. */
function anIndex(): { readonly index: LiveIndex; readonly told: string[] } {
  const told: string[] = [];
  const index = new LiveIndex({
    live: (name, at) => told.push(at ? `+ ${name} ${at.group ?? ''}` : `- ${name}`),
    appeared: (name) => told.push(`seen ${name}`),
  });
  return { index, told };
}

describe('a Job is live', () => {
  it('from the moment in which it is there until it has finished', () => {
    const { index, told } = anIndex();
    index.jobChanged({ kind: 'added', after: job() });
    index.jobChanged({ kind: 'changed', before: job(), after: job({ succeededPods: 1 }) });
    index.jobChanged({ kind: 'changed', before: job(), after: job({ finished: complete() }) });
    index.jobChanged({ kind: 'deleted', before: job({ finished: complete() }) });
    expect(told).toEqual(['+ q-1 gpu', 'seen q-1', '- q-1']);
  });

  it('also while it is suspended', () => {
    const { index, told } = anIndex();
    index.jobChanged({ kind: 'added', after: job({ suspended: true }) });
    expect(told).toEqual(['+ q-1 gpu', 'seen q-1']);
  });

  it('not where it has finished before anybody looked', () => {
    const { index, told } = anIndex();
    index.jobChanged({ kind: 'added', after: job({ finished: complete() }) });
    expect(told).toEqual(['seen q-1']);
  });

  it('while it is being deleted, finished or not', () => {
    const { index, told } = anIndex();
    index.jobChanged({ kind: 'added', after: job({ finished: complete(), deleting: true }) });
    index.jobChanged({ kind: 'deleted', before: job({ finished: complete(), deleting: true }) });
    expect(told).toEqual(['+ q-1 gpu', 'seen q-1', '- q-1']);
  });

  it('as long as a pod of it has not ended', () => {
    const { index, told } = anIndex();
    index.jobChanged({ kind: 'added', after: job() });
    index.podChanged({ kind: 'added', after: pod({ phase: 'Running' }) });
    index.jobChanged({ kind: 'changed', before: job(), after: job({ finished: complete() }) });
    index.podChanged({ kind: 'changed', before: pod({ phase: 'Running' }), after: pod({ phase: 'Succeeded' }) });
    expect(told).toEqual(['+ q-1 gpu', 'seen q-1', '- q-1']);
  });

  it('as long as a pod of it has not ended, also when the Job itself is gone', () => {
    const { index, told } = anIndex();
    index.jobChanged({ kind: 'added', after: job() });
    index.podChanged({ kind: 'added', after: pod({ phase: 'Running' }) });
    index.podChanged({ kind: 'added', after: pod({ name: 'q-1-b', phase: 'Unknown' }) });
    index.jobChanged({ kind: 'deleted', before: job() });
    index.podChanged({ kind: 'deleted', before: pod({ phase: 'Running' }) });
    expect(told).toEqual(['+ q-1 gpu', 'seen q-1']);
    index.podChanged({ kind: 'deleted', before: pod({ name: 'q-1-b', phase: 'Unknown' }) });
    expect(told.at(-1)).toBe('- q-1');
  });

  it('by the name of a pod that names none', () => {
    const { index, told } = anIndex();
    index.podChanged({ kind: 'added', after: pod({ jobName: undefined, jobUid: undefined, phase: 'Running' }) });
    expect(told).toEqual(['+ q-1-a gpu']);
  });
});
