/** Steps that are many: forEach in both shapes, and jobFiles. */
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../support/builders.ts';
import { anOutput, aRun, aWorkflow, eachOf, printing, retries, undoJob } from '../../../support/run-builders.ts';

const regions = ['eu', 'us', 'ap'];
const perItem = { work: printing('$(item)'), forEach: eachOf(regions) };

describe('forEach with one Job for each item', () => {
  it('starts one Job for each, with its item', () => {
    const run = aRun(aWorkflow('load', { steps: { load: perItem } }));
    expect(run.running()).toEqual(['load[0]', 'load[1]', 'load[2]']);
    expect([0, 1, 2].map((index) => run.argsOf(`load[${index}]`))).toEqual([['eu'], ['us'], ['ap']]);
    expect(run.state.steps['load']?.each).toEqual({ count: 3, values: regions });
  });

  it('succeeds when all items have, with their outputs as lists in their order', () => {
    const outputs = { rows: anOutput('integer'), note: anOutput('string', '-') };
    const run = aRun(aWorkflow('load\ntell < load', { steps: { load: { ...perItem, outputs }, tell: { work: printing('$(steps.load.outputs.rows) $(steps.load.outputs.rows[1]) $(steps.load.outputs.note)') } } }));
    run.succeed('load[2]', { rows: 3 }).succeed('load[0]', { rows: 1, note: 'x' }).settle();
    expect(run.outcome('load')).toBe('open');
    run.succeed('load[1]', { rows: 2 }).settle();
    expect(run.state.steps['load']).toMatchObject({ outcome: 'succeeded', outputs: { rows: [1, 2, 3], note: ['x', '-', '-'] } });
    expect(run.argsOf('tell')).toEqual(['[1,2,3] 2 ["x","-","-"]']);
    // Kept once.
    expect(run.state.steps['load']?.items?.[0]).not.toHaveProperty('outputs');
  });

  it('one bad item does not eat the attempts of the others, which finish', () => {
    const run = aRun(aWorkflow('load', { steps: { load: { ...perItem, retry: retries(2), outputs: { rows: anOutput('integer') } } } }));
    run.fail('load[1]').settle().fail('load[1]', 4).settle();
    expect([run.made('load[0]'), run.made('load[1]'), run.outcome('load')]).toEqual([1, 2, 'open']);
    run.fail('load[0]').settle().succeed('load[0]', { rows: 1 }).succeed('load[2]', { rows: 3 }).settle();
    expect(run.state.steps['load']).toMatchObject({ outcome: 'failed', reason: 'ItemsFailed', message: '1 of 3 items failed; item 1: Error: container "main" exited with 4', outputs: { rows: [1, null, 3] } });
  });

  it('has no more than maxParallel live items, retries included', () => {
    const run = aRun(aWorkflow('load', { steps: { load: { ...perItem, forEach: eachOf(regions, { maxParallel: 1 }), retry: retries(2, { delay: seconds(5) }) } } }));
    expect(run.running()).toEqual(['load[0]']);
    expect(run.fail('load[0]').settle().running()).toEqual(['load[1]']);
    run.later(seconds(5)).settle();
    expect(run.running()).toEqual(['load[1]']);
    expect(run.succeed('load[1]').settle().running()).toEqual(['load[0]']);
    expect(run.succeed('load[0]').settle().running()).toEqual(['load[2]']);
    expect(run.succeed('load[2]').settle().outcome('load')).toBe('succeeded');
  });

  it('tells those behind it of the first item that has succeeded', () => {
    const run = aRun(aWorkflow('load\nfirst ? load.anySucceeded\nnone ? load.allFailed', { onFailure: 'continue', steps: { load: perItem } }));
    expect(run.fail('load[0]').settle().made('first')).toBe(0);
    run.succeed('load[1]').settle();
    expect(run.outcomes()).toBe('none omitted');
    expect(run.made('first')).toBe(1);
  });

  it.each([
    ['all failed', [0, 1, 2], true],
    ['one failed', [0], false],
  ] as const)('knows whether %s', (_, bad, all) => {
    const run = aRun(aWorkflow('load\nnext ? load.allFailed', { onFailure: 'continue', steps: { load: perItem } }));
    regions.forEach((_region, index) => ((bad as readonly number[]).includes(index) ? run.fail(`load[${index}]`) : run.succeed(`load[${index}]`)));
    expect(run.settle().made('next')).toBe(all ? 1 : 0);
  });

  it('takes its items from an output', () => {
    const steps = { list: { outputs: { files: anOutput('array') } }, load: { work: printing('$(item.path)'), forEach: { source: { kind: 'from' as const, reference: '$(steps.list.outputs.files)' }, maxParallel: undefined, shape: 'jobs' as const } } };
    const run = aRun(aWorkflow('list\nload < list', { steps })).succeed('list', { files: [{ path: 'a' }, { path: 'b' }] }).settle();
    expect([run.argsOf('load[0]'), run.argsOf('load[1]')]).toEqual([['a'], ['b']]);
  });

  it('an item that does not fit where it is named fails alone', () => {
    const work = { kind: 'job' as const, template: { spec: { template: { spec: { terminationGracePeriodSeconds: '$(item)', containers: [{ name: 'main' }] } } } } };
    const run = aRun(aWorkflow('load', { steps: { load: { work, forEach: eachOf(['x', 5]) } } }));
    expect(run.running()).toEqual(['load[1]']);
    expect(run.state.steps['load']?.items?.[0]).toMatchObject({ outcome: 'errored', reason: 'ReferenceInvalid' });
    expect(run.succeed('load[1]').settle().state.steps['load']).toMatchObject({ outcome: 'failed' });
  });

  it('is undone by one Job', () => {
    const run = aRun(aWorkflow('load\nbad < load', { onFailure: 'revert', steps: { load: { ...perItem, undo: undoJob() } } }));
    regions.forEach((_, index) => run.succeed(`load[${index}]`));
    expect(run.settle().fail('bad').settle().running()).toEqual(['undo load']);
  });

  it('items that vanish are errors of their own', () => {
    const run = aRun(aWorkflow('load', { steps: { load: { ...perItem, retry: retries(2) } } })).remove('load[1]').settle();
    expect([run.made('load[1]'), run.running()]).toEqual([2, ['load[0]', 'load[1]', 'load[2]']]);
  });
});

describe('forEach without items', () => {
  it.each(['jobs', 'indexed'] as const)('in the shape %s is skipped, and its outputs are lists without items', (shape) => {
    const run = aRun(aWorkflow('load\ntell < load', { steps: { load: { forEach: eachOf([], { shape }), outputs: { rows: anOutput('integer', 0) } }, tell: { work: printing('$(steps.load.outputs.rows)') } } }));
    expect(run.state.steps['load']).toMatchObject({ outcome: 'skipped', reason: 'NoItems' });
    expect(run.argsOf('tell')).toEqual(['[]']);
  });
});

describe('forEach whose items cannot be had', () => {
  it('is an error that says why', () => {
    const run = aRun(aWorkflow('list\nload < list', { steps: { list: { outputs: { files: anOutput('string') } }, load: { forEach: { source: { kind: 'from', reference: '$(steps.list.outputs.files)' }, maxParallel: undefined, shape: 'jobs' } } } }));
    expect(run.succeed('list', { files: 'a,b' }).settle().state.steps['load']).toMatchObject({ outcome: 'errored', reason: 'ItemsInvalid', message: '$(steps.list.outputs.files) is "a,b", not a list' });
  });

  it('names the output that is missing', () => {
    const run = aRun(aWorkflow('list\nload < list', { steps: { list: { when: 'false', outputs: { files: anOutput('array') } }, load: { forEach: { source: { kind: 'from', reference: '$(steps.list.outputs.files)' }, maxParallel: undefined, shape: 'jobs' } } } }));
    expect(run.state.steps['load']).toMatchObject({ outcome: 'errored', reason: 'OutputMissing' });
  });
});

describe('forEach as one Indexed Job', () => {
  const indexed = { forEach: eachOf(regions, { shape: 'indexed' }), outputs: { rows: anOutput('integer', 0) } };

  it('is one Job with so many completions', () => {
    const run = aRun(aWorkflow('load', { steps: { load: indexed } }));
    expect(run.running()).toEqual(['load']);
    expect(run.things[0]?.action).toMatchObject({ manifest: { spec: { completionMode: 'Indexed', completions: 3 } }, map: { kind: 'ConfigMap' } });
    run.endIndexed('load', []);
    expect(run.settle().state.steps['load']).toMatchObject({ outcome: 'succeeded', outputs: { rows: [0, 10, 20] }, each: { count: 3 } });
  });

  it('that fails says which items did, and is not started again for them', () => {
    const run = aRun(aWorkflow('load\nsome ? load.anySucceeded\nnone ? load.allFailed', { onFailure: 'continue', steps: { load: { ...indexed, retry: retries(3) } } })).endIndexed('load', [1]).settle();
    expect(run.state.steps['load']).toMatchObject({ outcome: 'failed', attempts: [{ failedItems: [1] }], outputs: { rows: [0, 0, 20] } });
    expect(run.outcomes()).toBe('load failed, none omitted');
    expect([run.made('load'), run.made('some')]).toEqual([1, 1]);
  });

  it('tells those behind it of the first item that has succeeded', () => {
    const run = aRun(aWorkflow('load\nfirst ? load.anySucceeded', { steps: { load: indexed } }));
    expect(run.made('first')).toBe(0);
    expect(run.change('load', { succeededPods: 1 }).settle().made('first')).toBe(1);
  });

  it('counts of numbers need no map', () => {
    const run = aRun(aWorkflow('load', { steps: { load: { forEach: { source: { kind: 'count', count: 4 }, maxParallel: 2, shape: 'indexed' } } } }));
    expect(run.things[0]?.action).toMatchObject({ manifest: { spec: { completions: 4, parallelism: 2 } } });
    expect(run.things[0]?.action).not.toHaveProperty('map');
  });
});

describe('jobFiles', () => {
  const manifests = ['a', 'b'].map((file) => ({ file: `${file}.yaml`, template: { spec: { template: { spec: { containers: [{ name: 'main', args: [file] }] } } } } }));

  it('are one Job for each manifest, beside each other', () => {
    const run = aRun(aWorkflow('load\nnext < load', { steps: { load: { work: { kind: 'manifests', several: true, manifests } } } }));
    expect([run.argsOf('load[0]'), run.argsOf('load[1]')]).toEqual([['a'], ['b']]);
    expect(run.succeed('load[0]').settle().running()).toEqual(['load[1]']);
    expect(run.succeed('load[1]').settle().running()).toEqual(['next']);
  });

  it('run as many at once as the step says', () => {
    const run = aRun(aWorkflow('load\nnext < load', { steps: { load: { work: { kind: 'manifests', several: true, manifests, maxParallel: 1 } } } }));
    expect(run.running()).toEqual(['load[0]']);
    expect(run.succeed('load[0]').settle().running()).toEqual(['load[1]']);
    expect(run.succeed('load[1]').settle().running()).toEqual(['next']);
  });
});
