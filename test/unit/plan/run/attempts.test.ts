/** One attempt and the next: retries, creates that do not come through, Jobs that vanish, room for all of them. */
import { describe, expect, it } from 'vitest';
import { planRun } from '../../../../src/plan/run/plan-run.ts';
import { anEnvironment, aPod, aRunningPod, hours, minutes, noon, seconds, usualUpkeep, waitingFor } from '../../../support/builders.ts';
import { aRun, aWorkflow, eachOf, freshState, printing, retries, RunWorld } from '../../../support/run-builders.ts';

describe('retries', () => {
  const again = (changes = {}) => aWorkflow('a\nb < a', { steps: { a: { retry: retries(3, { delay: seconds(10), factor: 2, ...changes }) } } });

  it('follow a failure after the delay, as a Job of its own', () => {
    const run = aRun(again()).fail('a').settle();
    expect(run.plan).toMatchObject({ reason: 'WaitsForRetry', message: 'step "a" is tried again at 2026-01-01T12:00:10.000Z (Error: container "main" exited with 1)', wakeAt: noon + seconds(10), liveJobs: 0 });
    expect(run.outcome('a')).toBe('open');
    const [first] = run.things;
    const { actions } = run.later(seconds(10)).round();
    expect(actions).toMatchObject([{ kind: 'createStepJob', reason: 'StepRetry', because: 'step "a" goes into attempt 2' }]);
    expect(run.nameOf('a')).not.toBe(first?.name);
    expect(run.fail('a').settle().plan?.wakeAt).toBe(run.now + seconds(20));
    expect(run.later(seconds(20)).settle().succeed('a').settle().outcomes()).toBe('a succeeded');
    expect(run.state.steps['a']?.attempts).toMatchObject([{ outcome: 'failed', exitCode: 1 }, { outcome: 'failed' }, { outcome: 'succeeded' }]);
  });

  it('end when the attempts are used up', () => {
    const run = aRun(again({ delay: 0 })).fail('a').settle().fail('a').settle().fail('a', 3).settle();
    expect(run.made('a')).toBe(3);
    expect(run.state.steps['a']).toMatchObject({ outcome: 'failed', message: 'container "main" exited with 3' });
    expect(run.outcome('b')).toBe('omitted');
  });

  it('wait until no pod of the attempt before still runs', () => {
    const run = aRun(again({ delay: 0 })).fail('a');
    run.change('a', { pods: [...run.jobOf('a').pods, aRunningPod({ name: 'left' })], recorded: { phase: 'final', outcome: 'failed', reason: 'Error', message: '' } }).settle();
    expect(run.made('a')).toBe(1);
    expect(run.plan).toMatchObject({ reason: 'PodsRemain', liveJobs: 1 });
    expect(run.change('a', { pods: [] }).settle().made('a')).toBe(2);
  });

  it('get more memory after an OOM kill, also where the limit is a reference', () => {
    const work = { kind: 'job' as const, template: { spec: { template: { spec: { containers: [{ name: 'main', image: 'x', resources: { limits: { memory: '$(params.memory)' } } }] } } } } };
    const parameters = { memory: { type: 'string' as const, schema: {}, default: '100Mi', optional: false } };
    const run = aRun(aWorkflow('a', { parameters, steps: { a: { work, retry: retries(3, { onOOM: { factor: 2, maxMemory: '1Gi' } }) } } }));
    const killed = { container: 'main', exitCode: 137, reason: 'OOMKilled', message: '' };
    run.fail('a').change('a', { pods: [aRunningPod({ phase: 'Failed', failures: [killed] })] }).settle();
    expect(run.state.steps['a']?.attempts).toMatchObject([{ reason: 'OOMKilled' }, { memory: '200Mi' }]);
    expect(JSON.stringify(run.things.at(-1)?.action)).toContain('"memory":"200Mi"');
  });

  it('do not follow what the API server refused', () => {
    const run = new RunWorld(again());
    run.creates = false;
    run.round();
    run.refusals.set(run.state.steps['a']?.attempts?.[0]?.job ?? '', { kind: 'refused', message: 'image is not allowed', at: run.now, count: 1 });
    expect(run.settle().state.steps['a']).toMatchObject({ outcome: 'refused', reason: 'CreateRefused', message: 'image is not allowed' });
    expect(run.state.end).toMatchObject({ outcome: 'failed' });
  });
});

describe('a create that does not come through', () => {
  const lost = () => {
    const run = new RunWorld(aWorkflow('a'));
    run.creates = false;
    const { actions } = run.round();
    const [action] = actions;
    return { run, name: action?.kind === 'createStepJob' ? action.jobName : '', action };
  };

  it('comes again, the same, while nothing shows the Job', () => {
    const { run, action } = lost();
    const before = run.state;
    expect(run.round().actions).toEqual([action]);
    expect(run.state).toBe(before);
  });

  it('is not sent again while its answer is on the way to the cache', () => {
    const { run, name } = lost();
    run.reservations.set(name, 'created');
    expect(run.round()).toMatchObject({ actions: [], liveJobs: 1, reason: 'WaitsForSteps' });
  });

  it.each(['pending', 'unknown'] as const)('that is %s is looked up before anything else', (state) => {
    const { run, name, action } = lost();
    run.reservations.set(name, state);
    expect(planRun(run.observed(), anEnvironment(), run.now)).toMatchObject({ actions: [{ kind: 'lookUp', jobName: name, step: 'a', reason: 'AnswerUnknown' }], reason: 'AnswerUnknown' });
    run.round();
    // It is not there.
    expect(run.round().actions).toEqual([action]);
  });

  it.each([
    ['quota', 1, seconds(1), 'WaitsForCapacity'],
    ['quota', 4, seconds(8), 'WaitsForCapacity'],
    ['forbidden', 99, seconds(30), 'Forbidden'],
  ] as const)('for %s, %i times in a row, comes again after %i ms', (kind, count, pause, reason) => {
    const { run, name, action } = lost();
    run.refusals.set(name, { kind, message: 'exceeded quota: jobs', at: run.now, count });
    expect(run.round()).toMatchObject({ actions: [], wakeAt: run.now + pause, reason, message: 'step "a": exceeded quota: jobs', liveJobs: 1 });
    expect(run.later(pause - 1).round().actions).toEqual([]);
    expect(run.later(1).round().actions).toEqual([action]);
  });

  it('of which the API server said that it worked is not sent again, though no round came in time to see the Job', () => {
    const { run, name } = lost();
    run.confirmed.add(name);
    expect(run.round().actions).toMatchObject([{ kind: 'lookUp', jobName: name }]);
    expect(run.settle().state.steps['a']).toMatchObject({ outcome: 'errored', reason: 'JobDeleted' });
  });

  it('of such a Job is another attempt, by the rules of the step', () => {
    const run = new RunWorld(aWorkflow('a', { steps: { a: { retry: retries(2, { delay: seconds(10) }) } } }));
    run.creates = false;
    run.round();
    run.confirmed.add(run.state.steps['a']?.attempts?.[0]?.job ?? '');
    run.creates = true;
    expect(run.settle().made('a')).toBe(0);
    expect(run.later(seconds(10)).settle().made('a')).toBe(1);
  });

  it('is not sent again while a pod of a Job of its name still lives', () => {
    const { run, name, action } = lost();
    run.orphans = [aRunningPod({ name: 'left', jobName: name })];
    expect(run.round()).toMatchObject({ actions: [], reason: 'PodsRemain', liveJobs: 1 });
    run.orphans = [];
    expect(run.round().actions).toEqual([action]);
  });

  it('because the name is taken is refused', () => {
    const { run, name } = lost();
    run.refusals.set(name, { kind: 'taken', message: 'a Job that is not ours', at: run.now, count: 1 });
    expect(run.settle().state.steps['a']).toMatchObject({ outcome: 'refused', reason: 'JobNameTaken' });
  });

  it('is not sent beside the attempt after it, which nobody wrote down', () => {
    const run = aRun(aWorkflow('a', { steps: { a: { retry: retries(3, { delay: 0 }) } } }));
    const before = run.state;
    run.fail('a').settle();
    const [first] = run.things;
    run.jobs.delete(first?.name ?? '');
    run.state = before;
    expect(run.round()).toMatchObject({ actions: [], liveJobs: 1 });
    expect(run.state.steps['a']?.attempts).toMatchObject([{ job: first?.name, outcome: 'errored', reason: 'JobDeleted' }, { job: run.nameOf('a'), seen: true }]);
    expect(run.succeed('a').settle().outcomes()).toBe('a succeeded');
    expect(run.made('a')).toBe(2);
  });

  it('is met again by a process that did not write down that it had sent it', () => {
    const run = aRun(aWorkflow('a\nb < a', { maxParallel: 1 })).contain('a');
    run.state = freshState;
    run.round();
    expect(run.made('a')).toBe(1);
    expect(run.outcomes()).toBe('a succeeded');
    expect(run.running()).toEqual(['a', 'b']);
  });

  it('of a Job that still runs, likewise, and its slot is its own', () => {
    const run = aRun(aWorkflow('a\nb\nc', { maxParallel: 2 }));
    run.state = freshState;
    expect(run.settle().running()).toEqual(['a', 'b']);
    expect([run.made('a'), run.made('b'), run.plan?.liveJobs]).toEqual([1, 1, 2]);
    expect([run.outcome('a'), run.outcome('b'), run.outcome('c')]).toEqual(['open', 'open', 'not started']);
  });

  it('of a Job of finally, likewise, also where there is room for one only, and while the run is suspended it is left alone', () => {
    const run = aRun(aWorkflow('a\n-- finally\ntell', { maxParallel: 1 })).succeed('a').settle();
    run.state = { ...run.state, steps: { a: run.state.steps['a'] ?? {} } };
    expect(run.command({ suspend: true }).settle().running()).toEqual(['tell']);
    expect(run.outcome('tell')).toBe('not started');
    expect(run.command({ suspend: false }).settle().outcome('tell')).toBe('open');
    expect([run.made('tell'), run.running()]).toEqual([1, ['tell']]);
  });

  it('of a Job that failed meanwhile is followed by the next attempt at once', () => {
    const run = aRun(aWorkflow('a', { steps: { a: { retry: retries(2) } } })).fail('a');
    run.state = freshState;
    run.round();
    expect(run.made('a')).toBe(2);
  });

  it('leaves a Job behind that nobody waits for: it is ended when nothing can meet it any more', () => {
    const run = aRun(aWorkflow('a\nb < a')).succeed('a').settle();
    // The process died after it created b; the next one finds the run cancelled.
    run.state = { ...run.state, steps: { a: run.state.steps['a'] ?? {} } };
    run.command({ cancel: 'x' });
    expect(run.round()).toMatchObject({ actions: [{ kind: 'end', job: { name: run.nameOf('b') } }], liveJobs: 1 });
    expect(run.settle().state.end).toMatchObject({ outcome: 'cancelled' });
  });
});

describe('a Job that vanishes', () => {
  it('is looked for before it is given up', () => {
    const run = aRun(aWorkflow('a\nb < a')).remove('a');
    expect(planRun(run.observed(), anEnvironment(), run.now).actions).toMatchObject([{ kind: 'lookUp', because: `Job "${run.nameOf('a')}" was there and is not shown any more` }]);
    expect(run.settle().state.steps['a']).toMatchObject({ outcome: 'errored', reason: 'JobDeleted', message: `Job "${run.nameOf('a')}" was deleted before it had ended` });
    expect(run.outcome('b')).toBe('omitted');
  });

  it('is not gone while one of its pods lives', () => {
    const run = aRun(aWorkflow('a', { maxParallel: 1 })).remove('a');
    run.absent.add(run.nameOf('a'));
    run.orphans = [aRunningPod({ name: 'left', jobName: run.nameOf('a') })];
    expect(run.settle().plan).toMatchObject({ reason: 'PodsRemain', liveJobs: 1, message: `step "a": Job "${run.nameOf('a')}" was deleted; its pod "left" still lives` });
    run.orphans = [aPod({ name: 'left', phase: 'Failed', jobName: run.nameOf('a') })];
    expect(run.settle().outcome('a')).toBe('errored');
  });

  it('is retried where attempts remain', () => {
    const run = aRun(aWorkflow('a', { steps: { a: { retry: retries(2) } } })).remove('a').settle();
    expect([run.made('a'), run.outcome('a')]).toEqual([2, 'open']);
  });

  it('after it was recorded does not rewind the run', () => {
    const run = aRun(aWorkflow('a\nb < a')).succeed('a').settle().remove('a').settle();
    expect([run.made('a'), run.outcomes()]).toEqual([1, 'a succeeded']);
  });

  it('is what somebody is deleting only once it is gone', () => {
    const run = aRun(aWorkflow('a')).change('a', { deleting: true }).settle();
    expect([run.outcome('a'), run.plan?.liveJobs]).toEqual(['open', 1]);
  });
});

describe('patience', () => {
  /** Its Job is there, and nothing was seen of it. */
  const created = (step: string): RunWorld => {
    const run = new RunWorld(aWorkflow(step));
    run.round();
    return run;
  };

  it('has no limit of its start for a Job whose pod went with its node, whoever saw it run', () => {
    const run = aRun(aWorkflow('a')).change('a', { pods: [] }).later(hours(2));
    expect(run.settle().plan?.actions).toEqual([]);
    run.change('a', { pods: [aPod({ unscheduled: { reason: 'Unschedulable', message: 'no node fits' } })] });
    expect(run.settle().plan?.actions).toEqual([]);
  });

  it('counts the timeout from the start of the first container, also when its pod is gone', () => {
    const run = aRun(aWorkflow('a')).change('a', { pods: [], upkeep: { ...usualUpkeep, timeout: minutes(1) } }).later(minutes(1));
    expect(run.round().actions).toMatchObject([{ kind: 'end', reason: 'Timeout' }]);
  });

  it('ends a Job that does not start', () => {
    const run = created('a').change('a', { pods: [aPod({ unscheduled: { reason: 'Unschedulable', message: 'no node fits' } })], upkeep: { ...usualUpkeep, startTimeout: minutes(5) } });
    expect(run.settle().plan).toMatchObject({ wakeAt: run.now + seconds(10), reason: 'JobStarting', message: 'step "a": pod pod-a: Unschedulable: no node fits' });
    expect(run.later(minutes(5)).round().actions).toMatchObject([{ kind: 'end', reason: 'StartTimeout', outcome: { outcome: 'notStarted', phase: 'ending' } }]);
    expect(run.settle().state.steps['a']).toMatchObject({ outcome: 'notStarted', reason: 'StartTimeout' });
  });

  it('ends a Job whose image cannot be pulled', () => {
    const run = aRun(aWorkflow('a')).change('a', { pods: [aPod({ waiting: waitingFor('ErrImagePull', noon - seconds(31)) })] });
    expect(run.round().actions).toMatchObject([{ kind: 'end', reason: 'PodFatal' }]);
  });

  it('ends a Job that runs too long, and not one whose containers have ended', () => {
    const limited = { upkeep: { ...usualUpkeep, timeout: minutes(1) } };
    const run = aRun(aWorkflow('a\nb < a')).change('a', limited).later(minutes(2)).contain('a').settle();
    expect(run.plan?.actions).toEqual([]);
    run.change('b', limited);
    expect(run.later(minutes(2)).round().actions).toMatchObject([{ kind: 'end', reason: 'Timeout', outcome: { outcome: 'failed' }, job: { name: run.nameOf('b') } }]);
    expect(run.settle().state.steps['b']).toMatchObject({ outcome: 'failed', reason: 'Timeout' });
  });

  it('ends a Job whose step has succeeded when a new pod would do the work again', () => {
    const run = aRun(aWorkflow('a\nb < a')).contain('a').settle();
    // The node went before it could say that the pod had succeeded.
    run.change('a', { pods: [aRunningPod({ name: 'again', createdAt: run.now })] });
    expect(run.later(minutes(6)).round().actions).toMatchObject([{ kind: 'end', reason: 'StepSucceeded', outcome: { outcome: 'succeeded', phase: 'ending' }, job: { name: run.nameOf('a') } }]);
    expect(run.settle().state.steps['a']).toMatchObject({ outcome: 'succeeded', attempts: [{ verdict: 'Failed: DeadlineExceeded: ' + run.jobOf('a').finished!.message }] });
    expect(run.running()).toEqual(['b']);
  });

  it.each([
    ['is being stopped', { deleting: true }],
    ['has ended', { step: { index: undefined, done: 'succeeded' as const, doneAt: noon, messages: [], containers: 1 } }],
  ])('leaves a Job whose step has succeeded alone while its other pod %s', (_, pod) => {
    const run = aRun(aWorkflow('a')).contain('a').settle();
    run.change('a', { pods: [...run.jobOf('a').pods, aRunningPod({ name: 'other', ...pod })] });
    expect(run.round().actions).toEqual([]);
  });

  it('has none with a suspended Job, and asks for Events of one without pods', () => {
    const run = created('a').change('a', { suspended: true, startedAt: undefined, pods: [] });
    expect(run.later(hours(10)).round()).toMatchObject({ actions: [], liveJobs: 1 });
    run.change('a', { suspended: false, startedAt: run.now - seconds(11) });
    expect(run.round().demands).toEqual([{ kind: 'explanation', objects: [{ kind: 'Job', name: run.nameOf('a'), uid: run.jobOf('a').uid }] }]);
  });

  it('the start of its first container is written down', () => {
    const run = aRun(aWorkflow('a'));
    expect(run.state.steps['a']?.attempts).toEqual([{ job: run.nameOf('a'), at: noon, seen: true, ranAt: noon }]);
  });
});

describe('maxParallel of a run', () => {
  it('is the number of its live Jobs, and the next starts when one has ended', () => {
    const run = aRun(aWorkflow('a\nb\nc\nd', { maxParallel: 2 }));
    expect(run.running()).toEqual(['a', 'b']);
    expect(run.plan).toMatchObject({ liveJobs: 2, message: 'running: "a", "b"; 0 of 4 steps have ended; step "c" waits for one of 2 slots' });
    expect(run.contain('a').settle().running()).toEqual(['a', 'b', 'c']);
  });

  it('counts a Job whose outcome is known and whose pods still run', () => {
    const run = aRun(aWorkflow('a\nb', { maxParallel: 1 })).succeed('a');
    const [pod] = run.jobOf('a').pods;
    run.change('a', { pods: [pod!, { ...pod!, name: 'x', phase: 'Running', step: undefined }] });
    expect(run.settle().made('b')).toBe(0);
    expect(run.change('a', { pods: [pod!] }).settle().made('b')).toBe(1);
  });

  it('counts retries and items as well, and a waiting retry not', () => {
    const run = aRun(aWorkflow('a\nb\nc', { maxParallel: 1, steps: { a: { retry: retries(2, { delay: seconds(10) }) }, b: { forEach: eachOf([1, 2]) } } })).fail('a').settle();
    expect(run.running()).toEqual(['b[0]']);
    run.later(seconds(10)).settle();
    expect(run.running()).toEqual(['b[0]']);
    expect(run.succeed('b[0]').settle().running()).toEqual(['a']);
  });

  it('does not count what was refused a create and waits, as less', () => {
    const run = new RunWorld(aWorkflow('a\nb', { maxParallel: 1 }));
    run.creates = false;
    run.round();
    run.refusals.set(run.state.steps['a']?.attempts?.[0]?.job ?? '', { kind: 'quota', message: 'full', at: run.now, count: 1 });
    expect(run.round()).toMatchObject({ actions: [], liveJobs: 1 });
  });

  it('never lets more than 500 start in one round, and goes on at once', () => {
    const run = new RunWorld(aWorkflow('all', { steps: { all: { work: printing('$(item)'), forEach: { source: { kind: 'count', count: 1200 }, maxParallel: undefined, shape: 'jobs' } } } }));
    const first = run.round();
    expect(first.actions).toHaveLength(500);
    expect(first.wakeAt).toBe(run.now + 1);
    expect(run.round().actions).toHaveLength(500);
    expect(run.round().actions).toHaveLength(200);
    expect(run.settle().running()).toHaveLength(1200);
  });
});
