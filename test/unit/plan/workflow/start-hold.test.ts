import { describe, expect, it } from 'vitest';
import { startHold, type AskedRun } from '../../../../src/plan/workflow/start-hold.ts';
import { aQueuedRun, aRecord, onRequest } from '../../../support/workflows.ts';

const suspended = { state: 'Suspended', reason: 'InstanceSuspended', message: 'paused' } as const;
const full = { state: 'Waiting', reason: 'LimitReached', message: 'all are taken' } as const;
const refused = { reason: 'TemplateRefused', message: 'no such field' } as const;
const request = { workflow: 'etl', trigger: 'request' } as const;

const holds = (changes: Partial<AskedRun>): ReturnType<typeof startHold> => startHold({ spec: onRequest(), name: 'new', request, records: [], shortage: undefined, refused: undefined, ...changes });
const reasonOf = (changes: Partial<AskedRun>): string | undefined => holds(changes)?.reason;

describe('what keeps a run from starting at once', () => {
  it.each<[string, Partial<AskedRun>, string | undefined]>([
    ['nothing', {}, undefined],
    ['suspend, before anything else', { spec: onRequest({ suspend: true }), shortage: suspended, refused }, 'SpecSuspended'],
    ['observe', { spec: onRequest({ observe: true }), shortage: full }, 'SpecObserved'],
    ['the instance, before what is wrong with the templates', { shortage: suspended, refused }, 'InstanceSuspended'],
    ['templates that were refused, before the runs that go first', { refused, records: [aRecord()] }, 'TemplateRefused'],
    ['another run, before the limits', { records: [aRecord()], shortage: full }, 'RunQueued'],
    ['limits', { shortage: full }, 'LimitReached'],
    ['nothing, where runs may share a moment', { spec: onRequest({ concurrency: { max: 2 } }), records: [aRecord()] }, undefined],
    ['runs that wait already', { records: [aQueuedRun('one')] }, 'RunQueued'],
    ['nothing, where who waits is of a smaller priority', { request: { ...request, priority: 1 }, records: [aQueuedRun('one')] }, undefined],
    ['nothing, where who waits is held back by somebody', { records: [aQueuedRun('one', { commands: { cancel: undefined, suspend: true, approvals: new Map() } })] }, undefined],
    ['nothing, where it is the one that waits', { name: 'one', records: [aQueuedRun('one')] }, undefined],
    ['nothing, where it has begun', { name: 'one', records: [aRecord({ name: 'one' })], shortage: suspended }, undefined],
  ])('%s', (_, changes, reason) => {
    expect(reasonOf(changes)).toBe(reason);
  });

  it('is told with how many go first', () => {
    expect(holds({ records: [aRecord(), aQueuedRun('one'), aQueuedRun('two')] })).toEqual({ reason: 'RunQueued', message: '1 of 1 run has begun and is not over; 2 wait before it' });
  });
});
