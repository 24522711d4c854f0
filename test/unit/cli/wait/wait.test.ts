import { describe, expect, it } from 'vitest';
import { logs } from '../../../../src/cli/logs.ts';
import { readGoal } from '../../../../src/cli/wait/goal.ts';
import { waitFor } from '../../../../src/cli/wait/wait.ts';
import { readTarget } from '../../../../src/cli/runs/target.ts';
import type { Session } from '../../../../src/cli/runs/session.ts';
import { parseSpec } from '../../../../src/spec/parse.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, useWorkflows, workflowText, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const queue = 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {checkInterval: 1s}\njob: {image: worker:1}\n';

interface Asked {
  readonly goal?: string;
  readonly specHash?: string;
  readonly timeout?: number;
}

const waits = (name: string, { goal = 'succeeded', specHash, timeout }: Asked = {}) => (session: Session): Promise<number> => waitFor(session, { target: readTarget(name), goal: readGoal(goal), specHash, timeout });

async function wait(scene: WorkflowScene, name: string, asked: Asked = {}): Promise<{ code: number; told: string[] }> {
  const line = new CommandLine(scene.world);
  const code = await line.call(waits(name, asked), 7_200_000);
  expect(line.out).toEqual([]);
  return { code, told: line.err.map((text) => text.replace(/^ *[\d.]+s {2}/, '').replace(/after [\d.]+s/, 'after TIME')) };
}

function hashOf(fields: JsonObject): string {
  return parseSpec({ file: 'etl.yaml', objectName: 'etl', label: 'workflow', data: { 'spec.yaml': workflowText(fields) } }, {}).hash ?? '';
}

describe('for a run', () => {
  it.each([
    ['succeeds', 0, 'succeeded', 0],
    ['fails', 3, 'succeeded', 1],
    ['fails', 3, 'finished', 0],
  ])('that %s (exit code %i of its step) --for %s ends with %i', async (_what, exit, goal, code) => {
    const scene = stage({ steps: chain('a'), pods: { a: { runs: 20_000, exit: { code: exit } } } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    expect((await wait(scene, scene.run.name, { goal })).code).toBe(code);
    expect(scene.run.isOver).toBe(true);
  });

  it('that does not end in time ends with 3, and goes on', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: { runs: 600_000 } } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    const { code, told } = await wait(scene, scene.run.name, { timeout: 60_000 });
    expect([code, told.at(-1)]).toEqual([3, `not over after TIME; the run goes on: job-chief status ${scene.run.name}`]);
    expect(scene.run.phase).toBe('Running');
  });

  it('has no conditions', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    expect(await new CommandLine(scene.world).complaint(waits(scene.run.name, { goal: 'condition=Accepted' }))).toBe(`run "${scene.run.name}" has no conditions: they are those of specs`);
  });
});

describe('for a workflow that runs when it changes', () => {
  it('is waiting for the run of its text as it stands', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { b: { runs: 30_000 } } });
    const { code, told } = await wait(scene, 'workflow/etl');
    expect([code, scene.run.phase]).toEqual([0, 'Succeeded']);
    expect(told).toContain(`run "${scene.run.name}"`);
    expect(told.at(-1)).toBe('run succeeded after TIME: 2 of 2 steps succeeded');
  });

  it('ends with 1 where that run fails', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: { exit: { code: 3 } } } });
    expect((await wait(scene, 'etl')).code).toBe(1);
  });

  it('is not fooled by the run of the text before', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    scene.apply({ steps: chain('a', 'new') });
    const { code } = await wait(scene, 'workflow/etl');
    expect([code, scene.started]).toEqual([0, ['a', 'a', 'new']]);
  });

  it('waits for a revision that is still to come, and not for another one', async () => {
    const before = { trigger: { onChange: true }, steps: chain('a') };
    const after = { trigger: { onChange: true }, steps: chain('a', 'b') };
    const scene = stage({ spec: before });
    await scene.finished();
    scene.world.clock.timer(60_000, () => { scene.apply(after); });
    const { code, told } = await wait(scene, 'workflow/etl', { specHash: hashOf(after) });
    expect(code).toBe(0);
    expect(scene.started).toEqual(['a', 'a', 'b']);
    expect(told[0]).toBe(`workflow "etl" has another text (${hashOf(before)}) than ${hashOf(after)}`);
  });

  it('waits for a ConfigMap that is not there yet only where its hash is named', async () => {
    const text = { trigger: { onChange: true }, steps: chain('a') };
    const scene = stage({ spec: 'none' });
    expect(await new CommandLine(scene.world).complaint(waits('workflow/etl'))).toBe('there is no workflow "etl" in namespace default; job-chief status lists what there is');
    scene.world.clock.timer(30_000, () => { scene.apply(text); });
    expect((await wait(scene, 'workflow/etl', { specHash: hashOf(text) })).code).toBe(0);
  });

  it('ends at once with 1 where the text has errors', async () => {
    const scene = stage({ spec: { steps: [{ name: 'a', job: { imag: 'x' } }] } });
    const { code, told } = await wait(scene, 'etl');
    expect([code, told[0]]).toEqual([1, expect.stringMatching(/^the spec has errors: line \d+, column \d+: steps\[0\]\.job/)]);
  });

  it('ends with 1 where the API server refuses what it would make', async () => {
    const scene = stage({ steps: chain('a'), refuse: (resource) => (resource.kind === 'Job' ? { code: 403, message: 'admission webhook "no" denied the request: not here' } : undefined) as never });
    const { code, told } = await wait(scene, 'etl');
    expect([code, told.at(-1)]).toEqual([1, expect.stringContaining('not here')]);
  });

  it('waits for one that is suspended, and says so', async () => {
    const scene = stage({ spec: { trigger: { onChange: true }, steps: chain('a'), suspend: true } });
    const { code, told } = await wait(scene, 'etl', { timeout: 60_000 });
    expect([code, told.some((text) => text.startsWith('Suspended'))]).toEqual([3, true]);
  });

  it('says that no controller looks at it', async () => {
    const scene = stage({ steps: chain('a'), controller: 'none' });
    const { code, told } = await wait(scene, 'etl', { timeout: 60_000 });
    expect([code, told]).toEqual([3, [expect.stringContaining('no controller looks after this namespace') as string, '"etl" is not there yet after TIME']]);
  });
});

describe('an API server that is away', () => {
  it('is waited for, at the beginning and in the middle', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 30_000 }, b: { runs: 30_000 } } });
    await scene.world.run(3_000);
    const away = (from: number, long: number): void => {
      scene.world.clock.timer(from, () => { scene.world.cluster.api.setAvailable(false); });
      scene.world.clock.timer(from + long, () => { scene.world.cluster.api.setAvailable(true); });
    };
    scene.world.cluster.api.setAvailable(false);
    scene.world.clock.timer(5_000, () => { scene.world.cluster.api.setAvailable(true); });
    away(15_000, 10_000);
    const { code, told } = await wait(scene, 'workflow/etl');
    expect([code, scene.run.phase]).toEqual([0, 'Succeeded']);
    expect(told[0]).toMatch(/^no answer from the cluster, which is waited for: /);
  });

  it('that is away for good ends with 3', async () => {
    const scene = stage({ steps: chain('a'), controller: 'none' });
    scene.world.cluster.api.setAvailable(false);
    expect((await wait(scene, 'etl', { timeout: 120_000 })).code).toBe(3);
  });

  it('is told from a right that is missing', async () => {
    const scene = stage({ steps: chain('a'), controller: 'none', allows: () => false });
    expect(await new CommandLine(scene.world).complaint(waits('etl'))).toMatch(/^cannot watch configmaps in namespace default: .*cannot list resource "configmaps"/);
  });
});

describe('for a Run', () => {
  const greet = 'apiVersion: job-chief/v1\nkind: Template\nparameters: {name: {type: string}}\njob: {image: x:1, args: [hello, $(params.name)]}\n';
  const asked = 'apiVersion: job-chief/v1\nkind: Run\ntemplate: greet\nparameters: {name: you}\n';

  it.each([[0, 0], [3, 1]])('whose Job ends with %i ends with %i', async (exit, code) => {
    const scene = stage({ spec: 'none', pods: { job: { runs: 10_000, exit: { code: exit }, log: [{ after: 1, text: 'hi' }] } } });
    scene.world.applyConfigMap('greet', greet);
    scene.world.applyConfigMap('monday', asked);
    expect((await wait(scene, 'run/monday')).code).toBe(code);
    expect(scene.runs.map(({ isOver }) => isOver)).toEqual([true]);
    const line = new CommandLine(scene.world);
    await line.call((session) => logs(session, { name: 'run/monday', step: undefined }, { follow: false, container: undefined, allContainers: false, previous: false, tail: undefined, since: undefined, timestamps: false, prefix: undefined }));
    expect(line.out).toEqual(['hi']);
  });

  it('waits for a template that is still to come', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('monday', asked);
    scene.world.clock.timer(30_000, () => { scene.world.applyConfigMap('greet', greet); });
    const { code, told } = await wait(scene, 'monday');
    expect([code, told.some((text) => text.includes('"greet"'))]).toEqual([0, true]);
  });

  it.each([['succeeded', 1], ['finished', 0]])('that was cancelled before it began --for %s ends with %i', async (goal, code) => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('greet', greet);
    scene.world.applyConfigMap('monday', `${asked}cancel: not today\n`);
    expect((await wait(scene, 'run/monday', { goal, timeout: 60_000 })).code).toBe(code);
    expect(scene.records).toEqual([]);
  });

  it('ends with 1 where its parameters do not fit', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('greet', greet);
    scene.world.applyConfigMap('monday', asked.replace('name: you', 'nam: you'));
    const { code, told } = await wait(scene, 'run/monday', { timeout: 60_000 });
    expect([code, told.at(-1)]).toEqual([1, expect.stringContaining('nam')]);
  });
});

describe('for other specs', () => {
  it('a queue is waited for until it is accepted', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.queue('q').send(1);
    scene.world.applyConfigMap('mails', queue);
    expect((await wait(scene, 'queue/mails')).code).toBe(0);
  });

  it('idle means that nothing of it runs', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: { runs: 90_000 } } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    expect((await wait(scene, 'etl', { goal: 'idle' })).code).toBe(0);
    expect(scene.run.isOver).toBe(true);
  });

  it.each([['condition=Accepted', 0], ['condition=LastRun=False', 0], ['condition=LastRun', 3]])('%s of a workflow whose run failed ends with %i', async (goal, code) => {
    const scene = stage({ steps: chain('a'), pods: { a: { exit: { code: 1 } } } });
    await scene.finished();
    await scene.world.run(30_000);
    expect((await wait(scene, 'etl', { goal, timeout: 20_000 })).code).toBe(code);
  });

  it('a workflow that waits for requests is in force when it is accepted', async () => {
    const scene = stage({ spec: { trigger: { onRequest: true }, steps: chain('a') } });
    expect((await wait(scene, 'etl')).code).toBe(0);
    expect(scene.records).toEqual([]);
  });

  it('two of one name are to be told apart', async () => {
    const scene = stage({ steps: chain('a') });
    scene.world.applyConfigMap('q-etl', queue.replace('kind: Queue', 'kind: Queue\nname: etl'));
    expect(await new CommandLine(scene.world).complaint(waits('etl'))).toMatch(/^several things are called "etl": say which, as (workflow\/etl or queue\/etl|queue\/etl or workflow\/etl)$/);
    expect((await wait(scene, 'queue/etl', { timeout: 30_000 })).code).toBe(0);
  });
});

describe('--for', () => {
  it.each([
    ['succeeded', { kind: 'succeeded' }],
    ['condition=Accepted', { kind: 'condition', type: 'Accepted', status: 'True' }],
    ['condition=LastRun=False', { kind: 'condition', type: 'LastRun', status: 'False' }],
  ])('%s is understood', (text, goal) => {
    expect(readGoal(text)).toEqual(goal);
  });

  it.each(['done', 'condition=', 'condition'])('%s is refused', (text) => {
    expect(() => readGoal(text)).toThrow('--for is succeeded, finished, idle or condition=TYPE[=STATUS]');
  });
});
