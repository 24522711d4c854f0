/** What each step of a run waits for, or came to. */
import { describe, expect, it } from 'vitest';
import { outcomeLine, stepWaits, type StepWait } from '../../../../src/plan/run/step-waits.ts';
import { anEnvironment, aPod, minutes, noon, seconds, waitingFor } from '../../../support/builders.ts';
import { approval, aRun, aWorkflow, eachOf, noCommands, retries, RunWorld, subRun, undoJob } from '../../../support/run-builders.ts';

function waits(run: RunWorld): readonly StepWait[] {
  return stepWaits(run.observed(), anEnvironment(), run.now);
}

function waitOf(run: RunWorld, step: string, part: StepWait['part'] = 'steps'): StepWait {
  const found = waits(run).find((one) => one.step === step && one.part === part);
  if (!found) throw new Error(`nothing is said of ${step}`);
  return found;
}

/** Reason, and the steps that are waited for. */
const inShort = (run: RunWorld): Record<string, string> => Object.fromEntries(waits(run).map(({ step, reason, waitsFor }) => [step, [reason, ...waitsFor].join(' ')]));

describe('a step that has not begun', () => {
  it.each([
    ['a list', 'a\nb\nc < a, b', 'dependsOn: a, b', ['a', 'b']],
    ['an expression', 'a\nb\nc ? a.ok && b.failed', 'dependsOn: a.ok && b.failed', ['a', 'b']],
    ['the phase before', '-- first\na\nb\n-- second\nc', 'it comes after phase "first"', ['a', 'b']],
  ])('waits for %s', (_, text, message, waitsFor) => {
    expect(waitOf(aRun(aWorkflow(text)).settle(), 'c')).toMatchObject({ outcome: undefined, reason: 'WaitsForSteps', message, waitsFor });
  });

  it('names only those that are still open', () => {
    const run = aRun(aWorkflow('a\nb\nc < a, b')).settle();
    run.succeed('a');
    expect(inShort(run.settle())).toMatchObject({ a: 'StepSucceeded', b: 'JobRunning', c: 'WaitsForSteps b' });
  });

  it('waits for a step that only its condition names', () => {
    const run = aRun(aWorkflow('a\nb', { steps: { b: { when: 'steps.a.succeeded' } } })).settle();
    expect(waitOf(run, 'b')).toMatchObject({ reason: 'WaitsForSteps', message: 'when: steps.a.succeeded', waitsFor: ['a'] });
  });

  it('waits for room, and says who has it', () => {
    const run = aRun(aWorkflow('a\nb', { maxParallel: 1 })).settle();
    expect(waitOf(run, 'b')).toMatchObject({ reason: 'WaitsForCapacity', message: 'maxParallel is 1, and 1 Job or sub-run is live', waitsFor: ['a'] });
  });

  it('waits for a place under the limits of the instance', () => {
    const run = new RunWorld(aWorkflow('a'));
    const room = { jobs: 0, halted: false, shortage: { state: 'Waiting', reason: 'GroupFull', message: '4 of 4 Jobs of group "gpu" are live' } } as const;
    expect(stepWaits({ ...run.observed(), room }, anEnvironment(), run.now)[0]).toMatchObject({ outcome: undefined, reason: 'GroupFull', message: '4 of 4 Jobs of group "gpu" are live' });
  });

  it('of finally waits for all others', () => {
    const run = aRun(aWorkflow('a\nb\n-- finally\ntidy')).settle();
    run.succeed('a');
    expect(waitOf(run.settle(), 'tidy', 'finally')).toMatchObject({ reason: 'WaitsForSteps', waitsFor: ['b'] });
  });

  it('does not start while the run is suspended', () => {
    const run = aRun(aWorkflow('a\nb < a')).settle();
    run.succeed('a');
    run.record = { ...run.record, commands: { ...noCommands, suspend: true } };
    expect(inShort(run.settle())).toMatchObject({ b: 'RunSuspended' });
  });
});

describe('a step that is under way', () => {
  it('waits for an approval, until its timeout', () => {
    const run = aRun(aWorkflow('go', { steps: { go: { work: approval, timeout: minutes(5) } } })).settle();
    expect(waitOf(run, 'go')).toMatchObject({ reason: 'WaitsForApproval', message: 'may it?', since: noon, until: noon + minutes(5), object: undefined });
  });

  it('waits for the time of its next attempt, and says why the last one failed', () => {
    const run = aRun(aWorkflow('a', { steps: { a: { retry: retries(3, { delay: seconds(30) }) } } })).settle();
    run.fail('a');
    const { reason, message, until } = waitOf(run.settle(), 'a');
    expect({ reason, until }).toEqual({ reason: 'WaitsForRetry', until: expect.any(Number) as number });
    expect(message).toContain('exited with');
    expect((until ?? 0) - run.now).toBe(seconds(30));
  });

  it('says why its pod does not start, and when that is given up', () => {
    const run = aRun(aWorkflow('a')).settle();
    const name = run.nameOf('a');
    const job = run.jobs.get(name);
    if (!job) throw new Error('no Job');
    run.jobs.set(name, { ...job, pods: [aPod({ waiting: waitingFor('ImagePullBackOff', run.now, 'no such image') })] });
    expect(waitOf(run, 'a')).toMatchObject({ reason: 'JobStarting', message: expect.stringContaining('ImagePullBackOff: no such image') as string, until: run.now + seconds(30), object: { kind: 'job', name } });
  });

  it('says that its Job was decided on and is not there', () => {
    const run = new RunWorld(aWorkflow('a'));
    run.creates = false;
    run.round();
    expect(waitOf(run, 'a')).toMatchObject({ reason: 'StepDue', message: expect.stringMatching(/^Job ".+" was decided on and is not there yet$/) as string });
  });

  it.each([['quota', 'QuotaExceeded'], ['forbidden', 'Forbidden']] as const)('says that its Job was refused: %s', (kind, reason) => {
    const run = new RunWorld(aWorkflow('a'));
    run.creates = false;
    run.round();
    const name = Object.values(run.state.steps)[0]?.attempts?.[0]?.job ?? '';
    run.refusals.set(name, { kind, message: 'no', at: run.now, count: 1 });
    expect(waitOf(run, 'a')).toMatchObject({ reason, message: 'no' });
  });

  it('counts items, and says what the first open one does', () => {
    const run = aRun(aWorkflow('each', { maxParallel: 1, steps: { each: { forEach: eachOf(['x', 'y', 'z']) } } })).settle();
    run.succeed('each[0]');
    expect(waitOf(run.settle(), 'each')).toMatchObject({ reason: 'JobRunning', message: expect.stringMatching(/^1 of 3 items have ended; Job ".+" is running$/) as string });
  });

  it('names its sub-run', () => {
    const run = aRun(aWorkflow('sub', { steps: { sub: { work: subRun('other') } } })).settle();
    const [child] = run.children.values();
    expect(waitOf(run, 'sub')).toMatchObject({ reason: 'WorkflowRunning', object: { kind: 'run', name: child?.name } });
  });
});

describe('a step that has ended', () => {
  it('says how, and why', () => {
    const run = aRun(aWorkflow('a\nb\nc < a\nd', { onFailure: 'continue', steps: { d: { when: 'false' } } })).settle();
    run.fail('a');
    run.succeed('b');
    run.settle();
    expect(waits(run).map(({ step, outcome, reason }) => [step, outcome, reason])).toEqual([['a', 'failed', 'Error'], ['b', 'succeeded', 'StepSucceeded'], ['c', 'omitted', 'DependencyNotMet'], ['d', 'skipped', 'ConditionFalse']]);
    expect(outcomeLine(waitOf(run, 'c'))).toBe('was omitted: step "a" failed');
    expect(outcomeLine(waitOf(run, 'b'))).toBe('succeeded');
  });

  it('is told of once more while it is undone', () => {
    const run = aRun(aWorkflow('a\nb < a', { onFailure: 'revert', steps: { a: { undo: undoJob() } } })).settle();
    run.succeed('a');
    run.settle();
    run.fail('b');
    run.settle();
    expect(waitOf(run, 'a', 'undo')).toMatchObject({ outcome: undefined, reason: 'JobRunning' });
  });
});
