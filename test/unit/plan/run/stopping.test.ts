/** Runs that stop before their time: failures, commands, what is undone, and what comes last in any case. */
import { describe, expect, it } from 'vitest';
import { planRun } from '../../../../src/plan/run/plan-run.ts';
import { anEnvironment, aRunningPod, failed, minutes, noon, seconds } from '../../../support/builders.ts';
import { anOutput, approval, aRun, aWorkflow, eachOf, printing, retries, subRun, undoJob } from '../../../support/run-builders.ts';

describe('onFailure: stop', () => {
  const text = 'bad\nslow\nqueued < slow\nfree\nmine ? bad.failed\nboth ? slow.ok && bad.completed';

  it('starts nothing that has not thought of the failure, and lets what runs finish', () => {
    const run = aRun(aWorkflow(text, { onFailure: 'stop' })).fail('bad').settle();
    expect(run.state.stopping).toEqual({ mode: 'stop', reason: 'StepFailed', message: 'step "bad" failed: container "main" exited with 1', at: run.now });
    expect(run.outcomes()).toBe('bad failed, queued omitted');
    expect(run.state.steps['queued']).toMatchObject({ reason: 'RunStopping' });
    expect(run.running()).toEqual(['free', 'mine', 'slow']);
    expect(run.plan).toMatchObject({ reason: 'RunStopping', message: 'step "bad" failed: container "main" exited with 1; waiting for "slow", "free", "mine"' });
    expect(run.succeed('slow').settle().running()).toEqual(['both', 'free', 'mine']);
    expect(run.succeed('both').succeed('free').succeed('mine').settle().state.end).toMatchObject({ outcome: 'failed', reason: 'StepFailed', failedSteps: ['bad'] });
  });

  it('retries of steps that are under way go on', () => {
    const run = aRun(aWorkflow('bad\nother', { steps: { other: { retry: retries(2, { delay: seconds(10) }) } } })).fail('bad').fail('other').settle();
    expect(run.outcome('other')).toBe('open');
    expect(run.later(seconds(10)).settle().made('other')).toBe(2);
    expect(run.succeed('other').settle().outcomes()).toBe('bad failed, other succeeded');
  });

  it('items of a step that is under way go on', () => {
    const run = aRun(aWorkflow('bad\nall', { steps: { all: { forEach: eachOf(['a', 'b'], { maxParallel: 1 }) } } })).fail('bad').settle();
    expect(run.succeed('all[0]').settle().running()).toEqual(['all[1]']);
  });

  it('is what a failure means that is found without a Job, also for steps that were looked at before', () => {
    const run = aRun(aWorkflow('slow\nlater < slow\nbad', { steps: { bad: { when: '1 / 0 > 1' } } }));
    expect(run.outcomes()).toBe('later omitted, bad errored');
    expect(run.running()).toEqual(['slow']);
  });

  it.each(['failed', 'skipped'] as const)('is not what happens when %s is no failure', (what) => {
    const run = aRun(aWorkflow('bad\nslow\nqueued < slow', { steps: { bad: what === 'failed' ? { allowFailure: true } : { when: 'false' } } }));
    if (what === 'failed') run.fail('bad').settle();
    expect(run.state.stopping).toBeUndefined();
    expect(run.succeed('slow').settle().running()).toEqual(['queued']);
    expect(run.succeed('queued').settle().state.end).toMatchObject({ outcome: 'succeeded', failedSteps: [] });
  });
});

describe('onFailure: continue', () => {
  it('keeps only those from starting that depend on the failure', () => {
    const run = aRun(aWorkflow('bad\nafter < bad\nslow\nqueued < slow', { onFailure: 'continue' })).fail('bad').settle();
    expect(run.outcomes()).toBe('bad failed, after omitted');
    expect(run.succeed('slow').settle().running()).toEqual(['queued']);
    expect(run.succeed('queued').settle().state.end).toMatchObject({ outcome: 'failed', failedSteps: ['bad'] });
    expect(run.state.stopping).toBeUndefined();
  });
});

describe('onFailure: cancel', () => {
  const spec = aWorkflow('bad\nslow\ntries\nask\nall\nchild\nqueued < slow\nmine ? bad.failed', {
    onFailure: 'cancel',
    steps: { tries: { retry: retries(3, { delay: minutes(1) }) }, ask: { work: approval }, all: { forEach: eachOf([1, 2, 3], { maxParallel: 2 }) }, child: { work: subRun('other') } },
  });

  it('ends what runs, and asks no more', () => {
    const run = aRun(spec).fail('tries').settle().fail('bad');
    const { actions } = run.round();
    expect(actions.map((action) => (action.kind === 'end' ? `end ${action.reason} ${action.outcome.reason}` : action.kind)).sort()).toEqual(['cancelSubRun', 'createStepJob', 'end RunStopping RunCancelled', 'end RunStopping RunCancelled', 'end RunStopping RunCancelled']);
    expect(run.settle().outcomes()).toBe('bad failed, slow cancelled, tries cancelled, ask cancelled, all cancelled, child cancelled, queued omitted');
    expect(run.running()).toEqual(['mine']);
    expect(run.succeed('mine').settle().state.end).toMatchObject({ outcome: 'failed', failedSteps: ['bad'] });
  });

  it('is not over before what it ended is gone', () => {
    const run = aRun(aWorkflow('bad\nslow', { onFailure: 'cancel' })).fail('bad');
    const { actions, state } = planRun(run.observed(), anEnvironment(), run.now);
    expect(actions).toMatchObject([{ kind: 'end', suspended: false, outcome: { outcome: 'errored', reason: 'RunCancelled', phase: 'ending' } }]);
    expect(state.steps['slow']).toMatchObject({ outcome: 'cancelled', reason: 'RunStopping', attempts: [{ outcome: 'cancelled', endedAt: run.now }] });
    expect(state.end).toBeUndefined();
    run.state = state;
    run.change('slow', { recorded: { phase: 'ending', outcome: 'errored', reason: 'RunCancelled', message: '' } });
    expect(run.settle().state.end).toBeUndefined();
    expect(run.plan).toMatchObject({ actions: [], liveJobs: 1, reason: 'RunFinishing' });
    run.change('slow', { finished: { condition: 'Failed', reason: 'DeadlineExceeded', message: '', at: run.now }, pods: [aRunningPod()] });
    expect(run.settle().state.end).toBeUndefined();
    expect(run.change('slow', { pods: [] }).settle().state.end).toMatchObject({ outcome: 'failed' });
  });

  it('does not create what it was about to', () => {
    const run = aRun(aWorkflow('slow\nfirst < slow\nbad < slow', { onFailure: 'cancel', steps: { bad: { when: '1 / 0 > 1' } } })).succeed('slow');
    expect(run.round().actions).toEqual([]);
    expect(run.settle().outcomes()).toBe('slow succeeded, first cancelled, bad errored');
    expect(run.state.end).toMatchObject({ outcome: 'failed' });
  });

  it('a cancelled step is not ok for those behind it', () => {
    const run = aRun(aWorkflow('bad\nslow\nlist < slow\nok ? slow.ok\nsees ? slow.cancelled', { onFailure: 'cancel' })).fail('bad').settle();
    expect(run.outcomes()).toBe('bad failed, slow cancelled, list omitted, ok omitted');
    expect(run.running()).toEqual(['sees']);
  });
});

describe('onFailure: revert', () => {
  const undo = undoJob();
  const spec = aWorkflow('a\nb < a\nc\nplain\nbad < b\nnever < bad', { onFailure: 'revert', steps: { a: { undo }, b: { undo }, c: { undo }, bad: { undo }, never: { undo } } });
  const reverted = () => {
    const run = aRun(spec).succeed('a').succeed('plain').settle().later(1000);
    run.succeed('c').settle().later(1000);
    run.succeed('b').settle().later(1000);
    return run.fail('bad').settle();
  };

  it('undoes what succeeded, last first, one after the other', () => {
    const run = reverted();
    expect(run.plan).toMatchObject({ reason: 'RunReverting', message: 'undoing "b"; step "bad" failed: container "main" exited with 1' });
    const order: string[] = [];
    for (let [next] = run.running(); next !== undefined; [next] = run.running()) {
      expect(run.running()).toEqual([next]);
      order.push(next);
      run.succeed(next).settle();
    }
    expect(order).toEqual(['undo b', 'undo c', 'undo a']);
    expect(run.state.end).toMatchObject({ outcome: 'failed', failedSteps: ['bad'], message: 'step "bad" failed (Error: container "main" exited with 1)' });
    expect(Object.keys(run.state.undo)).toEqual(['b', 'c', 'a']);
  });

  it('waits for what still runs before it undoes anything', () => {
    const run = aRun(spec).succeed('a').settle().succeed('b').settle().fail('bad').settle();
    expect(run.running()).toEqual(['c', 'plain']);
    run.fail('c').succeed('plain');
    expect(run.settle().running()).toEqual(['undo b']);
  });

  it('goes on when an undo fails, and says so at the end', () => {
    const run = reverted().fail('undo b').settle();
    expect(run.running()).toEqual(['undo c']);
    expect(run.succeed('undo c').settle().succeed('undo a').settle().state.end).toMatchObject({ outcome: 'failed', message: 'step "bad" failed (Error: container "main" exited with 1); not undone: "b"' });
    expect(run.state.undo['b']).toMatchObject({ outcome: 'failed' });
  });

  it('retries an undo as it says', () => {
    const run = aRun(aWorkflow('a\nbad < a', { onFailure: 'revert', steps: { a: { undo: undoJob({}, retries(2)) } } })).succeed('a').settle().fail('bad').settle();
    expect(run.fail('undo a').settle().made('undo a')).toBe(2);
    expect(run.succeed('undo a').settle().state.undo['a']).toMatchObject({ outcome: 'succeeded' });
  });

  it('undoes of two that succeeded in one round the one behind the other first', () => {
    const text = 'late < early\nearly\nbad < late';
    const run = aRun(aWorkflow(text, { onFailure: 'revert', steps: { early: { undo }, late: { undo } } })).succeed('early').settle().succeed('late').settle().fail('bad').settle();
    expect(run.running()).toEqual(['undo late']);
  });

  it('reads what the step wrote, and what came of the run', () => {
    const steps = { a: { undo: undoJob({ args: ['$(steps.a.outputs.id)', '$(run.outcome) $(run.failedSteps)'] }), outputs: { id: anOutput('string') } } };
    const run = aRun(aWorkflow('a\nbad < a', { onFailure: 'revert', steps })).succeed('a', { id: 'x1' }).settle().fail('bad').settle();
    expect(run.argsOf('undo a')).toEqual(['x1', 'failed ["bad"]']);
  });

  it('uses a whole manifest as it stands', () => {
    const run = aRun(aWorkflow('a\nbad < a', { onFailure: 'revert', steps: { a: { undo: { ...undoJob({ args: ['$(run.sh)'] }), verbatim: true } } } })).succeed('a').settle().fail('bad').settle();
    expect(run.argsOf('undo a')).toEqual(['$(run.sh)']);
  });

  it('comes before finally', () => {
    const run = aRun(aWorkflow('a\nbad < a\n-- finally\ntell', { onFailure: 'revert', steps: { a: { undo } } })).succeed('a').settle().fail('bad').settle();
    expect(run.running()).toEqual(['undo a']);
    expect(run.succeed('undo a').settle().running()).toEqual(['tell']);
  });

  it('a cancel ends the undo that runs and starts no other', () => {
    const run = reverted().command({ cancel: 'enough' }).settle();
    expect(run.state.undo).toMatchObject({ b: { outcome: 'cancelled' } });
    expect(run.state.end).toMatchObject({ outcome: 'cancelled', message: 'the run was cancelled: enough; not undone: "b"' });
    expect(run.made('undo c')).toBe(0);
  });
});

describe('finally', () => {
  it('starts when all steps have ended, in the order that it says itself', () => {
    const run = aRun(aWorkflow('a\nb\n-- finally\nclean\ntell < clean'));
    expect(run.succeed('a').settle().running()).toEqual(['b']);
    expect(run.succeed('b').settle().running()).toEqual(['clean']);
    expect(run.plan).toMatchObject({ reason: 'RunFinishing', message: 'all steps have ended; finally: "clean"' });
    expect(run.succeed('clean').settle().running()).toEqual(['tell']);
    expect(run.succeed('tell').settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it.each([
    ['succeeded', '[]'],
    ['failed', '["a"]'],
    ['cancelled', '[]'],
  ] as const)('sees that the run %s', (outcome, failedSteps) => {
    const run = aRun(aWorkflow('a\n-- finally\ntell\nif-bad', { steps: { tell: { work: printing('$(run.outcome) $(run.failedSteps)') }, 'if-bad': { when: 'run.outcome != "succeeded"' } } }));
    if (outcome === 'succeeded') run.succeed('a');
    else if (outcome === 'failed') run.fail('a');
    else run.command({ cancel: 'now' });
    run.settle();
    expect(run.argsOf('tell')).toEqual([`${outcome} ${failedSteps}`]);
    expect(run.outcome('if-bad')).toBe(outcome === 'succeeded' ? 'skipped' : 'open');
  });

  it('that fails makes the run fail, unless that is allowed', () => {
    const failing = (allowFailure: boolean) => aRun(aWorkflow('a\n-- finally\ntell\nother', { steps: { tell: { allowFailure } } })).succeed('a').settle().fail('tell').settle();
    expect(failing(false).running()).toEqual(['other']);
    expect(failing(false).succeed('other').settle().state.end).toMatchObject({ outcome: 'failed', failedSteps: ['tell'] });
    expect(failing(true).succeed('other').settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it('runs after a cancel as well', () => {
    const run = aRun(aWorkflow('a\nb < a\n-- finally\ntell')).command({ cancel: '' }).settle();
    expect(run.outcomes()).toBe('a cancelled, b omitted');
    expect(run.running()).toEqual(['tell']);
    expect(run.succeed('tell').settle().state.end).toMatchObject({ outcome: 'cancelled', reason: 'RunCancelled', message: 'the run was cancelled' });
  });
});

describe('a command', () => {
  it.each([
    ['cancel', 'RunCancelled', 'the run was cancelled: wrong data'],
    ['specGone', 'SpecDeleted', 'the spec was deleted and onSpecDelete is delete'],
  ] as const)('%s ends the run', (what, reason, message) => {
    const run = aRun(aWorkflow('a\nb < a\nc ? a.completed'));
    if (what === 'cancel') run.command({ cancel: 'wrong data' });
    else run[what] = true;
    run.round();
    expect(run.state.stopping).toEqual({ mode: 'cancel', reason, message, at: run.now });
    expect(run.outcomes()).toBe('a cancelled, b omitted, c omitted');
    expect(run.plan?.actions).toMatchObject([{ kind: 'end', reason, outcome: { reason: 'RunCancelled' } }]);
    expect(run.settle().state.end).toMatchObject({ outcome: 'cancelled', reason, message });
  });

  it('given twice changes nothing', () => {
    const run = aRun(aWorkflow('a\n-- finally\ntell')).command({ cancel: 'first' }).settle();
    const before = run.state;
    run.command({ cancel: 'second' }).later(1000).settle();
    expect(run.state).toBe(before);
  });

  it('comes too late for a step whose containers have ended', () => {
    const run = aRun(aWorkflow('a\nb < a')).contain('a').command({ cancel: 'x' }).settle();
    expect(run.outcomes()).toBe('a succeeded, b omitted');
  });

  it('comes too late when nothing is left to decide', () => {
    const run = aRun(aWorkflow('a')).succeed('a');
    const [pod] = run.jobOf('a').pods;
    run.change('a', { pods: [pod!, { ...pod!, name: 'x', phase: 'Running', step: undefined }] }).settle();
    expect(run.command({ cancel: 'x' }).settle().state.stopping).toBeUndefined();
    expect(run.change('a', { pods: [] }).settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it('takes the place of a failure that was stopping the run', () => {
    const run = aRun(aWorkflow('bad\nslow')).fail('bad').settle().command({ cancel: 'x' }).settle();
    expect(run.outcomes()).toBe('bad failed, slow cancelled');
    expect(run.state.end).toMatchObject({ outcome: 'cancelled', failedSteps: ['bad'] });
  });

  it('ends Jobs that appear after it: their create had no clean answer', () => {
    const run = aRun(aWorkflow('a'));
    const job = run.jobOf('a');
    run.remove('a');
    run.state = { ...run.state, steps: { a: { attempts: [{ job: job.name, at: run.now }] } } };
    run.reservations.set(job.name, 'unknown');
    run.command({ cancel: 'x' });
    expect(planRun(run.observed(), anEnvironment(), run.now).actions).toMatchObject([{ kind: 'lookUp', jobName: job.name }]);
    run.state = planRun(run.observed(), anEnvironment(), run.now).state;
    run.reservations.set(job.name, 'created');
    expect(run.settle().state.end).toBeUndefined();
    run.reservations.clear();
    run.jobs.set(job.name, job);
    expect(run.round().actions).toMatchObject([{ kind: 'end', job: { name: job.name } }]);
    expect(run.settle().state.end).toMatchObject({ outcome: 'cancelled' });
  });

  it('is carried out again where somebody suspended the Job meanwhile', () => {
    const run = aRun(aWorkflow('a')).command({ cancel: 'x' });
    run.state = planRun(run.observed(), anEnvironment(), run.now).state;
    run.change('a', { suspended: true, pods: [], recorded: { phase: 'ending', outcome: 'errored', reason: 'RunCancelled', message: 'x' } });
    expect(run.round().actions).toMatchObject([{ kind: 'end', reason: 'JobEnding', suspended: true, outcome: { reason: 'RunCancelled' } }]);
  });

  it('that nobody knows of any more leaves a cancelled step, and a run that has not succeeded', () => {
    const run = aRun(aWorkflow('a\nb < a')).change('a', { finished: failed(noon), recorded: { phase: 'ending', outcome: 'errored', reason: 'RunCancelled', message: 'x' }, pods: [] }).settle();
    expect(run.outcomes()).toBe('a cancelled, b omitted');
    expect(run.state.end).toMatchObject({ outcome: 'failed', failedSteps: [] });
  });

  it('is found again by a process that ended the Jobs and died', () => {
    const run = aRun(aWorkflow('a\nb < a')).command({ cancel: 'x' });
    const before = run.state;
    run.round();
    run.state = before;
    expect(run.settle().outcomes()).toBe('a cancelled, b omitted');
  });
});

describe('suspend', () => {
  it('starts nothing, and lets what runs finish', () => {
    const run = aRun(aWorkflow('a\nb < a\nc < b', { steps: { b: { retry: retries(2) } } })).command({ suspend: true }).succeed('a').settle();
    expect(run.outcomes()).toBe('a succeeded');
    expect(run.plan).toMatchObject({ reason: 'RunSuspended', message: 'the run is suspended: nothing starts', liveJobs: 0 });
    expect(run.command({ suspend: false }).settle().running()).toEqual(['b']);
    run.command({ suspend: true }).fail('b').settle();
    expect([run.made('b'), run.outcome('b')]).toEqual([1, 'open']);
    expect(run.command({ suspend: false }).settle().made('b')).toBe(2);
  });

  it('holds a create back that was lost', () => {
    const run = aRun(aWorkflow('a'));
    run.remove('a');
    run.state = { ...run.state, steps: { a: { attempts: [{ job: run.nameOf('a'), at: run.now }] } } };
    expect(run.command({ suspend: true }).round().actions).toEqual([]);
    expect(run.command({ suspend: false }).round().actions).toMatchObject([{ kind: 'createStepJob' }]);
  });

  it('holds back what comes last, and does not keep a run from being cancelled', () => {
    const run = aRun(aWorkflow('a\n-- finally\ntell')).command({ suspend: true, cancel: 'x' }).settle();
    expect(run.outcomes()).toBe('a cancelled');
    expect(run.state.end).toBeUndefined();
    expect(run.command({ suspend: false }).settle().running()).toEqual(['tell']);
  });

  it('is what a record counts for that is being deleted', () => {
    const run = aRun(aWorkflow('a\nb < a'));
    run.record = { ...run.record, deleting: true };
    expect(run.succeed('a').settle().running()).toEqual([]);
  });
});

describe('approvals', () => {
  const spec = aWorkflow('a\nask < a\nb < ask', { steps: { ask: { work: approval, timeout: minutes(10) } } });

  it('wait for somebody, without a Job', () => {
    const run = aRun(spec).succeed('a').settle();
    expect(run.state.steps['ask']).toMatchObject({ attempts: [{ job: 'ask', at: run.now }] });
    expect(run.plan).toMatchObject({ reason: 'WaitsForApproval', message: '"ask" waits to be approved', liveJobs: 0, wakeAt: run.now + minutes(10) });
  });

  it('let the next step start when they are given', () => {
    const run = aRun(spec).succeed('a').settle().approve('ask').settle();
    expect(run.outcomes()).toBe('a succeeded, ask succeeded');
    expect(run.running()).toEqual(['b']);
  });

  it('may be given beforehand', () => {
    const run = aRun(spec).approve('ask').succeed('a');
    run.round();
    expect(run.outcomes()).toBe('a succeeded, ask succeeded');
    expect(run.running()).toEqual(['b']);
  });

  it('fail when they are refused', () => {
    const run = aRun(spec).succeed('a').settle().approve('ask', 'rejected').settle();
    expect(run.state.steps['ask']).toMatchObject({ outcome: 'failed', reason: 'ApprovalRejected' });
    expect(run.state.end).toMatchObject({ outcome: 'failed', failedSteps: ['ask'] });
  });

  it('fail when nobody answers in time', () => {
    const run = aRun(spec).succeed('a').settle().later(minutes(10)).settle();
    expect(run.state.steps['ask']).toMatchObject({ outcome: 'failed', reason: 'Timeout', message: 'not ended within its timeout of 600 s' });
  });

  it('are not asked for twice, whatever the step says of retries', () => {
    const run = aRun(aWorkflow('ask', { steps: { ask: { work: approval, retry: retries(3) } } })).approve('ask', 'rejected').settle();
    expect(run.outcome('ask')).toBe('failed');
  });

  it('end with their run', () => {
    expect(aRun(aWorkflow('ask', { steps: { ask: { work: approval } } })).command({ cancel: 'x' }).settle().state).toMatchObject({ steps: { ask: { outcome: 'cancelled' } }, end: { outcome: 'cancelled' } });
  });
});
