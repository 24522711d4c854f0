/** Runs that repeat an earlier one and take over its successes. */
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../../../src/plan/run/state.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { anOutput, approval, aRun, aWorkflow, eachOf, printing, RunWorld, undoJob, type StepChanges } from '../../../support/run-builders.ts';

function rerun(spec: WorkflowSpec, earlier: RunState, changes: { readonly from?: string } = {}): RunWorld {
  const run = new RunWorld(spec, { request: { trigger: 'request', rerunOf: { run: 'etl-0', uid: 'uid-etl-0', ...changes } } });
  run.earlier = earlier;
  return run.settle();
}

const outputs = { x: anOutput('string', '') };
const text = 'a\nb < a\nc < b\nside';
const steps: StepChanges = { a: { outputs, work: printing('one') }, b: { outputs, work: printing('$(steps.a.outputs.x)') }, c: { work: printing('$(steps.b.outputs.x)') }, side: { work: printing('side') } };
const spec = aWorkflow(text, { steps });

/** a and b succeeded, c failed, side succeeded. */
function earlierRun(): RunState {
  return aRun(spec).succeed('a', { x: 'A' }).settle().succeed('b', { x: 'B' }).settle().fail('c').succeed('side').settle().state;
}

describe('a run that repeats another', () => {
  it('starts with the step that failed', () => {
    const earlier = earlierRun();
    const run = rerun(spec, earlier);
    expect(run.outcomes()).toBe('a succeeded, b succeeded, side succeeded');
    expect(run.running()).toEqual(['c']);
    expect(run.argsOf('c')).toEqual(['B']);
    expect(run.state.steps['a']).toEqual({ outcome: 'succeeded', at: earlier.steps['a']?.at, from: 'etl-0', inputs: earlier.steps['a']?.inputs, outputs: { x: 'A' } });
    expect(run.succeed('c').settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it.each([
    ['a', ['a'], 'side succeeded'],
    ['b', ['b'], 'a succeeded, side succeeded'],
    ['side', ['c', 'side'], 'a succeeded, b succeeded'],
  ])('from %s runs that and all behind it again', (from, running, kept) => {
    const run = rerun(spec, earlierRun(), { from });
    expect([run.running(), run.outcomes()]).toEqual([running, kept]);
  });

  it('runs all again that is behind its first step, also where that comes out as before', () => {
    const run = rerun(spec, earlierRun(), { from: 'a' }).succeed('a', { x: 'A' }).settle();
    expect(run.running()).toEqual(['b']);
  });

  it('runs again what is behind a step whose outputs came out differently', () => {
    const earlier = earlierRun();
    const changed = aWorkflow(text, { steps: { ...steps, a: { outputs, work: printing('two') } } });
    expect(rerun(changed, earlier).running()).toEqual(['a']);
    expect(rerun(changed, earlier).succeed('a', { x: 'A2' }).settle().running()).toEqual(['b']);
  });

  it('does not where they came out the same', () => {
    const changed = aWorkflow(text, { steps: { ...steps, a: { outputs, work: printing('two') } } });
    const run = rerun(changed, earlierRun()).succeed('a', { x: 'A' }).settle();
    expect(run.outcomes()).toBe('a succeeded, b succeeded, side succeeded');
    expect(run.state.steps['b']).toMatchObject({ from: 'etl-0' });
  });

  it.each([
    ['another template', { side: { work: printing('other') } }],
    ['another parameter', { side: { work: printing('$(run.name)') } }],
    ['other outputs', { side: { ...steps['side'], outputs } }],
    ['other files', { side: { ...steps['side'], files: { '/a': 'a.txt' } } }],
  ] as const)('runs a step again with %s', (_, changes) => {
    expect(rerun(aWorkflow(text, { steps: { ...steps, ...changes } }), earlierRun()).running()).toContain('side');
  });

  it('runs a step again whose items are others', () => {
    const over = (items: string[]): WorkflowSpec => aWorkflow('load', { steps: { load: { work: printing('$(item)'), forEach: eachOf(items) } } });
    const earlier = aRun(over(['a', 'b'])).succeed('load[0]').succeed('load[1]').settle().state;
    expect(rerun(over(['a', 'b']), earlier).state.end).toMatchObject({ outcome: 'succeeded' });
    expect(rerun(over(['a', 'c']), earlier).running()).toEqual(['load[0]', 'load[1]']);
  });

  it('takes nothing over that was undone', () => {
    const reverting = aWorkflow('a\nb < a', { onFailure: 'revert', steps: { a: { undo: undoJob() } } });
    const earlier = aRun(reverting).succeed('a').settle().fail('b').settle().succeed('undo a').settle().state;
    expect(rerun(reverting, earlier).running()).toEqual(['a']);
  });

  it('takes over without waiting for room', () => {
    const run = rerun({ ...spec, maxParallel: 1 }, earlierRun(), { from: 'a' });
    expect([run.running(), run.outcomes()]).toEqual([['a'], 'side succeeded']);
  });

  it('undoes what it took over, if it fails itself', () => {
    const undo = undoJob();
    const before = aWorkflow('a\nb < a\nc < b', { onFailure: 'stop', steps: { a: { undo }, b: { undo } } });
    const earlier = aRun(before).succeed('a').settle().later(1000).succeed('b').settle().fail('c').settle().state;
    const run = rerun({ ...before, onFailure: 'revert' }, earlier).fail('c').settle();
    expect(run.running()).toEqual(['undo b']);
  });

  it('has a finally of its own', () => {
    const end = aWorkflow('a\n-- finally\ntell');
    const earlier = aRun(end).succeed('a').settle().succeed('tell').settle().state;
    const run = rerun(end, earlier);
    expect([run.outcomes(), run.running()]).toEqual(['a succeeded', ['tell']]);
  });

  it('takes approvals over', () => {
    const asks = aWorkflow('ask\na < ask', { steps: { ask: { work: approval } } });
    const earlier = aRun(asks).approve('ask').settle().fail('a').settle().state;
    expect(rerun(asks, earlier).running()).toEqual(['a']);
    expect(rerun(asks, earlier, { from: 'ask' }).plan).toMatchObject({ reason: 'WaitsForApproval' });
  });

  it('does all again where nothing is known of the earlier one', () => {
    const run = new RunWorld(spec, { request: { rerunOf: { run: 'etl-0', uid: 'u' } } }).settle();
    expect(run.running()).toEqual(['a', 'side']);
  });

  it('runs again behind a phase in which something came out differently', () => {
    const phases = aWorkflow('-- one\na\nb\n-- two\nc\n-- three\nd', { steps: { a: { outputs } } });
    const earlier = aRun(phases).succeed('a', { x: '1' }).succeed('b').settle().succeed('c').settle().fail('d').settle().state;
    expect(rerun(phases, earlier).running()).toEqual(['d']);
    const run = rerun(phases, earlier, { from: 'a' });
    expect(run.running()).toEqual(['a']);
    expect(run.succeed('a', { x: '1' }).settle().running()).toEqual(['c']);
  });

  it('may itself be repeated', () => {
    const earlier = rerun(spec, earlierRun()).fail('c').settle().state;
    const run = rerun(spec, earlier);
    expect(run.running()).toEqual(['c']);
  });
});
