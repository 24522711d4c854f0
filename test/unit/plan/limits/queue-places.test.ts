import { describe, expect, it } from 'vitest';
import type { Room } from '../../../../src/plan/limits/room.ts';
import type { Observed } from '../../../../src/plan/observed.ts';
import { aClaim, aQueueSpec, aRunningJob, observed, ready } from '../../../support/builders.ts';
import { acts, planAt, standing } from '../../../support/planning.ts';

const full: Room = { jobs: 0, halted: false, shortage: { state: 'Waiting', reason: 'LimitReached', message: '5 of 5 Jobs are live: 5 of queue a' } };
const broken: Room = { jobs: 0, halted: true, shortage: { state: 'Blocked', reason: 'LimitsBroken', message: 'Limits "team" is broken' } };
const stands = (view: Observed): (string | number)[] => {
  const { state, reason } = standing(view);
  return [String(state), String(reason), acts(planAt(view)).filter((act) => act.startsWith('create')).length, planAt(view).wants];
};

describe('a queue', () => {
  const cases: readonly [what: string, changes: Partial<Observed>, stands: readonly (string | number)[]][] = [
    ['starts its Job where there is a place', { depth: ready(5), room: { ...full, jobs: 1 } }, ['Starting', 'QueueReady', 1, 0]],
    ['waits for a place with messages', { depth: ready(5), room: full }, ['Waiting', 'LimitReached', 0, 1]],
    ['wants no place without messages', { depth: ready(0), room: full }, ['Idle', 'QueueEmpty', 0, 0]],
    ['wants no place while its Job lives', { depth: ready(5), jobs: [aRunningJob()], room: full }, ['Running', 'JobRunning', 0, 0]],
    ['is blocked by broken limits before anybody looks at the messages', { depth: undefined, room: broken }, ['Blocked', 'LimitsBroken', 0, 1]],
    ['that is suspended says so first', { claims: [aClaim(aQueueSpec({ suspend: true }))], room: broken }, ['Suspended', 'SpecSuspended', 0, 0]],
    ['that only observes needs no place', { claims: [aClaim(aQueueSpec({ observe: true }))], depth: ready(5), room: broken }, ['Idle', 'SpecObserved', 0, 0]],
  ];
  it.each(cases)('%s', (_, changes, expected) => {
    expect(stands(observed(changes))).toEqual(expected);
  });

  it('marks its Job and pods with its group', () => {
    const [action] = planAt(observed({ claims: [aClaim(aQueueSpec({ concurrency: { max: 1, group: 'gpu' } }))], depth: ready(1) })).actions;
    expect(JSON.stringify(action).match(/"job-chief\/group":"gpu"/g)).toHaveLength(2);
  });
});
