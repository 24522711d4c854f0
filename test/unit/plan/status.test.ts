import { describe, expect, it } from 'vitest';
import type { State, Status } from '../../../src/plan/action.ts';
import type { Claim, Observed } from '../../../src/plan/observed.ts';
import { reasons, type Reason } from '../../../src/plan/reason.ts';
import { describeProblem, queueStatus, rejected } from '../../../src/plan/status.ts';
import { planUnknown } from '../../../src/plan/unknown.ts';
import { aBrokenClaim, aClaim, aConfigMap, anEndedJob, aProblem, aQueueSpec, aRunningJob, failed, finalNote, noon, observed, passed, seconds } from '../../support/builders.ts';
import { planAt } from '../../support/planning.ts';

const statusOf = (state: State, reason: Reason, message = 'so it is', view = observed()): Status => queueStatus({ state, reason, message }, view.claims[0]!, view);

describe('health', () => {
  const failedRun = observed({ jobs: [anEndedJob('failed', { sequence: 1, at: noon })] });
  const strict = aClaim(aQueueSpec({ health: { includeLastRun: true } }));
  const healthOf = (state: State, claim: Claim, view: Observed): string => queueStatus({ state, reason: 'QueueEmpty', message: '' }, claim, view).health;

  it.each([
    ['a rejected spec is degraded', 'Rejected', aClaim(), observed(), 'Degraded'],
    ['a spec that is being checked is on its way', 'Checking', aClaim(), observed(), 'Progressing'],
    ['a suspended spec is healthy', 'Suspended', aClaim(), observed(), 'Healthy'],
    ['a blocked queue is healthy: its configuration is in force', 'Blocked', aClaim(), observed(), 'Healthy'],
    ['a failed run does not count', 'Waiting', aClaim(), failedRun, 'Healthy'],
    ['a failed run counts where the spec says so', 'Waiting', strict, failedRun, 'Degraded'],
    ['a run that succeeded is healthy there, too', 'Idle', strict, observed({ jobs: [anEndedJob('succeeded', { sequence: 1, at: noon })] }), 'Healthy'],
    ['a superseded spec has no runs of its own', 'Superseded', strict, failedRun, 'Healthy'],
  ] as const)('%s', (_sentence, state, claim, view, health) => {
    expect(healthOf(state, claim, view)).toBe(health);
  });
});

describe('the status of a claim', () => {
  it('says everything in one document', () => {
    const jobs = [anEndedJob('failed', { sequence: 1, at: noon - seconds(5), recorded: finalNote('failed', { reason: 'OOMKilled', message: 'container "main" exited with 137' }) }), aRunningJob({ sequence: 2, specHash: 'hash-0' }), aRunningJob({ sequence: 3 })];
    expect(statusOf('Running', 'JobRunning', 'Job "thumbnails-3" is running', observed({ jobs }))).toEqual({
      state: 'Running',
      reason: 'JobRunning',
      message: 'Job "thumbnails-3" is running',
      health: 'Healthy',
      observedHash: 'hash-1',
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'SpecAccepted', message: '' },
        { type: 'Progressing', status: 'True', reason: 'JobRunning', message: '' },
        { type: 'LastRun', status: 'False', reason: 'OOMKilled', message: 'Job "thumbnails-1": failed, container "main" exited with 137' },
      ],
      lastRun: { job: 'thumbnails-1', outcome: 'failed', reason: 'OOMKilled', message: 'container "main" exited with 137', finishedAt: '2026-01-01T11:59:55.000Z' },
      liveJobs: 2,
      oldJobs: 1,
    });
  });

  it.each([
    ['Idle', 'QueueEmpty', 'True', 'False'],
    ['Starting', 'JobStarting', 'True', 'True'],
    ['Running', 'JobRunning', 'True', 'True'],
    ['Ending', 'JobEnding', 'True', 'True'],
    ['Waiting', 'WaitAfterFailed', 'True', 'False'],
    ['Blocked', 'BreakerOpen', 'True', 'False'],
    ['Suspended', 'SpecSuspended', 'True', 'False'],
    ['Checking', 'SpecChecking', 'Unknown', 'True'],
    ['Checking', 'TemplateUnchecked', 'Unknown', 'True'],
    ['Rejected', 'SpecRejected', 'False', 'False'],
    ['Rejected', 'TemplateRefused', 'False', 'False'],
    ['Superseded', 'SpecSuperseded', 'False', 'False'],
  ] as const)('%s for %s: accepted %s, progressing %s', (state, reason, accepted, progressing) => {
    expect(statusOf(state, reason).conditions.map(({ type, status }) => [type, status])).toEqual([
      ['Accepted', accepted],
      ['Progressing', progressing],
    ]);
  });

  it('a spec that is refused says why where it says that it is not accepted', () => {
    expect(statusOf('Rejected', 'SpecRejected').conditions[0]).toEqual({ type: 'Accepted', status: 'False', reason: 'SpecRejected', message: 'so it is' });
  });

  it('the last run is the newest by sequence, and a good one makes its condition true', () => {
    const jobs = [anEndedJob('succeeded', { sequence: 2, at: noon - seconds(60) }), anEndedJob('failed', { sequence: 1, at: noon })];
    const status = statusOf('Idle', 'QueueEmpty', '', observed({ jobs }));
    expect(status.lastRun).toMatchObject({ job: 'thumbnails-2', outcome: 'succeeded' });
    expect(status.conditions[2]).toEqual({ type: 'LastRun', status: 'True', reason: 'Completed', message: 'Job "thumbnails-2": succeeded' });
  });

  it('warnings of the text and of the API server are one message; a verdict on another revision is not in it', () => {
    const warned = aClaim(aQueueSpec(), aConfigMap(), [aProblem({ severity: 'warning', message: 'old field' })]);
    const view = observed({ claims: [warned], verdict: passed('hash-1', ['would violate PodSecurity']) });
    expect(statusOf('Idle', 'QueueEmpty', '', view).conditions[0]?.message).toBe('old field; would violate PodSecurity');
    expect(statusOf('Idle', 'QueueEmpty', '', { ...view, verdict: passed('hash-0', ['nothing to us']) }).conditions[0]?.message).toBe('old field');
  });

  it.each([
    ['letters', 'x'],
    ['quotes', '"'],
    ['characters of three bytes', '漢'],
    ['characters of two units', '😀'],
    ['control characters', '\u0001'],
  ])('the whole document stays below 4 KiB, also with long texts of %s', (_sentence, character) => {
    const text = character.repeat(4000);
    const jobs = [anEndedJob('failed', { finished: failed(noon, 'X'.repeat(100)), recorded: finalNote('failed', { message: text }) })];
    const view = observed({ jobs, claims: [aClaim(aQueueSpec(), aConfigMap(), [aProblem({ severity: 'warning', message: text })])] });
    for (const status of [statusOf('Blocked', 'QueueUnreachable', text, view), statusOf('Rejected', 'TemplateRefused', text, view)]) {
      expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(4096);
      expect(status.message.endsWith('…')).toBe(true);
      expect(status.message.isWellFormed()).toBe(true);
    }
  });

  it('a short message is left as it is', () => {
    expect(statusOf('Idle', 'QueueEmpty', 'x'.repeat(900)).message).toBe('x'.repeat(900));
  });
});

describe('problems as text', () => {
  it.each([
    ['a bare problem', aProblem(), 'there is no field "pod"'],
    ['with a path', aProblem({ path: 'drain.pod' }), 'drain.pod: there is no field "pod"'],
    ['with a position', aProblem({ path: 'drain.pod', position: { file: 'configmap/a', line: 7, column: 3 } }), 'line 7, column 3: drain.pod: there is no field "pod"'],
    ['with a hint', aProblem({ hint: 'did you mean "pods"?' }), 'there is no field "pod"; did you mean "pods"?'],
  ])('%s', (_sentence, problem, text) => {
    expect(describeProblem(problem)).toBe(text);
  });

  it.each([
    ['one error is told', [aProblem()], 'there is no field "pod"'],
    ['of several errors the first and their number', [aProblem(), aProblem(), aProblem()], 'there is no field "pod" (and 2 more)'],
    ['warnings reject nothing', [aProblem({ severity: 'warning', message: 'old' }), aProblem()], 'there is no field "pod"'],
    ['a spec without any error cannot be read', [], 'the spec cannot be read'],
  ] as const)('%s', (_sentence, problems, message) => {
    expect(rejected(problems)).toEqual({ state: 'Rejected', reason: 'SpecRejected', message });
  });
});

it('documents of a kind that does not exist are told so, each of them, and nothing else happens', () => {
  const unknown = (name: string): ReturnType<typeof aBrokenClaim> => aBrokenClaim(aConfigMap({ name, uid: name }), [aProblem({ message: `there is no kind "${name}"` })], { kind: undefined, hash: undefined });
  const view = observed({ key: { kind: 'unknown', name: 'x' }, claims: [unknown('Quue'), unknown('Jobb')] });
  const plan = planAt(view);
  expect(plan).toEqual(planUnknown(view, noon));
  expect(plan).toMatchObject({ actions: [], demands: [], wakeAt: undefined });
  expect(plan.statuses.map(({ claim, status }) => [claim, status.state, status.message])).toEqual([
    [0, 'Rejected', 'there is no kind "Quue"'],
    [1, 'Rejected', 'there is no kind "Jobb"'],
  ]);
});

it('every reason is a word that events and metrics can carry', () => {
  for (const [reason, type] of Object.entries(reasons)) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]{2,63}$/);
    expect(['Normal', 'Warning']).toContain(type);
  }
});
