/** Steps that are runs of other workflows. */
import { describe, expect, it } from 'vitest';
import { planRun } from '../../../../src/plan/run/plan-run.ts';
import { anEnvironment, minutes } from '../../../support/builders.ts';
import { anOutput, aRecord, aRun, aWorkflow, eachOf, retries, RunWorld, subRun } from '../../../support/run-builders.ts';

const parameters = { day: { type: 'string' as const, schema: {}, default: 'monday', optional: false } };
const child = { work: subRun('other', { day: '$(params.day)', more: [1] }), outputs: { rows: anOutput('integer'), note: anOutput('string', '-') } };
const spec = aWorkflow('child\nnext < child', { parameters, steps: { child } });

describe('a step that runs a workflow', () => {
  it('asks for a run of it, with parameters and where it belongs', () => {
    const run = new RunWorld(spec);
    expect(run.round().actions).toEqual([
      {
        kind: 'createSubRun',
        reason: 'StepDue',
        because: 'step "child" runs workflow "other"',
        step: 'child',
        name: run.nameOf('child'),
        request: { workflow: 'other', trigger: 'step', parent: { run: 'etl-1', uid: 'uid-etl-1', step: 'child', attempt: 1, depth: 1, within: ['etl'] } },
        parameters: { day: 'monday', more: [1] },
      },
    ]);
    expect(run.settle().plan).toMatchObject({ liveJobs: 0, reason: 'WaitsForSteps' });
  });

  it('succeeds with it, and has those of its outputs that it declares', () => {
    const run = aRun(spec);
    run.endRun(run.nameOf('child'), { outputs: { rows: 3, other: true } }).settle();
    expect(run.state.steps['child']).toMatchObject({ outcome: 'succeeded', outputs: { rows: 3, note: '-' } });
    expect(run.running()).toEqual(['next']);
  });

  it.each([
    ['has failed', { outcome: 'failed', reason: 'StepFailed', message: 'step "x" failed' }, 'StepFailed', 'failed: step "x" failed'],
    ['was cancelled', { outcome: 'cancelled', reason: 'RunCancelled', message: 'by hand' }, 'RunCancelled', 'was cancelled: by hand'],
    ['has no such output', { outputs: {} }, 'OutputMissing', 'has no output "rows"'],
    ['wrote another type', { outputs: { rows: 'many' } }, 'OutputMissing', 'has an output "rows" that is no integer'],
  ] as const)('fails when it %s', (_, result, reason, said) => {
    const run = aRun(spec);
    const name = run.nameOf('child');
    run.endRun(name, result).settle();
    expect(run.state.steps['child']).toMatchObject({ outcome: 'failed', reason, message: `run "${name}" ${said}` });
    expect(run.state.end).toMatchObject({ outcome: 'failed', failedSteps: ['child'] });
  });

  it('retries with another record', () => {
    const run = aRun(aWorkflow('child', { parameters, steps: { child: { ...child, retry: retries(2) } } }));
    const first = run.nameOf('child');
    run.endRun(first, { outcome: 'failed' }).settle();
    expect(run.nameOf('child')).not.toBe(first);
    expect(run.things[1]?.action).toMatchObject({ request: { parent: { attempt: 2 } } });
  });

  it('whose record is deleted has an error', () => {
    const run = aRun(spec);
    run.children.clear();
    expect(run.settle().state.steps['child']).toMatchObject({ outcome: 'errored', reason: 'RunDeleted' });
  });

  it('likewise where it went before any round came to see it', () => {
    const run = new RunWorld(spec);
    run.creates = false;
    run.round();
    const name = run.state.steps['child']?.attempts?.[0]?.job ?? '';
    run.confirmed.add(name);
    run.reservations.set(name, 'created');
    expect(run.round().actions).toEqual([]);
    run.reservations.clear();
    expect(run.settle().state.steps['child']).toMatchObject({ outcome: 'errored', reason: 'RunDeleted' });
  });

  it('whose record somebody else has is refused', () => {
    const run = new RunWorld(spec);
    run.creates = false;
    run.round();
    const name = run.state.steps['child']?.attempts?.[0]?.job ?? '';
    run.children.set(name, aRecord({ name }));
    expect(run.settle().state.steps['child']).toMatchObject({ outcome: 'refused', reason: 'JobNameTaken' });
  });

  it.each([
    [undefined, true],
    ['pending', true],
    ['unknown', true],
    ['created', false],
  ] as const)('asks again for a record that nothing shows and whose create is %s: %s', (state, again) => {
    const run = new RunWorld(spec);
    run.creates = false;
    const { actions } = run.round();
    if (state) run.reservations.set(run.state.steps['child']?.attempts?.[0]?.job ?? '', state);
    expect(run.round().actions).toEqual(again ? actions : []);
  });

  it('is cancelled with its run, which waits for its end', () => {
    const run = aRun(spec).command({ cancel: 'x' });
    const { actions, state } = planRun(run.observed(), anEnvironment(), run.now);
    expect(actions).toEqual([{ kind: 'cancelSubRun', reason: 'RunCancelled', because: 'the run was cancelled: x', name: run.nameOf('child'), uid: `uid-${run.nameOf('child')}` }]);
    expect(state.end).toBeUndefined();
    expect(run.settle().state).toMatchObject({ steps: { child: { outcome: 'cancelled' } }, end: { outcome: 'cancelled' } });
  });

  it('has a timeout, after which the run is cancelled', () => {
    const run = aRun(aWorkflow('child', { parameters, steps: { child: { ...child, timeout: minutes(5) } } }));
    expect(run.plan?.wakeAt).toBe(run.now + minutes(5));
    const { actions } = run.later(minutes(5)).round();
    expect(actions).toMatchObject([{ kind: 'cancelSubRun', reason: 'RunStopping' }]);
    expect(run.settle().state.steps['child']).toMatchObject({ outcome: 'failed', reason: 'Timeout' });
  });

  it('has a timeout for each item, which may be the item', () => {
    const run = aRun(aWorkflow('child', { steps: { child: { work: subRun('other'), forEach: eachOf(['5m', '9m']), timeout: '$(item)' } } }));
    expect(run.plan?.wakeAt).toBe(run.now + minutes(5));
    run.later(minutes(5)).settle();
    expect(run.running()).toEqual(['child[1]']);
  });

  it('goes no deeper than ten', () => {
    const deep = (depth: number) => aRun(spec, { request: { trigger: 'step', parent: { run: 'p', uid: 'u', step: 's', attempt: 2, depth, within: ['top'] } } });
    expect(deep(9).things[0]?.action).toMatchObject({ request: { parent: { depth: 10, within: ['top', 'etl'] } } });
    expect(deep(10).state.steps['child']).toMatchObject({ outcome: 'errored', reason: 'TooDeep' });
  });

  it('for each item is one run for each, whatever the shape', () => {
    const run = aRun(aWorkflow('child', { steps: { child: { work: subRun('other', { region: '$(item)' }), forEach: eachOf(['eu', 'us'], { shape: 'indexed' }), outputs: { rows: anOutput('integer') } } } }));
    expect(run.things.map(({ action }) => action.kind === 'createSubRun' && action.parameters)).toEqual([{ region: 'eu' }, { region: 'us' }]);
    run.endRun(run.nameOf('child[1]'), { outputs: { rows: 2 } }).endRun(run.nameOf('child[0]'), { outputs: { rows: 1 } });
    expect(run.settle().state.steps['child']).toMatchObject({ outcome: 'succeeded', outputs: { rows: [1, 2] } });
  });

  it('counts against maxParallel', () => {
    const run = aRun(aWorkflow('child\nother', { parameters, maxParallel: 1, steps: { child } }));
    expect(run.running()).toEqual(['child']);
    run.endRun(run.nameOf('child'), { outputs: { rows: 1 } });
    expect(run.settle().running()).toEqual(['other']);
  });

  it('is met again by a process that did not write down that it had asked', () => {
    const run = aRun(spec);
    run.state = { ...run.state, steps: {} };
    expect([run.settle().made('child'), run.outcome('child')]).toEqual([1, 'open']);
  });
});
