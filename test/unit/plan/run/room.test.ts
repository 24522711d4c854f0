/** What a record has room for. */
import { describe, expect, it } from 'vitest';
import { anOutput, aRun, aWorkflow, eachOf, printing } from '../../../support/run-builders.ts';

describe('values of users in a record', () => {
  const outputs = { text: anOutput('string') };
  const big = 'x'.repeat(100 * 1024);

  /** Steps that each write nearly all that a termination message can hold. */
  const text = 'x'.repeat(3_900);
  const names = Array.from({ length: 68 }, (_, index) => `s${index}`);
  const wide = (): ReturnType<typeof aRun> => aRun(aWorkflow(names.join('\n'), { onFailure: 'continue', steps: Object.fromEntries(names.map((name) => [name, { outputs }])) }));
  const failed = (run: ReturnType<typeof aRun>): string[] => names.filter((name) => run.outcome(name) === 'failed');

  it('a step whose outputs do not fit beside those of the others has failed, with the bound', () => {
    const run = wide();
    for (const name of names) run.succeed(name, { text }).settle();
    expect(failed(run)).toEqual(['s67']);
    expect(run.state.steps['s67']).toMatchObject({ reason: 'OutputsTooLarge', message: expect.stringContaining('262144 bytes') as string });
    expect(run.state.steps['s67']).not.toHaveProperty('outputs');
  });

  it('outputs that come in one round count together', () => {
    const run = wide();
    for (const name of names) run.succeed(name, { text });
    expect(failed(run.settle())).toHaveLength(1);
  });

  it('a forEach does not start whose items would be more Jobs than a record can tell of', () => {
    const each = (count: number) => ({ work: printing('$(item)'), forEach: { source: { kind: 'count' as const, count }, maxParallel: 1, shape: 'jobs' as const } });
    const run = aRun(aWorkflow('a\nb\nc\nd', { onFailure: 'continue', maxParallel: 5, steps: { a: each(10_000), b: each(10_000), c: each(1), d: { forEach: { ...each(10_000).forEach, shape: 'indexed' } } } }));
    expect(run.outcomes()).toBe('c errored');
    expect(run.state.steps['c']).toMatchObject({ reason: 'ItemsInvalid', message: 'its 1 items do not fit: all steps of a run may have 20000 with a Job or run of their own' });
  });

  it('a run that gives back more than its record can tell has failed, and says so', () => {
    const spec = aWorkflow(names.join('\n'), { steps: Object.fromEntries(names.map((name) => [name, { outputs }])), outputs: Object.fromEntries(names.slice(0, 30).map((name) => [name, `$(steps.${name}.outputs.text)`])) });
    const run = aRun(spec);
    for (const name of names) run.succeed(name, { text: name === 's67' ? '' : text });
    expect(run.settle().state.end).toMatchObject({ outcome: 'failed', reason: 'OutputsTooLarge', message: expect.stringMatching(/^outputs: they have \d+ bytes as JSON, more than the 102400/) as string });
    expect(run.state.end).not.toHaveProperty('outputs');
  });

  it('a forEach whose items do not fit does not start', () => {
    const run = aRun(aWorkflow('a', { steps: { a: { work: printing('$(item)'), forEach: eachOf([big, big, big]) } } }));
    run.settle();
    expect(run.state.steps['a']).toMatchObject({ outcome: 'errored', reason: 'ItemsInvalid' });
    expect(run.made('a[0]')).toBe(0);
  });
});
