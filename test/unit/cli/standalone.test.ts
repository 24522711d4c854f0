/** The small decisions of a standalone run: which run it is, what is lost, what to do after a failure. */
import { describe, expect, it } from 'vitest';
import { againHint } from '../../../src/cli/standalone/again.ts';
import { runIdentity, type RunOrigin } from '../../../src/cli/standalone/identity.ts';
import { lostSteps, otherRuns, refuseToRewind } from '../../../src/cli/standalone/look.ts';
import { standaloneRun } from '../../../src/cli/standalone/command.ts';
import { warningLog } from '../../../src/cli/standalone/warnings.ts';
import { loadWorkflow } from '../../../src/cli/standalone/load.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import { aRun, aWorkflow, eachOf, undoJob } from '../../support/run-builders.ts';
import { aManifest, withSteps } from '../spec/workflow/input.ts';

describe('which run it is', () => {
  const parameters = { day: { type: 'string' as const, schema: {}, default: 'mon', optional: false } };
  const origin: RunOrigin = { namespace: 'etl', spec: aWorkflow('a', { parameters }), parameters: {}, runId: undefined };
  const uid = (changes: Partial<RunOrigin>): string => runIdentity({ ...origin, ...changes }).uid;

  it('follows from namespace, text, parameters and id, and from nothing else', () => {
    expect(runIdentity(origin)).toEqual(runIdentity({ ...origin, parameters: { day: 'mon' } }));
    const others = [{ namespace: 'other' }, { spec: aWorkflow('a', { parameters, hash: 'hash-2' }) }, { spec: aWorkflow('a', { parameters, name: 'elt' }) }, { parameters: { day: 'tue' } }, { runId: '' }, { runId: 'x' }].map(uid);
    expect(new Set([uid({}), ...others]).size).toBe(others.length + 1);
  });

  it('has a name that fits a label', () => {
    expect(runIdentity({ ...origin, spec: aWorkflow('a', { name: 'x'.repeat(253) }) }).name.length).toBeLessThanOrEqual(52);
  });
});

describe('a step whose Job was deleted', () => {
  const lost = (text: string, found: string[], changes: Parameters<typeof aWorkflow>[1] = {}): string[] => lostSteps(aWorkflow(text, changes), new Set(found)).map(({ name }) => name);

  it.each<[string, string[], string[]]>([
    ['is one that another waits for by name', lost('a\nb < a', ['b']), ['a']],
    ['is one of the phase before', lost('-- one\na\nb\n-- two\nc', ['a', 'c']), ['b']],
    ['is not one that nothing comes after', lost('a\nb < a', ['a']), []],
    ['is not one that others name in an expression', lost('a\nb ? a.failed', ['b']), []],
    ['is not one that may have been skipped', lost('a\nb < a', ['b'], { steps: { a: { when: 'false' } } }), []],
    ['is not one that may have had no items', lost('a\nb < a', ['b'], { steps: { a: { forEach: eachOf([]) } } }), []],
    ['is not one whose failure is allowed', lost('a\nb < a', ['b'], { steps: { a: { allowFailure: true } } }), []],
    ['is not one of a run that has nothing yet', lost('a\nb < a', []), []],
  ])('%s', (_what, steps, wanted) => {
    expect(steps).toEqual(wanted);
  });

  it('keeps the run from going on', () => {
    const job = (step: string) => ({ name: `etl-${step}`, uid: step, run: 'etl-1', step, createdAt: 1 });
    expect(() => { refuseToRewind(aWorkflow('a\nb < a\nc < b, a'), [job('c')]); }).toThrow(/^the Job of step "b" was deleted \(and those of 1 more\): step "c"/);
    expect(() => { refuseToRewind(aWorkflow('a\nb < a'), [job('a'), job('b')]); }).not.toThrow();
    expect(otherRuns([job('a'), job('b')], 'etl-2')).toEqual([expect.stringMatching(/^run etl-1 of the same workflow has 2 Jobs here/)]);
  });
});

describe('after a failure', () => {
  it('the Jobs that have to go are those that failed, that were cancelled for it, and of finally', () => {
    const run = aRun(aWorkflow('a\nb\nc\n-- finally\nlast', { onFailure: 'cancel' })).succeed('c').settle().fail('a').settle().settle();
    run.succeed('last').settle();
    const [hint = ''] = [againHint(run.spec, run.state, 'etl')];
    expect(hint).toMatch(/^to try again what failed, and finally after it: kubectl delete job (\S+) (\S+) (\S+) -n etl, then start the same command again; --new-run starts from the beginning$/);
    for (const place of ['a', 'b', 'last']) expect(hint).toContain(run.nameOf(place));
    expect(hint).not.toContain(run.nameOf('c'));
  });

  it('that was undone there is nothing to build on', () => {
    const run = aRun(aWorkflow('a\nb < a', { onFailure: 'revert', steps: { a: { undo: undoJob() } } })).succeed('a').settle().fail('b').settle().succeed('undo a').settle();
    expect(againHint(run.spec, run.state, 'etl')).toBe('--new-run starts from the beginning');
  });

  it('there is no hint after a success', () => {
    const run = aRun(aWorkflow('a')).succeed('a').settle();
    expect(againHint(run.spec, run.state, 'etl')).toBeUndefined();
  });
});

describe('options', () => {
  const given = { assignments: [], document: {} };

  it('of standalone runs are refused without --standalone, and those of a controller with it', async () => {
    await expect(standaloneRun('etl', given, { cleanUp: true })).rejects.toThrow(/are for runs with --standalone$/);
    await expect(standaloneRun('etl', given, { standalone: true, idempotencyKey: 'x' })).rejects.toThrow(/told apart by --run-id$/);
    await expect(standaloneRun('etl', given, { standalone: true, timeout: 1 })).rejects.toThrow(/^--timeout is about waiting/);
    expect(await standaloneRun('etl', given, {})).toBeUndefined();
  });
});

describe('warnings', () => {
  it('are told once each, in one line', () => {
    const lines: string[] = [];
    const log = warningLog((line) => lines.push(line));
    for (let times = 0; times < 3; times += 1) log.warn({ because: 'quota\nis full' }, 'a change did not come through');
    log.error({ err: new Error('oh') }, 'a round failed');
    log.info({}, 'nothing');
    expect(lines).toEqual(['warning: a change did not come through: quota is full', 'warning: a round failed: oh']);
  });
});

describe('a manifest', () => {
  it('cannot say that its Job is deleted when it is done: that would be the run\'s memory', async () => {
    const data = { 'a.yaml': aManifest().replace('spec:\n  template', 'spec:\n  ttlSecondsAfterFinished: 60\n  template'), 'spec.yaml': withSteps('{name: a, jobFile: a.yaml}') };
    expect(parseSpec({ file: 'f', objectName: 'etl', label: undefined, data }, {}).problems).toMatchObject([{ code: 'RefusedField', message: expect.stringContaining('ttlSecondsAfterFinished') as unknown }]);
    await expect(loadWorkflow('no/such/folder')).rejects.toThrow(/^cannot read no\/such\/folder/);
  });
});
