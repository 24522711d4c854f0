/** What an earlier process created and did not live to write down is met before anything new starts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minutes, noon, seconds } from '../../../support/builders.ts';
import { aRun, aWorkflow, approval, eachOf, freshState, retries, RunWorld, undoJob } from '../../../support/run-builders.ts';

/** The process dies, and all that it knew is lost. Its Jobs are there. */
function forgetful(run: RunWorld): RunWorld {
  run.state = { ...freshState, startedAt: run.now };
  return run;
}

const made = (run: RunWorld): string => run.things.map(({ place }) => place).join(' ');

describe('a run of which nothing was written down', () => {
  it('knows from its Jobs alone what is done, and starts nothing twice', () => {
    const run = aRun(aWorkflow('a\nb < a\nc < b')).succeed('a').settle().succeed('b').settle();
    forgetful(run.later(seconds(60))).settle();
    expect(run.outcomes()).toBe('a succeeded, b succeeded');
    expect(made(run)).toBe('a b c');
    expect(run.succeed('c').settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it('starts nothing after a failure that had stopped it, whatever stands before that in the text', () => {
    const run = aRun(aWorkflow('a\nb\nc < a', { maxParallel: 2 })).fail('b').succeed('a').settle();
    expect(run.outcomes()).toBe('a succeeded, b failed, c omitted');
    forgetful(run).settle();
    expect(made(run)).toBe('a b');
    expect(run.outcomes()).toBe('a succeeded, b failed, c omitted');
    expect(run.state.end).toMatchObject({ outcome: 'failed', failedSteps: ['b'] });
  });

  it('lets an expression about the failure start its step', () => {
    const run = aRun(aWorkflow('a\nb\ntell ? b.failed')).fail('b').settle();
    expect(made(run)).toBe('a b tell');
    forgetful(run).settle();
    expect(made(run)).toBe('a b tell');
    expect(run.running()).toEqual(['a', 'tell']);
  });

  it('has the times of its attempts from their Jobs, so that retry.within counts from the first', () => {
    const spec = aWorkflow('a', { steps: { a: { retry: retries(9, { delay: minutes(5), factor: 1, within: minutes(8) }) } } });
    const run = aRun(spec).fail('a').settle().later(minutes(5)).settle().fail('a').settle();
    expect(run.outcome('a')).toBe('failed');
    forgetful(run.later(minutes(1))).settle();
    expect(run.outcome('a')).toBe('failed');
    expect(run.made('a')).toBe(2);
    expect(run.state.steps['a']?.attempts).toMatchObject([{ at: noon }, { at: noon + minutes(5) }]);
  });

  it('goes on with the items that have no Job yet, as many at once as it may', () => {
    const spec = aWorkflow('a', { maxParallel: 2, steps: { a: { forEach: eachOf(['x', 'y', 'z']) } } });
    const run = aRun(spec).succeed('a[0]').settle();
    expect(made(run)).toBe('a[0] a[1] a[2]');
    forgetful(run).settle();
    expect(made(run)).toBe('a[0] a[1] a[2]');
    run.succeed('a[1]').succeed('a[2]').settle();
    expect(run.outcomes()).toBe('a succeeded');
  });

  it('undoes in the order in which its steps succeeded', () => {
    const spec = aWorkflow('a\nb\nc < a, b', { onFailure: 'revert', steps: { a: { undo: undoJob() }, b: { undo: undoJob() } } });
    const run = aRun(spec).succeed('b').settle().later(seconds(9)).succeed('a').settle().fail('c').settle();
    expect(run.running()).toEqual(['undo a']);
    forgetful(run.later(seconds(5))).settle();
    expect(run.running()).toEqual(['undo a']);
    run.succeed('undo a').settle().succeed('undo b').settle();
    expect(made(run)).toBe('a b c undo a undo b');
    expect(run.state.end).toMatchObject({ outcome: 'failed' });
  });

  it('stays cancelled', () => {
    const run = aRun(aWorkflow('a\nb < a')).command({ cancel: 'enough' }).settle();
    forgetful(run).command({ cancel: undefined });
    run.settle();
    expect(made(run)).toBe('a');
    expect(run.outcomes()).toBe('a cancelled, b omitted');
  });

  it('that is cancelled now ends what it finds, and keeps what has succeeded', () => {
    const run = aRun(aWorkflow('a\nb\nc < a')).succeed('a').settle();
    forgetful(run).command({ cancel: 'enough' }).settle();
    expect(made(run)).toBe('a b c');
    expect(run.outcomes()).toBe('a succeeded, b cancelled, c cancelled');
    expect(run.state.end).toMatchObject({ outcome: 'cancelled' });
  });

  it('asks for its approvals again, and goes on from there', () => {
    const run = aRun(aWorkflow('a\nmay < a\nb < may', { steps: { may: { work: approval } } })).succeed('a').settle().approve('may').settle();
    forgetful(run).settle();
    expect(made(run)).toBe('a b');
    expect(run.outcomes()).toBe('a succeeded, may succeeded');
  });

  it('says of no step that it waits for room, only since others were met first', () => {
    const run = aRun(aWorkflow('a\nb < a')).succeed('a').settle();
    expect(forgetful(run).round()).toMatchObject({ reason: 'WaitsForSteps', message: 'running: "b"; 1 of 2 steps have ended' });
  });
});

describe('whatever happens in whatever order', () => {
  it('a process that forgets everything comes to the same Jobs and the same end', () => {
    const text = 'a\nb\nc < a\nd < a, b\ne ? c.failed || d.succeeded\nf < d\n-- finally\nlast';
    const what = fc.constantFrom('succeed', 'fail', 'forget', 'later');
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(20), what), { maxLength: 30 }), fc.constantFrom('stop', 'continue', 'cancel'), fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), (events, onFailure, maxParallel) => {
      const run = aRun(aWorkflow(text, { onFailure, maxParallel }));
      for (const [which, event] of events) {
        const running = run.running();
        const place = running[which % Math.max(running.length, 1)];
        if (event === 'forget') forgetful(run);
        else if (event === 'later') run.later(seconds(1));
        else if (place !== undefined) run[event](place);
        run.settle();
      }
      const places = run.things.map(({ place }) => place);
      expect(new Set(places).size).toBe(places.length);
      const before = { outcomes: run.outcomes(), end: run.state.end?.outcome };
      forgetful(run).settle();
      expect(run.things.map(({ place }) => place)).toEqual(places);
      expect({ outcomes: run.outcomes(), end: run.state.end?.outcome }).toEqual(before);
    }), { numRuns: 300 });
  });
});
