import { describe, expect, it } from 'vitest';
import type { Room } from '../../../../src/plan/limits/room.ts';
import type { RunPlan } from '../../../../src/plan/run/action.ts';
import { seconds } from '../../../support/builders.ts';
import { aRun, aWorkflow, eachOf, retries, RunWorld, subRun, undoJob, type SpecChanges } from '../../../support/run-builders.ts';

const full: Room = { jobs: 0, halted: false, shortage: { state: 'Waiting', reason: 'GroupFull', message: '2 of 2 Jobs of group "gpu" are live' } };
const leaving = (jobs: number): Room => ({ ...full, jobs });
const paused: Room = { jobs: 0, halted: true, shortage: { state: 'Suspended', reason: 'InstanceSuspended', message: 'Limits "night" suspends the instance: nothing starts' } };

/** A run whose rounds have only so much room. */
function limited(room: Room, text: string, changes: SpecChanges = {}): RunWorld {
  const world = new RunWorld(aWorkflow(text, changes));
  world.room = room;
  return world;
}

const creates = ({ actions }: RunPlan): string[] => actions.flatMap((action) => (action.kind === 'createStepJob' ? [action.because] : []));

describe('a round of a run', () => {
  const items = { load: { forEach: eachOf(['a', 'b', 'c', 'd', 'e']) } };
  const cases: readonly [what: string, world: RunWorld, creates: number, wants: number][] = [
    ['starts nothing where there is no place', limited(full, 'a\nb'), 0, 2],
    ['starts as many Jobs as there are places', limited(leaving(2), 'a\nb\nc'), 2, 1],
    ['starts everything where there are enough', limited(leaving(9), 'a\nb\nc'), 3, 0],
    ['starts items one by one', limited(leaving(2), 'load', { steps: items }), 2, 3],
    ['wants no more items at once than the step does', limited(leaving(1), 'load', { steps: { load: { forEach: eachOf(['a', 'b', 'c', 'd', 'e'], { maxParallel: 2 }) } } }), 1, 1],
    ['wants no more than maxParallel leaves', limited(leaving(1), 'a\nb\nc', { maxParallel: 1 }), 1, 0],
    ['asks for sub-runs, which are no Jobs', limited(full, 'a', { steps: { a: { work: subRun('other') } } }), 0, 0],
  ];
  it.each(cases)('%s', (_, world, count, wants) => {
    const plan = world.round();
    expect([creates(plan).length, plan.wants]).toEqual([count, wants]);
  });

  it('still creates the records of sub-runs', () => {
    expect(limited(full, 'a', { steps: { a: { work: subRun('other') } } }).round().actions.map(({ kind }) => kind)).toEqual(['createSubRun']);
  });

  it('begins no step that has no place: its items are those of the moment in which it does', () => {
    const world = limited(full, 'load', { steps: items });
    world.round();
    expect(world.state.steps).toEqual({});
  });

  it('goes on when there is a place', () => {
    const world = limited(full, 'a\nb < a');
    world.round();
    world.room = leaving(1);
    expect(creates(world.round())).toEqual(['step "a" may start']);
  });
});

describe('what else waits for a place', () => {
  it('a retry', () => {
    const world = aRun(aWorkflow('a', { steps: { a: { retry: retries(2) } } }));
    world.fail('a');
    world.room = full;
    world.now += seconds(60);
    expect([creates(world.round()), world.plan?.wants, world.plan?.reason]).toEqual([[], 1, 'GroupFull']);
    world.room = leaving(1);
    expect(creates(world.round())).toEqual(['step "a" goes into attempt 2']);
  });

  it('a create that never arrived, which has lost its place with the process', () => {
    const world = limited(leaving(1), 'a');
    world.creates = false;
    world.round();
    world.room = full;
    expect([creates(world.round()), world.plan?.wants]).toEqual([[], 1]);
    world.room = leaving(1);
    expect(creates(world.round())).toEqual(['step "a" may start']);
  });

  it('a job that undoes a step', () => {
    const world = aRun(aWorkflow('a\nb < a', { onFailure: 'revert', steps: { a: { undo: undoJob() } } }));
    world.succeed('a');
    world.settle();
    world.room = full;
    world.fail('b');
    expect([creates(world.round()), world.plan?.wants]).toEqual([[], 1]);
  });
});

describe('what a run says', () => {
  it('is who has the places, where nothing of it runs', () => {
    const { reason, message } = limited(full, 'a').round();
    expect([reason, message]).toEqual(['GroupFull', 'step "a": 2 of 2 Jobs of group "gpu" are live']);
  });

  it('is also what runs, where something does', () => {
    const world = limited(leaving(1), 'a\nb');
    world.round();
    world.room = full;
    const { reason, message } = world.round();
    expect([reason, message]).toEqual(['WaitsForSteps', 'running: "a"; 0 of 2 steps have ended; step "b" waits: 2 of 2 Jobs of group "gpu" are live']);
  });

  it('is that the instance is suspended, whatever runs', () => {
    const world = limited(leaving(1), 'a\nb');
    world.round();
    world.room = paused;
    expect(world.round().reason).toBe('InstanceSuspended');
  });
});
