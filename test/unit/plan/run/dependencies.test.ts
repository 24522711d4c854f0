/** When steps start, and when they never will. */
import { describe, expect, it } from 'vitest';
import type { Expression } from '../../../../src/spec/expression.ts';
import type { RunWorld } from '../../../support/run-builders.ts';
import { anOutput, aRun, aWorkflow, printing, undoJob } from '../../../support/run-builders.ts';

/** How a step comes out, by what happens to its Job. */
const ends: Readonly<Record<string, (run: RunWorld) => unknown>> = {
  succeeded: (run) => run.succeed('build'),
  failed: (run) => run.fail('build'),
  errored: (run) => run.evict('build'),
  notStarted: (run) => run.neverStart('build'),
  refused: (run) => {
    const name = run.nameOf('build');
    run.remove('build');
    run.refusals.set(name, { kind: 'refused', message: 'spec.template: invalid', at: run.now, count: 1 });
    run.state = { ...run.state, steps: { ...run.state.steps, build: { attempts: [{ job: name, at: run.now }] } } };
  },
};
/** Outcomes that need no Job: the step that `build` is then. */
const without: Readonly<Record<string, Parameters<typeof aWorkflow>[1]>> = {
  skipped: { steps: { build: { when: 'false' } } },
  omitted: { steps: { build: {} } },
};

function afterBuild(outcome: string, dependent: string, allowFailure = false): RunWorld {
  // An omitted build: what it depends on has failed.
  const text = outcome === 'omitted' ? `first\nbuild < first\nnext ${dependent}` : `build\nnext ${dependent}`;
  const changes = without[outcome] ?? { steps: { build: { allowFailure } } };
  const run = aRun(aWorkflow(text, { onFailure: 'continue', ...changes }));
  if (outcome === 'omitted') run.fail('first');
  ends[outcome]?.(run);
  return run.settle();
}

const formsOf = (outcome: string): [string, boolean][] => [
  ['< build', ['succeeded', 'skipped'].includes(outcome)],
  ['? build.ok', ['succeeded', 'skipped'].includes(outcome)],
  ['? build.completed', true],
  ['? !build.ok', !['succeeded', 'skipped'].includes(outcome)],
  ['? build.anySucceeded', outcome === 'succeeded'],
  ['? build.allFailed', ['failed', 'errored', 'notStarted', 'refused'].includes(outcome)],
  ...['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled'].map((field): [string, boolean] => [`? build.${field}`, field === outcome]),
];
const cases = [...Object.keys(ends), ...Object.keys(without)].flatMap((outcome) => formsOf(outcome).map(([form, starts]) => ({ outcome, form, starts })));

describe('a step behind one that has ended', () => {
  it.each(cases)('build $outcome: "next $form" starts: $starts', ({ outcome, form, starts }) => {
    const run = afterBuild(outcome, form);
    expect(run.outcome('build')).toBe(outcome);
    expect(run.outcome('next')).toBe(starts ? 'open' : 'omitted');
  });

  it.each(['failed', 'errored', 'notStarted', 'refused'])('a list takes %s for ok where the failure is allowed', (outcome) => {
    const run = afterBuild(outcome, '< build', true);
    expect(run.outcome('build')).toBe(outcome);
    expect(run.outcome('next')).toBe('open');
  });

  it('says why it was omitted', () => {
    expect(afterBuild('failed', '< build').state.steps['next']).toMatchObject({ outcome: 'omitted', reason: 'DependencyNotMet', message: 'step "build" failed' });
    expect(afterBuild('succeeded', '? build.failed').state.steps['next']).toMatchObject({ outcome: 'omitted', reason: 'DependencyNotMet', message: 'dependsOn: build.failed' });
  });
});

describe('the shape of a graph', () => {
  it('starts what depends on nothing, all at once', () => {
    expect(aRun(aWorkflow('a\nb\nc')).running()).toEqual(['a', 'b', 'c']);
  });

  it('starts the next step in the round in which the containers have ended, before the Job has', () => {
    const run = aRun(aWorkflow('a\nb < a')).contain('a');
    expect(run.round().actions).toMatchObject([{ kind: 'createStepJob', step: 'b', reason: 'StepDue', because: 'step "b" may start' }]);
    expect(run.outcomes()).toBe('a succeeded');
  });

  it('a diamond joins when both of its sides are there', () => {
    const run = aRun(aWorkflow('top\nleft < top\nright < top\nbottom < left, right'));
    expect(run.succeed('top').settle().running()).toEqual(['left', 'right']);
    expect(run.succeed('left').settle().running()).toEqual(['right']);
    expect(run.succeed('right').settle().running()).toEqual(['bottom']);
    expect(run.succeed('bottom').settle().state.end).toMatchObject({ outcome: 'succeeded', reason: 'RunSucceeded', message: '4 of 4 steps succeeded', failedSteps: [] });
  });

  it('an "or" starts while its other branch still runs, and ends it not', () => {
    const run = aRun(aWorkflow('fast\nslow\nnext ? fast.ok || slow.ok')).succeed('fast').settle();
    expect(run.running()).toEqual(['next', 'slow']);
  });

  it('an "and" is omitted while its other branch still runs', () => {
    const run = aRun(aWorkflow('fast\nslow\nnext ? fast.failed && slow.ok', { onFailure: 'continue' })).succeed('fast').settle();
    expect(run.outcome('next')).toBe('omitted');
    expect(run.running()).toEqual(['slow']);
  });

  it('omissions and skips run down a chain within one round', () => {
    const run = aRun(aWorkflow('a\nb < a\nc < b\nd ? c.omitted\ne < d', { onFailure: 'continue', steps: { e: { when: 'false' } } })).fail('a');
    run.round();
    expect(run.outcomes()).toBe('a failed, b omitted, c omitted');
    expect(run.settle().running()).toEqual(['d']);
    expect(run.succeed('d').settle().outcomes()).toBe('a failed, b omitted, c omitted, d succeeded, e skipped');
  });

  it('the order of the text does not matter', () => {
    const run = aRun(aWorkflow('d < c\nc < b\nb < a\na', { onFailure: 'continue' })).fail('a');
    run.round();
    expect(run.outcomes()).toBe('d omitted, c omitted, b omitted, a failed');
  });

  it('phases follow each other; a failure keeps those behind it from starting', () => {
    const text = '-- one\na\nb\n-- two\nc\nd < c\n-- three\ne';
    const run = aRun(aWorkflow(text));
    expect(run.running()).toEqual(['a', 'b']);
    expect(run.succeed('a').settle().running()).toEqual(['b']);
    expect(run.succeed('b').settle().running()).toEqual(['c']);
    run.succeed('c').settle().fail('d');
    expect(run.settle().outcomes()).toBe('a succeeded, b succeeded, c succeeded, d failed, e omitted');
    expect(run.state.steps['e']).toMatchObject({ reason: 'DependencyNotMet', message: 'step "d" failed' });
  });

  it('a phase whose steps were all skipped is passed at once', () => {
    const run = aRun(aWorkflow('-- one\na\n-- two\nb\n-- three\nc', { steps: { a: { when: 'false' }, b: { when: 'false' } } }));
    expect(run.outcomes()).toBe('a skipped, b skipped');
    expect(run.running()).toEqual(['c']);
  });

  it('steps may be named like what every object has', () => {
    const run = aRun(aWorkflow('constructor\ntoString < constructor'));
    expect(run.running()).toEqual(['constructor']);
    expect(run.succeed('constructor').settle().running()).toEqual(['toString']);
  });
});

describe('when', () => {
  const count = { outputs: { rows: anOutput('integer', 0) } };

  it.each([
    [5, 'open'],
    [0, 'skipped'],
  ] as const)('is asked once the dependency holds: rows %i, next %s', (rows, outcome) => {
    const run = aRun(aWorkflow('count\nnext < count', { steps: { count, next: { when: 'steps.count.outputs.rows > 0' } } }));
    expect(run.outcome('next')).toBe('not started');
    expect(run.succeed('count', { rows }).settle().outcome('next')).toBe(outcome);
  });

  it('that is false skips, and says which condition', () => {
    expect(aRun(aWorkflow('a', { steps: { a: { when: '1 > 2' } } })).state.steps['a']).toMatchObject({ outcome: 'skipped', reason: 'ConditionFalse', message: 'when: 1 > 2' });
  });

  it('that cannot be answered is an error of the step', () => {
    const run = aRun(aWorkflow('count\nnext < count', { steps: { count, next: { when: '10 / steps.count.outputs.rows > 1' } } })).succeed('count', { rows: 0 }).settle();
    expect(run.state.steps['next']).toMatchObject({ outcome: 'errored', reason: 'ExpressionError' });
    expect(run.state.end).toMatchObject({ outcome: 'failed', failedSteps: ['next'] });
  });

  it('names an output that will never be written: an error, not a wait without end', () => {
    const steps = { count: { when: 'false', outputs: { rows: anOutput('integer') } }, next: { when: 'steps.count.outputs.rows > 0' } };
    const run = aRun(aWorkflow('count\nnext < count', { steps }));
    expect(run.state.steps['next']).toMatchObject({ outcome: 'errored', reason: 'ExpressionError' });
    expect(run.state.end).toMatchObject({ outcome: 'failed' });
  });
});

describe('an expression that stays open', () => {
  it('although all that it names has ended is an error, not a wait without end', () => {
    const spec = aWorkflow('a\nb < a', { onFailure: 'continue' });
    const never: Expression = { text: 'run.unheard > 1', steps: ['a'], evaluate: () => ({ kind: 'open' }) };
    const run = aRun({ ...spec, steps: spec.steps.map((step) => (step.name === 'b' ? { ...step, when: never } : step)) });
    expect(run.outcome('b')).toBe('not started');
    expect(run.succeed('a').settle().state.steps['b']).toMatchObject({ outcome: 'errored', reason: 'ExpressionError', message: 'run.unheard > 1: it names an output that was not written' });
  });
});

describe('references', () => {
  const count = { outputs: { rows: anOutput('integer'), note: anOutput('string', 'none') } };
  const next = { work: printing('$(steps.count.outputs.rows) $(steps.count.outputs.note) $(params.mode) $(run.name) $(run.trigger) $(run.attempt)') };
  const parameters = { mode: { type: 'string' as const, schema: {}, default: 'full', optional: false } };

  it('are replaced with outputs, parameters and the run itself', () => {
    const run = aRun(aWorkflow('count\nnext < count', { parameters, steps: { count, next } })).succeed('count', { rows: 7 }).settle();
    expect(run.argsOf('next')).toEqual(['7 none full etl-1 change 1']);
  });

  it('may spell names with - or _, however they are declared', () => {
    const steps = { 'count-all': { outputs: { 'row-count': anOutput('integer') } }, next: { work: printing('$(steps.count_all.outputs.row_count) $(params.run_mode)') } };
    const run = aRun(aWorkflow('count-all\nnext < count-all', { parameters: { 'run-mode': parameters.mode }, steps })).succeed('count-all', { 'row-count': 7 }).settle();
    expect(run.argsOf('next')).toEqual(['7 full']);
  });

  it('to the time of a schedule are the time, and the day where the schedule is kept', () => {
    const spec = aWorkflow('a', { steps: { a: { work: printing('$(run.scheduledAt) $(run.scheduledDate) $(run.startedAt)') } }, trigger: { onChange: false, onRequest: false, schedule: { lines: ['0 1 * * *'], timeZone: 'Pacific/Auckland', concurrencyPolicy: 'Forbid', startingDeadline: undefined } } });
    const run = aRun(spec, { request: { trigger: 'schedule', scheduledAt: Date.UTC(2026, 0, 1, 12) } });
    expect(run.argsOf('a')).toEqual(['2026-01-01T12:00:00.000Z 2026-01-02 2026-01-01T12:00:00.000Z']);
    expect(aRun(spec, { request: { trigger: 'schedule', scheduledAt: 1e300 } }).running()).toEqual(['a']);
  });

  it('to an output that a skipped step never wrote are its default', () => {
    const steps = { count: { ...count, when: 'false' }, next: { work: printing('$(steps.count.outputs.note)') } };
    expect(aRun(aWorkflow('count\nnext < count', { steps })).argsOf('next')).toEqual(['none']);
  });

  it('without value or default are an error that names step and output', () => {
    const run = aRun(aWorkflow('count\nnext < count', { parameters, steps: { count: { ...count, when: 'false' }, next } }));
    expect(run.state.steps['next']).toMatchObject({ outcome: 'errored', reason: 'OutputMissing', message: '$(steps.count.outputs.rows): step "count" was skipped without output "rows", which has no default' });
  });

  it('to a step that still runs are waited for, unless there is a default', () => {
    const text = 'count\nother\nnext ? count.ok || other.ok\nsoon ? count.ok || other.ok';
    const run = aRun(aWorkflow(text, { parameters, steps: { count, next, soon: { work: printing('$(steps.count.outputs.note)') } } })).succeed('other').settle();
    expect(run.running()).toEqual(['count', 'soon']);
    expect(run.argsOf('soon')).toEqual(['none']);
    expect(run.succeed('count', { rows: 1 }).settle().argsOf('next')).toEqual(['1 none full etl-1 change 1']);
  });

  it('are found although the step that they name is decided on later in the same round', () => {
    const steps = { late: { when: 'false', outputs: { x: anOutput('string') } }, next: { work: printing('$(steps.late.outputs.x)') } };
    const run = aRun(aWorkflow('first\nnext ? first.ok\nlate < first', { steps })).succeed('first');
    run.round();
    expect(run.state.steps['next']).toMatchObject({ outcome: 'errored', reason: 'OutputMissing' });
  });

  it('a declared output that was not written fails its own step', () => {
    const run = aRun(aWorkflow('count\nnext < count', { steps: { count } })).succeed('count', { note: 'x' }).settle();
    expect(run.state.steps['count']).toMatchObject({ outcome: 'failed', reason: 'OutputMissing' });
    expect(run.outcome('next')).toBe('omitted');
  });

  it('whole manifests and their texts stay as they are', () => {
    const manifest = { spec: { template: { spec: { containers: [{ name: 'main', args: ['$(params.mode)'] }] } } } };
    const run = aRun(aWorkflow('a', { steps: { a: { work: { kind: 'manifests', several: false, manifests: [{ file: 'a.yaml', template: manifest }] } } } }));
    expect(run.argsOf('a')).toEqual(['$(params.mode)']);
  });

  it('in a timeout become milliseconds, or an error', () => {
    const limits = { limit: { type: 'string' as const, schema: {}, default: '90s', optional: false } };
    const spec = aWorkflow('a', { parameters: limits, steps: { a: { timeout: '$(params.limit)' } } });
    const [action] = aRun(spec).things;
    const annotations = action?.action.kind === 'createStepJob' ? (action.action.manifest as unknown as { metadata: { annotations: Record<string, string> } }).metadata.annotations : {};
    expect(JSON.parse(annotations['job-chief/upkeep'] ?? '{}')).toMatchObject({ timeout: 90_000 });
    const broken = aWorkflow('a', { parameters: { limit: { ...limits.limit, default: 'soon' } }, steps: { a: { timeout: '$(params.limit)' } } });
    expect(aRun(broken).state.steps['a']).toMatchObject({ outcome: 'errored', reason: 'ReferenceInvalid', message: 'timeout: "soon" is no duration such as "90s", "1h30m" or "7d"' });
  });
});

describe('the outputs of a run', () => {
  const count = { outputs: { rows: anOutput('integer') } };

  it('are resolved at its end', () => {
    const run = aRun(aWorkflow('count', { steps: { count }, outputs: { total: '$(steps.count.outputs.rows)', text: 'all $(steps.count.outputs.rows)' } })).succeed('count', { rows: 7 }).settle();
    expect(run.state.end).toEqual({ outcome: 'succeeded', reason: 'RunSucceeded', message: '1 of 1 steps succeeded', at: run.now, failedSteps: [], outputs: { total: 7, text: 'all 7' } });
  });

  it('that cannot be resolved make it fail', () => {
    const run = aRun(aWorkflow('count', { steps: { count: { ...count, when: 'false' } }, outputs: { total: '$(steps.count.outputs.rows)' } }));
    expect(run.state.end).toMatchObject({ outcome: 'failed', reason: 'OutputMissing', failedSteps: [] });
  });

  it('are not asked for when it failed', () => {
    const run = aRun(aWorkflow('count', { steps: { count, ...{} }, outputs: { total: '$(steps.count.outputs.rows)' } })).fail('count').settle();
    expect(run.state.end).toMatchObject({ outcome: 'failed', reason: 'StepFailed', message: 'step "count" failed (Error: container "main" exited with 1)', failedSteps: ['count'] });
    expect(run.state.end).not.toHaveProperty('outputs');
  });
});

describe('the end of a run', () => {
  it('waits until no pod of it runs', () => {
    const run = aRun(aWorkflow('a')).succeed('a');
    run.change('a', { finished: undefined, pods: run.jobOf('a').pods.map((pod) => ({ ...pod, phase: 'Running', step: undefined })), succeededPods: 0 });
    expect(run.settle().outcome('a')).toBe('open');
    run.succeed('a');
    const [pod] = run.jobOf('a').pods;
    run.change('a', { pods: [pod!, { ...pod!, name: 'other', phase: 'Running', step: undefined }] }).settle();
    expect(run.outcomes()).toBe('a succeeded');
    expect(run.state.end).toBeUndefined();
    expect(run.plan).toMatchObject({ reason: 'RunFinishing', message: 'all steps have ended; waiting for 1 Job to end', liveJobs: 1 });
    expect(run.change('a', { pods: [pod!] }).settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it('comes with the containers, not with the Job', () => {
    expect(aRun(aWorkflow('a')).contain('a').settle().state.end).toMatchObject({ outcome: 'succeeded' });
  });

  it('of a workflow whose steps were all skipped is a success', () => {
    expect(aRun(aWorkflow('a', { steps: { a: { when: 'false', undo: undoJob() } } })).state.end).toMatchObject({ outcome: 'succeeded', message: '0 of 1 steps succeeded, 1 was not needed' });
  });

  it('says apart what failed as it may, and what was not needed', () => {
    const run = aRun(aWorkflow('a\nb\nc < a\nd ? a.ok\ne ? a.ok', { steps: { a: { allowFailure: true }, d: {}, e: { when: 'false' } } })).fail('a').succeed('b').settle();
    run.succeed('c').succeed('d').settle();
    expect(run.state.end).toMatchObject({ outcome: 'succeeded', message: '3 of 5 steps succeeded, 1 failed as it may, 1 was not needed' });
  });

  it('is written once: later rounds change nothing and do nothing', () => {
    const run = aRun(aWorkflow('a')).contain('a').settle();
    const before = run.state;
    expect(run.later(1000).round()).toMatchObject({ actions: [], reason: 'RunSucceeded', liveJobs: 0, wakeAt: undefined });
    expect(run.state).toBe(before);
  });

  it('a verdict of the Job controller that says otherwise is written down, and changes nothing', () => {
    const run = aRun(aWorkflow('a\nb < a')).contain('a').settle();
    run.change('a', { finished: { condition: 'Failed', reason: 'DeadlineExceeded', message: 'too long', at: run.now } }).settle();
    expect(run.state.steps['a']).toMatchObject({ outcome: 'succeeded', attempts: [{ outcome: 'succeeded', verdict: 'Failed: DeadlineExceeded: too long' }] });
    expect(run.running()).toEqual(['b']);
  });
});
