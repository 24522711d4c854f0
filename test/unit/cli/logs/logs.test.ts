import { describe, expect, it } from 'vitest';
import { logs } from '../../../../src/cli/logs.ts';
import type { LogOptions } from '../../../../src/cli/logs/options.ts';
import type { PodScript } from '../../../../src/simulation/pod-script.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, step, useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const plain: LogOptions = { follow: false, container: undefined, allContainers: false, previous: false, tail: undefined, since: undefined, timestamps: false, prefix: undefined };
const saying = (...texts: readonly string[]): PodScript => ({ runs: 3_000, log: texts.map((text, index) => ({ after: 100 + index * 100, text })) });

async function read(scene: WorkflowScene, name: string, options: Partial<LogOptions> & { readonly step?: string } = {}): Promise<{ code: number; out: string[]; err: string[] }> {
  const line = new CommandLine(scene.world);
  const { step: wanted, ...more } = options;
  const code = await line.call((session) => logs(session, { name, step: wanted }, { ...plain, ...more }), 7_200_000);
  return { code, out: line.out, err: line.err };
}

describe('of a run', () => {
  it('are those of its steps, with the step in front of each line', async () => {
    const scene = stage({ steps: chain('get', 'put'), pods: { get: saying('one', 'two'), put: saying('three') } });
    await scene.finished();
    expect(await read(scene, scene.run.name)).toEqual({ code: 0, err: [], out: ['[get] one', '[get] two', '[put] three'] });
  });

  it('are without it where there is only one container, or as asked for', async () => {
    const scene = stage({ steps: chain('get', 'put'), pods: { get: saying('one'), put: saying('two') } });
    await scene.finished();
    expect((await read(scene, scene.run.name, { step: 'get' })).out).toEqual(['one']);
    expect((await read(scene, scene.run.name, { step: 'get', prefix: true })).out).toEqual(['[get] one']);
    expect((await read(scene, scene.run.name, { prefix: false })).out).toEqual(['one', 'two']);
  });

  it('are found by the name of its workflow, with or without the kind', async () => {
    const scene = stage({ steps: chain('get'), pods: { get: saying('one') } });
    await scene.finished();
    for (const name of ['etl', 'workflow/etl', 'workflows/etl']) expect((await read(scene, name)).out).toEqual(['one']);
  });

  it('have the last lines, the times, and the newest', async () => {
    const scene = stage({ steps: chain('get'), pods: { get: saying('one', 'two', 'three') } });
    await scene.finished();
    expect((await read(scene, 'etl', { tail: 1 })).out).toEqual(['three']);
    expect((await read(scene, 'etl', { tail: 1, timestamps: true })).out).toEqual([expect.stringMatching(/^\d{4}-.*Z three$/)]);
    await scene.world.run(60_000);
    expect((await read(scene, 'etl', { since: 10_000 })).out).toEqual([]);
  });

  it('are of the last attempt; of earlier ones where they are asked for', async () => {
    const scene = stage({ steps: [step('get', { retry: { attempts: 2, delay: '1s' } })], pods: { get: (attempt) => ({ ...saying(`try ${attempt}`), exit: { code: attempt === 1 ? 1 : 0 } }) } });
    await scene.finished();
    expect((await read(scene, 'etl')).out).toEqual(['try 2']);
    expect((await read(scene, 'etl', { previous: true })).out).toEqual(['[get] try 1', '[get#2] try 2']);
  });

  it('say which item of a forEach they are of', async () => {
    const scene = stage({ steps: [step('each', { forEach: { count: 2 } })], pods: { each: saying('hi') } });
    await scene.finished();
    expect((await read(scene, 'etl')).out.toSorted()).toEqual(['[each[0]] hi', '[each[1]] hi']);
  });

  it('have an init container that fails, and all of them where they are asked for', async () => {
    const job = { image: 'x:1', initContainers: [{ name: 'prepare', image: 'y:1' }] };
    const scene = stage({ steps: [{ name: 'get', job }], pods: { get: { ...saying('main'), containers: { prepare: { log: [{ after: 0, text: 'prepared' }] } } } } });
    await scene.finished();
    expect((await read(scene, 'etl')).out).toEqual(['main']);
    expect((await read(scene, 'etl', { allContainers: true })).out).toEqual(['[get/prepare] prepared', '[get] main']);
    expect((await read(scene, 'etl', { container: 'prepare' })).out).toEqual(['prepared']);
  });

  it('say why a container has not started', async () => {
    const scene = stage({ steps: chain('get'), pods: { get: { image: { for: Infinity, message: 'no such tag' } } } });
    await scene.world.runUntil(() => scene.started.includes('get'));
    await scene.world.run(10_000);
    expect(await read(scene, 'etl')).toEqual({ code: 0, out: [], err: [expect.stringMatching(/^container "main" of pod ".*" has not started: (ErrImagePull|ImagePullBackOff)/)] });
  });

  it('name the runs that are steps of it', async () => {
    const scene = stage({ steps: [step('own'), { name: 'sub', template: { name: 'greet' } }], pods: { own: saying('one') } });
    scene.world.applyConfigMap('greet', 'apiVersion: job-chief/v1\nkind: Template\njob: {image: x:1}\n');
    await scene.finished(600_000, 2);
    const parent = scene.runOf('etl').name;
    const child = scene.runs.find(({ name }) => name !== parent)?.name ?? '';
    expect(await read(scene, parent)).toEqual({ code: 0, out: ['one'], err: [`step "sub" is a run of its own: job-chief logs ${child}`] });
    expect((await read(scene, parent, { step: 'own' })).err).toEqual([]);
  });

  it('are gone with its pods', async () => {
    const scene = stage({ steps: chain('get') });
    await scene.finished();
    for (const { metadata } of scene.world.pods()) scene.world.cluster.registry.delete({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }, metadata.name, { graceSeconds: 0 });
    await scene.world.run(5_000);
    expect(await read(scene, scene.run.name)).toEqual({ code: 1, out: [], err: [`run "${scene.run.name}" has no pods: none was started, or they are gone with their Jobs`] });
  });
});

describe('followed', () => {
  it('go on through later steps and attempts, and end with the run', async () => {
    const scene = stage({ steps: [step('get', { retry: { attempts: 2, delay: '5s' } }), step('put', { dependsOn: ['get'] })], pods: { get: (attempt) => ({ ...saying(`try ${attempt}`), exit: { code: attempt === 1 ? 1 : 0 } }), put: saying('done') } });
    await scene.world.runUntil(() => scene.started.includes('get'));
    const { code, out } = await read(scene, 'etl', { follow: true });
    expect([code, out]).toEqual([0, ['[get] try 1', '[get#2] try 2', '[put] done']]);
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('wait for a container that is silent for longer than any request may take', async () => {
    const scene = stage({ steps: chain('get'), pods: { get: { runs: 1_500_000, log: [{ after: 1_200_000, text: 'after twenty minutes' }] } } });
    await scene.world.runUntil(() => scene.started.includes('get'));
    expect((await read(scene, 'etl', { follow: true })).out).toEqual(['[get] after twenty minutes']);
  });

  it('of a run that is over are what it wrote', async () => {
    const scene = stage({ steps: chain('get', 'put'), pods: { get: saying('one'), put: saying('two') } });
    await scene.finished();
    expect((await read(scene, 'etl', { follow: true })).out.toSorted()).toEqual(['[get] one', '[put] two']);
  });

  it('say once what a container waits for', async () => {
    const scene = stage({ steps: chain('get'), pods: { get: { ...saying('at last'), image: { for: 5_000 } } } });
    await scene.world.runUntil(() => scene.started.includes('get'));
    const { out, err } = await read(scene, 'etl', { follow: true });
    expect(out).toEqual(['[get] at last']);
    expect(err.length).toBe(new Set(err).size);
    expect(err.some((text) => /^\[get\] has not started: ErrImagePull/.test(text))).toBe(true);
  });

  it('survive an API server that is away', async () => {
    const lines = Array.from({ length: 30 }, (_, n) => ({ after: 1_000 + n * 1_000, text: `line ${n}` }));
    const scene = stage({ steps: chain('get'), pods: { get: { runs: 40_000, log: lines } } });
    await scene.world.runUntil(() => scene.started.includes('get'));
    scene.world.clock.timer(10_000, () => {
      scene.world.cluster.api.setAvailable(false);
      scene.world.clock.timer(15_000, () => { scene.world.cluster.api.setAvailable(true); });
    });
    const { code, out, err } = await read(scene, 'etl', { follow: true });
    expect([code, out]).toEqual([0, lines.map(({ text }) => `[get] ${text}`)]);
    expect(err.join('\n')).toContain('the log is interrupted, and goes on from here');
  });

  it('of a container that is restarted go on with its next life', async () => {
    const scene = stage({ steps: [{ name: 'get', job: { image: 'x:1', restartPolicy: 'OnFailure', backoffLimit: 3 } }], pods: { get: { runs: 2_000, exits: [{ code: 1 }, { code: 0 }], log: [{ after: 100, text: 'hello' }] } } });
    await scene.world.runUntil(() => scene.started.includes('get'));
    expect((await read(scene, 'etl', { follow: true })).out).toEqual(['[get] hello', '[get] hello']);
  });
});

describe('followed into runs that are steps', () => {
  const greet = 'apiVersion: job-chief/v1\nkind: Template\nparameters: {who: {type: string, default: you}}\njob: {image: x:1, args: [$(params.who)]}\n';
  const inner = { trigger: { onRequest: true }, steps: [step('first'), { name: 'deep', template: { name: 'greet' }, dependsOn: ['first'] }] };
  const withOthers = (steps: JsonObject[], pods: NonNullable<WorkflowSceneOptions['pods']> = {}): WorkflowScene => {
    const scene = stage({ spec: 'none', pods: { own: saying('one'), first: saying('two'), job: saying('hi'), ...pods } });
    scene.world.applyConfigMap('greet', greet);
    scene.apply(inner, 'inner');
    scene.apply({ trigger: { onChange: true }, steps });
    return scene;
  };
  const childOf = (scene: WorkflowScene, name: string): string => scene.runs.find(({ workflow }) => workflow === name)?.name ?? '';

  it('says which step of which run a line is from, however deep it is and however late it starts', async () => {
    const scene = withOthers([step('own'), { name: 'sub', workflow: { name: 'inner' }, dependsOn: ['own'] }, step('last', { dependsOn: ['sub'] })], { last: saying('bye') });
    await scene.world.runUntil(() => scene.started.includes('own'));
    const { code, out, err } = await read(scene, 'etl', { follow: true });
    expect([code, out]).toEqual([0, ['[own] one', '[sub > first] two', '[sub > deep > job] hi', '[last] bye']]);
    expect(err).toEqual([`step "sub" is run "${childOf(scene, 'inner')}"`, `step "sub > deep" is run "${childOf(scene, 'greet')}"`]);
  });

  it('reads what they wrote before, also of a run that is over', async () => {
    const scene = withOthers([step('own'), { name: 'sub', workflow: { name: 'inner' } }]);
    await scene.finished(600_000, 3);
    const { code, out } = await read(scene, scene.runOf('etl').name, { follow: true });
    expect([code, out.toSorted()]).toEqual([0, ['[own] one', '[sub > deep > job] hi', '[sub > first] two']]);
    expect((await read(scene, scene.runOf('etl').name, { follow: true, prefix: false })).out.toSorted()).toEqual(['hi', 'one', 'two']);
  });

  it('has as many last lines of each container as are asked for, of those that were there', async () => {
    const scene = withOthers([{ name: 'sub', template: { name: 'greet' } }, step('own', { dependsOn: ['sub'] })], { job: saying('a', 'b', 'c'), own: saying('d', 'e') });
    await scene.world.runUntil(() => scene.started.includes('own'));
    expect((await read(scene, 'etl', { follow: true, tail: 1 })).out).toEqual(['[sub > job] c', '[own] d', '[own] e']);
  });

  it('tells items apart by the names of their runs, and attempts by their numbers', async () => {
    const scene = withOthers([{ name: 'each', template: { name: 'greet' }, forEach: { items: ['a', 'b'] } }, { name: 'sub', template: { name: 'greet' }, retry: { attempts: 2, delay: '1s' } }], { job: { ...saying('hi'), exit: { code: 1 } } });
    await scene.world.run(1_000);
    const { out } = await read(scene, 'etl', { follow: true });
    const runs = scene.runs.filter(({ workflow }) => workflow === 'greet').map(({ name }) => name);
    const steps = out.map((line) => line.replace(/greet-\S+/, 'RUN')).toSorted();
    expect(steps).toEqual(['[each RUN > job] hi', '[each RUN > job] hi', '[sub > job] hi', '[sub#2 > job] hi']);
    const named = out.flatMap((line) => /greet-\S+/.exec(line) ?? []);
    expect(new Set(named).size).toBe(2);
    expect(runs).toEqual(expect.arrayContaining(named));
  });

  it('is about one step where one is named', async () => {
    const scene = withOthers([step('own'), { name: 'sub', template: { name: 'greet' } }, { name: 'other', workflow: { name: 'inner' } }]);
    await scene.world.run(1_000);
    expect((await read(scene, 'etl', { follow: true, step: 'sub' })).out).toEqual(['[sub > job] hi']);
    expect((await read(scene, 'etl', { follow: true, step: 'own' })).out).toEqual(['[own] one']);
  });

  it('reads all of many, some after the others', async () => {
    const scene = withOthers([{ name: 'each', template: { name: 'greet' }, forEach: { count: 70 } }]);
    await scene.world.run(1_000);
    const { out } = await read(scene, 'etl', { follow: true });
    expect([out.length, new Set(out).size]).toEqual([70, 70]);
  });
});

describe('of a queue', () => {
  it('are those of its newest Job', async () => {
    const scene = stage({ spec: 'none' });
    const queue = scene.world.queue('q');
    scene.world.cluster.script = (pod) => ({ startsAfter: 5, runs: 2_000, log: [{ after: 100, text: `I am ${pod.metadata.name}` }] });
    scene.world.applyConfigMap('mails', 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {checkInterval: 1s}\nretention: {succeeded: {count: 5}}\njob: {image: worker:1}\n');
    queue.send(1);
    await scene.world.runUntil(() => scene.world.jobs().length === 2);
    await scene.world.run(2_500);
    const { out } = await read(scene, 'queue/mails');
    expect(out).toEqual([expect.stringMatching(/^I am mails-/)]);
    const newest = scene.world.pods().toSorted((left, right) => Number(left.metadata.resourceVersion) - Number(right.metadata.resourceVersion)).at(-1);
    expect(out[0]).toContain(newest?.metadata.name);
  });

  it('have no steps', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('mails', 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: worker:1}\n');
    expect(await new CommandLine(scene.world).complaint((session) => logs(session, { name: 'mails', step: 'x' }, plain))).toBe('"mails" is a queue: its Jobs have no steps');
  });
});

describe('of what is not there', () => {
  it.each([
    ['elt', undefined, 'there is no spec and no run "elt" in namespace default; did you mean "etl"?'],
    ['workflow/elt', undefined, 'there is no workflow "elt" in namespace default; did you mean "etl"?'],
    ['wrkflow/etl', undefined, 'there is no kind "wrkflow"; did you mean "workflow/etl"?'],
    ['etl', 'gett', expect.stringMatching(/^run "etl-.*" has no step "gett"; did you mean "get"\?$/) as string],
  ])('%s %s is an error that guesses', async (name, wanted, message) => {
    const scene = stage({ steps: chain('get') });
    await scene.finished();
    expect(await new CommandLine(scene.world).complaint((session) => logs(session, { name, step: wanted }, plain))).toEqual(message);
  });

  it('a container is one, too', async () => {
    const scene = stage({ steps: chain('get') });
    await scene.finished();
    for (const follow of [false, true]) expect(await new CommandLine(scene.world).complaint((session) => logs(session, { name: 'etl', step: undefined }, { ...plain, follow, container: 'man' }))).toBe('no pod has a container "man"; there is main');
  });
});
