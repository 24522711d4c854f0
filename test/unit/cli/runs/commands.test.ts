import { describe, expect, it } from 'vitest';
import { approveStep, cancelRun, resumeRun, suspendRun } from '../../../../src/cli/runs/commands.ts';
import { submitRerun, submitRun, type RunOptions } from '../../../../src/cli/runs/submit.ts';
import { readTarget } from '../../../../src/cli/runs/target.ts';
import type { Session } from '../../../../src/cli/runs/session.ts';
import { tellSubmitted } from '../../../../src/cli/runs/submitted.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, step, useWorkflows, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const onRequest = (steps: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({ trigger: { onRequest: true }, steps: [...steps], ...more });
const random = (): string => 'drawn';
const asked = (name: string, more: Partial<RunOptions> = {}) => ({ runs }: Session) => submitRun({ runs, random }, { target: readTarget(name), given: { assignments: [], document: {} }, key: undefined, ...more });

/** A workflow that a change has started and that has come so far. */
async function running(scene: WorkflowScene, ...steps: string[]): Promise<CommandLine> {
  await scene.world.runUntil(() => steps.every((name) => scene.started.includes(name)));
  await scene.world.run(500);
  return new CommandLine(scene.world);
}

describe('cancel', () => {
  it('ends a run with the reason given, and once is enough', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 60_000 } } });
    const line = await running(scene, 'a');
    const { name } = scene.run;
    expect(await line.call(({ runs }) => cancelRun(runs, name, { reason: 'wrong day' }))).toBe(`run "${name}" is being cancelled`);
    expect(await line.call(({ runs }) => cancelRun(runs, name, { reason: 'twice' }))).toMatch(/is being cancelled already \(wrong day\)|was cancelled already/);
    await scene.finished();
    expect(scene.run).toMatchObject({ phase: 'Cancelled', result: { message: expect.stringContaining('wrong day') as string } });
    expect(await line.call(({ runs }) => cancelRun(runs, name, { reason: 'late' }))).toBe(`run "${name}" was cancelled already`);
  });

  it('of a run that is over is refused', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    const { name } = scene.run;
    expect(await new CommandLine(scene.world).complaint(({ runs }) => cancelRun(runs, name, { reason: 'x' }))).toBe(`run "${name}" is over (it succeeded) and cannot be cancelled any more`);
  });
});

describe('suspend and resume', () => {
  it('keep a run from starting anything, and let it go on', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 5_000 } } });
    const line = await running(scene, 'a');
    const { name } = scene.run;
    const twice = async (act: typeof suspendRun): Promise<string[]> => [await line.call(({ runs }) => act(runs, name)), await line.call(({ runs }) => act(runs, name))];
    expect(await twice(suspendRun)).toEqual([`run "${name}" is suspended: what runs may finish, nothing new starts`, `run "${name}" is suspended already`]);
    await scene.world.run(60_000);
    expect([scene.run.phase, scene.started]).toEqual(['Suspended', ['a']]);
    expect(await twice(resumeRun)).toEqual([`run "${name}" goes on`, `run "${name}" is not suspended`]);
    await scene.finished();
    expect(scene.started).toEqual(['a', 'b']);
  });
});

describe('approve', () => {
  const steps = [step('build'), step('may-i', { approve: { message: 'go?' }, dependsOn: ['build'] }), step('and-now', { approve: { message: 'still?' } }), step('deploy', { dependsOn: ['may-i', 'and-now'] })];

  it('lets the step succeed; a rejection fails it; what others wrote stays', async () => {
    const scene = stage({ steps });
    const line = await running(scene, 'build');
    const { name } = scene.run;
    scene.annotate(name, { 'job-chief/approvals': 'something, may_i' });
    expect(await line.call(({ runs }) => approveStep(runs, name, { step: 'and-now', word: 'rejected' }))).toBe(`step "and-now" of run "${name}" is rejected`);
    expect(scene.run.object.metadata.annotations?.['job-chief/approvals']).toBe('something,may_i,and-now=rejected');
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ build: 'succeeded', 'may-i': 'succeeded', 'and-now': 'failed', deploy: 'omitted' });
  });

  it('counts before the step is reached, and twice is once', async () => {
    const scene = stage({ steps, pods: { build: { runs: 30_000 } } });
    const line = await running(scene, 'build');
    const { name } = scene.run;
    expect(await line.call(({ runs }) => approveStep(runs, name, { step: 'may-i', word: 'approved' }))).toBe(`step "may-i" of run "${name}" is approved; the step is not reached yet, this will count when it is`);
    expect(await line.call(({ runs }) => approveStep(runs, name, { step: 'may-i', word: 'approved' }))).toBe(`step "may-i" of run "${name}" was approved already`);
    await line.call(({ runs }) => approveStep(runs, name, { step: 'and-now', word: 'approved' }));
    await scene.finished();
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('may be taken back as long as the step is not reached', async () => {
    const scene = stage({ steps, pods: { build: { runs: 30_000 } } });
    const line = await running(scene, 'build');
    const { name } = scene.run;
    await line.call(({ runs }) => approveStep(runs, name, { step: 'may-i', word: 'approved' }));
    await line.call(({ runs }) => approveStep(runs, name, { step: 'may-i', word: 'rejected' }));
    expect(scene.run.object.metadata.annotations?.['job-chief/approvals']).toBe('may-i=rejected');
  });

  it.each([
    ['build', 'step "build" waits for no approval; these do: may-i, and-now'],
    ['mayi', 'run "RUN" has no step "mayi"; did you mean "may-i"?'],
    ['zzz', 'run "RUN" has no step "zzz"; steps that wait for an approval: may-i, and-now'],
  ])('of step %s is refused', async (name, message) => {
    const scene = stage({ steps });
    const line = await running(scene, 'build');
    const run = scene.run.name;
    expect(await line.complaint(({ runs }) => approveStep(runs, run, { step: name, word: 'approved' }))).toBe(message.replace('RUN', run));
  });

  it('after the step has ended otherwise is refused', async () => {
    const scene = stage({ steps: [step('may-i', { approve: { message: 'go?' }, timeout: '5s', allowFailure: true }), step('long')], pods: { long: { runs: 60_000 } } });
    const line = await running(scene, 'long');
    await scene.world.run(10_000);
    const run = scene.run.name;
    expect(await line.complaint(({ runs }) => approveStep(runs, run, { step: 'may-i', word: 'approved' }))).toBe(`step "may-i" of run "${run}" has ended: it failed`);
  });
});

describe('a run that is not there', () => {
  it('is guessed from its workflow, or not at all', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    const line = new CommandLine(scene.world);
    expect(await line.complaint(({ runs }) => suspendRun(runs, 'etl'))).toBe(`"etl" is a workflow, not a run; its newest run is "${scene.run.name}"`);
    expect(await line.complaint(({ runs }) => suspendRun(runs, `${scene.run.name}x`))).toContain(`; did you mean "${scene.run.name}"?`);
    expect(await line.complaint(({ runs }) => suspendRun(runs, 'q'))).toBe('there is no run "q" in namespace default; job-chief status lists them');
  });

  it('belongs to another instance', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    expect(await new CommandLine(scene.world, { instance: 'blue' }).complaint(({ runs }) => suspendRun(runs, scene.run.name))).toContain('there is no run');
  });

  it('is told from one that may not be read', async () => {
    const scene = stage({ steps: chain('a'), controller: 'none', allows: () => false });
    expect(await new CommandLine(scene.world).complaint(({ runs }) => suspendRun(runs, 'etl-1'))).toMatch(/^cannot read run "etl-1" in namespace default: .*cannot get resource "configmaps"/);
  });
});

describe('run', () => {
  it('writes down what was asked for; the controller runs it', async () => {
    const scene = stage({ spec: onRequest(chain('a'), { parameters: { rows: { type: 'integer' } } }) });
    const line = new CommandLine(scene.world);
    await scene.world.run(5_000);
    const { name, notes } = await line.call(asked('etl', { given: { assignments: ['rows=3'], document: {} } }));
    expect([notes, name]).toEqual([[], expect.stringMatching(/^etl-[a-z2-7]{12}$/)]);
    await scene.finished();
    expect(scene.run).toMatchObject({ name, phase: 'Succeeded', request: { workflow: 'etl', trigger: 'request', retention: { succeeded: { count: 3 }, failed: { count: 10 } } } });
    expect(scene.run.object['data']).toMatchObject({ 'parameters.json': '{"rows":3}' });
  });

  it('is one run for one key, and a conflict with other parameters', async () => {
    const scene = stage({ spec: onRequest(chain('a'), { parameters: { rows: { type: 'integer', default: 1 } } }) });
    const line = new CommandLine(scene.world);
    const send = (rows: number): ReturnType<typeof asked> => asked('etl', { key: 'k', given: { assignments: [`rows=${rows}`], document: {} } });
    const { name } = await line.call(send(1));
    await scene.finished();
    expect(await line.call(send(1))).toEqual({ name, target: { kind: 'workflow', name: 'etl' }, notes: ['this key was used before: the run is Succeeded'] });
    expect(await line.complaint(send(2))).toBe(`idempotency key "k" was used before for a run of "etl" with other parameters: run "${name}"`);
    expect(scene.records).toHaveLength(1);
  });

  it.each<[string, JsonObject | 'none', string]>([
    ['takes no requests', { steps: chain('a') }, 'workflow "etl" takes no requests: its trigger has no onRequest: true'],
    ['is not there', 'none', 'there is no workflow or template "etl" in namespace default; there is none at all'],
    ['has errors', { trigger: { onRequest: true }, steps: [step('a', { dependsOn: ['b'] })] }, 'the spec of workflow "etl" has errors: line '],
    ['wants parameters', onRequest(chain('a'), { parameters: { day: { type: 'string' } } }), 'the parameter "day" needs a value of type string: -p day=…'],
  ])('is refused where the workflow %s', async (_what, spec, message) => {
    const scene = stage({ spec, controller: 'none' });
    expect(await new CommandLine(scene.world).complaint(asked('etl'))).toContain(message);
    expect(scene.records).toEqual([]);
  });

  it('guesses what was meant', async () => {
    const scene = stage({ spec: onRequest(chain('a')), controller: 'none' });
    scene.world.applyConfigMap('mails', 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: worker:1}\n');
    const line = new CommandLine(scene.world);
    expect(await line.complaint(asked('elt'))).toBe('there is no workflow or template "elt" in namespace default; did you mean "etl"?');
    expect(await line.complaint(asked('mails'))).toBe('"mails" is a Queue, not a Workflow or a Template');
    expect(await line.complaint(asked('zzz'))).toBe('there is no workflow or template "zzz" in namespace default; there is etl');
  });

  it('says where it will have to wait', async () => {
    const scene = stage({ spec: onRequest(chain('a'), { suspend: true }), controller: 'none' });
    const { notes } = await new CommandLine(scene.world).call(asked('etl'));
    expect(notes).toEqual(['the workflow is suspended: the run waits', 'the workflow has no status: unless statuses are switched off, no controller looks after it, and the run waits for one']);
  });
});

describe('--wait', () => {
  const waitFor = (timeout?: number) => async (session: Session): Promise<number> => tellSubmitted(session, await asked('etl')(session), { wait: true, ...(timeout === undefined ? {} : { timeout }) });
  const words = (lines: readonly string[]): string[] => lines.map((text) => text.replace(/^ *[\d.]+s {2}/, '').replace(/after [\d.]+s/, 'after TIME'));

  it('tells how the run gets on, and its name alone on standard output', async () => {
    const scene = stage({ spec: onRequest(chain('a', 'b')) });
    await scene.world.run(5_000);
    const line = new CommandLine(scene.world);
    expect(await line.call(waitFor())).toBe(0);
    expect(line.printed()).toEqual([scene.run.name]);
    expect(words(line.err).filter((text) => text !== 'queued')).toEqual(['running', 'step "a" succeeded', 'step "b" succeeded', 'run succeeded after TIME: 2 of 2 steps succeeded']);
  });

  it('ends with 1 where the run fails, and says why', async () => {
    const scene = stage({ spec: onRequest([step('a', { retry: { attempts: 2, delay: '1s' } })]), pods: { a: { exit: { code: 3 } } } });
    const line = new CommandLine(scene.world);
    expect(await line.call(waitFor())).toBe(1);
    expect(words(line.err).join('\n')).toMatch(/step "a" goes into attempt 2 after .*\nstep "a" failed \(.*\nrun failed after TIME: step "a" failed/);
  });

  it('ends with 1 where somebody cancels it', async () => {
    const scene = stage({ spec: onRequest(chain('a')), pods: { a: { runs: 600_000 } } });
    const line = new CommandLine(scene.world);
    scene.world.clock.timer(5_000, () => { scene.annotate(scene.run.name, { 'job-chief/cancel': 'enough' }); });
    expect(await line.call(waitFor())).toBe(1);
    expect(words(line.err).at(-1)).toMatch(/^run was cancelled after TIME: .*enough/);
  });

  it('ends with 3 when the time is up, and the run goes on', async () => {
    const scene = stage({ spec: onRequest(chain('a')), pods: { a: { runs: 600_000 } } });
    const line = new CommandLine(scene.world);
    expect(await line.call(waitFor(20_000))).toBe(3);
    expect(words(line.err).at(-1)).toBe(`not over after TIME; the run goes on: job-chief status ${scene.run.name}`);
    expect(scene.run.phase).toBe('Running');
  });

  it('explains a run that nobody takes up, once', async () => {
    const scene = stage({ spec: onRequest(chain('a')), controller: 'none' });
    const line = new CommandLine(scene.world);
    expect(await line.call(waitFor(60_000))).toBe(3);
    expect(words(line.err).filter((text) => text.startsWith('still queued'))).toEqual(['still queued; the workflow is Unknown: no status yet: no controller looks after this namespace and instance, or it writes none']);
  });

  it('ends where the record is deleted, or may not be followed', async () => {
    const scene = stage({ spec: onRequest(chain('a')), controller: 'none' });
    const line = new CommandLine(scene.world);
    scene.world.clock.timer(5_000, () => { scene.world.deleteConfigMap(scene.run.name); });
    expect(await line.complaint(waitFor())).toMatch(/^the record of run "etl-[a-z2-7]{12}" was deleted$/);
    scene.world.cluster.allows = ({ verb }) => verb !== 'list' || scene.records.length === 0;
    expect(await line.complaint(waitFor())).toMatch(/^cannot follow runs: .*cannot list resource "configmaps"/);
  });
});

describe('rerun', () => {
  const again = (run: string, from?: string, key?: string) => ({ runs }: Session): ReturnType<typeof submitRerun> => submitRerun({ runs, random: () => 'again' }, { run, from, key });

  it('takes over what succeeded and runs the rest, without any trigger for it', async () => {
    const scene = stage({ steps: chain('a', 'b', 'c'), pods: { b: { exit: { code: 1 } } } });
    await scene.finished();
    const first = scene.run.name;
    scene.pods['b'] = {};
    const line = new CommandLine(scene.world);
    expect(await line.call(async (session) => tellSubmitted(session, await again(first)(session), { wait: true }))).toBe(0);
    expect(line.err.some((text) => text.endsWith('carried over from the earlier run: a'))).toBe(true);
    expect(scene.started).toEqual(['a', 'b', 'b', 'c']);
    expect(scene.runs.at(-1)?.request).toMatchObject({ trigger: 'request', rerunOf: { run: first } });
  });

  it('--from runs a step again that had succeeded', async () => {
    const scene = stage({ steps: chain('a', 'b') });
    await scene.finished();
    await new CommandLine(scene.world).call(again(scene.run.name, 'b'));
    await scene.finished(600_000, 2);
    expect(scene.started).toEqual(['a', 'b', 'b']);
  });

  it('is refused while the run goes on, for a step that is not there, and for a workflow that is gone', async () => {
    const scene = stage({ steps: chain('extract', 'load') });
    await scene.world.runUntil(() => scene.started.includes('extract'));
    const line = new CommandLine(scene.world);
    const { name } = scene.run;
    expect(await line.complaint(again(name))).toBe(`run "${name}" is not over (Running): wait for it, or cancel it first`);
    await scene.finished();
    expect(await line.complaint(again(name, 'laod'))).toBe('workflow "etl" has no step "laod" now; did you mean "load"?');
    scene.apply({ steps: chain('extract'), trigger: { onRequest: true }, parameters: { day: { type: 'string' } } });
    expect(await line.complaint(again(name))).toBe(`the parameters of run "${name}" do not fit the workflow as it is now: the parameter "day" needs a value of type string: -p day=…`);
  });
});
