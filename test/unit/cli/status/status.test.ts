import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exitCode } from '../../../../src/cli/exit-code.ts';
import { showStatus, type StatusOptions } from '../../../../src/cli/status.ts';
import type { Screen } from '../../../../src/cli/runs/table.ts';
import { isObject, type JsonObject } from '../../../../src/lib/json.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, step, useWorkflows, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const queue = 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: worker:1}\n';

async function shown(scene: WorkflowScene, name?: string, { screen, ...options }: Partial<StatusOptions> & { readonly screen?: Screen } = {}): Promise<string[]> {
  const line = new CommandLine(scene.world, screen ? { screen } : {});
  expect(await line.call((session) => showStatus(session, { name, output: 'text', watch: false, ...options }))).toBe(exitCode.ok);
  return line.printed();
}

/** Columns of a table, by the first line. */
function rows(lines: readonly string[]): Record<string, string>[] {
  const [head = ''] = lines;
  const starts = [...head.matchAll(/\S+/g)].map((match) => [match[0], match.index] as const);
  return lines.slice(1).map((line) => Object.fromEntries(starts.map(([name, at], index) => [name, line.slice(at, starts[index + 1]?.[1]).trim()])));
}

function tableAt(lines: readonly string[], head: string): Record<string, string>[] {
  const first = lines.findIndex((line) => line.startsWith(head));
  const end = lines.indexOf('', first);
  return rows(lines.slice(first, end < 0 ? undefined : end));
}

describe('without a name', () => {
  it('shows all specs and the latest runs', async () => {
    const scene = stage({ steps: chain('a', 'b') });
    scene.world.applyConfigMap('mails', queue);
    await scene.finished();
    await scene.world.run(90_000);
    const lines = await shown(scene);
    expect(tableAt(lines, 'KIND').map(({ KIND, NAME, STATE, AGE }) => [KIND, NAME, STATE, AGE])).toEqual([['Queue', 'mails', 'Blocked', expect.stringMatching(/^\d+s$/)], ['Workflow', 'etl', 'Idle', expect.stringMatching(/^\d+s$/)]]);
    expect(tableAt(lines, 'RUN')).toEqual([{ RUN: scene.run.name, WORKFLOW: 'etl', TRIGGER: 'change', STATE: 'Succeeded', AGE: expect.stringMatching(/^\d+s$/) as string, TOOK: expect.stringMatching(/^0\.\ds$/) as string, MESSAGE: '2 of 2 steps succeeded' }]);
  });

  it('says that nobody looks after a spec, and what is wrong with its text', async () => {
    const scene = stage({ steps: chain('a'), controller: 'none' });
    scene.world.applyConfigMap('broken', queue.replace('image', 'imag'));
    const [broken, etl] = tableAt(await shown(scene), 'KIND');
    expect(broken).toMatchObject({ NAME: 'broken', STATE: 'Unknown', REASON: '-', MESSAGE: expect.stringContaining('unknown field "imag"') as string });
    expect(etl).toMatchObject({ STATE: 'Unknown', MESSAGE: 'no status yet: no controller looks after this namespace and instance, or it writes none' });
  });

  it('says that a status is about an older text', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    await scene.world.run(30_000);
    scene.controller?.kill();
    scene.apply({ steps: chain('a', 'b') });
    expect(tableAt(await shown(scene), 'KIND')[0]?.['MESSAGE']).toMatch(/^of an older revision: /);
  });

  it('shows runs under way first, ten in all, and how many more there are', async () => {
    const scene = stage({ spec: { trigger: { onRequest: true }, concurrency: { max: 1 }, steps: chain('a'), retention: { succeeded: { count: 99 } } }, controller: 'none' });
    const line = new CommandLine(scene.world);
    for (let n = 0; n < 12; n += 1) await line.call(({ runs }) => runs.create({ name: `etl-${n}`, request: { workflow: 'etl', trigger: 'request' }, parameters: {}, data: undefined, owner: undefined }));
    await line.call((session) => showStatus(session, { name: undefined, output: 'text', watch: false }));
    expect(line.printed().slice(-2)).toEqual([expect.stringContaining('Queued'), '… and 2 more: job-chief status NAME lists all of a workflow']);
  });

  it('is no error where there is nothing', async () => {
    expect(await shown(stage({ spec: 'none' }))).toEqual(['no specs and no runs here']);
  });
});

describe('of a workflow', () => {
  it('shows its spec and all of its runs', async () => {
    const scene = stage({ steps: chain('a') });
    scene.apply({ steps: chain('x') }, 'other');
    await scene.finished(600_000, 2);
    const lines = await shown(scene, 'etl');
    expect(tableAt(lines, 'KIND').map(({ NAME }) => NAME)).toEqual(['etl']);
    expect(tableAt(lines, 'RUN').map(({ RUN }) => RUN)).toEqual([scene.runOf('etl').name]);
  });

  it('is told from others of its name by the kind', async () => {
    const scene = stage({ steps: chain('a') });
    scene.world.applyConfigMap('mails', queue.replace('kind: Queue', 'kind: Queue\nname: etl'));
    await scene.finished();
    expect(tableAt(await shown(scene, 'etl'), 'KIND').map(({ KIND }) => KIND)).toEqual(['Queue', 'Workflow']);
    expect(tableAt(await shown(scene, 'workflow/etl'), 'KIND').map(({ KIND }) => KIND)).toEqual(['Workflow']);
    expect(await shown(scene, 'queue/etl')).toHaveLength(2);
  });

  it('that is gone shows the runs that are left', async () => {
    const scene = stage({ spec: { steps: chain('a'), onSpecDelete: 'finish' } });
    await scene.finished();
    scene.world.deleteConfigMap('etl');
    await scene.world.run(1_000);
    const lines = await shown(scene, 'etl');
    expect(lines[0]).toBe('no spec: its ConfigMap is gone');
    expect(tableAt(lines, 'RUN')).toHaveLength(1);
  });

  it('that is not there is guessed', async () => {
    const scene = stage({ steps: chain('a'), controller: 'none' });
    const line = new CommandLine(scene.world);
    expect(await line.complaint((session) => showStatus(session, { name: 'elt', output: 'text', watch: false }))).toBe('there is no spec and no run "elt" in namespace default; did you mean "etl"?');
  });
});

describe('of a run', () => {
  it('shows its steps, how long they waited and ran, and the critical path', async () => {
    const scene = stage({ steps: [step('short'), step('long'), step('last', { dependsOn: ['short', 'long'] })], pods: { long: { runs: 20_000 }, last: { runs: 5_000, startsAfter: 3_000 } } });
    await scene.finished();
    const lines = await shown(scene, scene.run.name);
    expect(lines.slice(0, 4)).toEqual([`Run:         ${scene.run.name}`, 'Workflow:    etl', 'Trigger:     change', 'State:       Succeeded']);
    expect(tableAt(lines, 'STEP').map(({ STEP, STATE, TRIES, REASON }) => [STEP, STATE, TRIES, REASON])).toEqual([['short', 'Succeeded', '1', '-'], ['long', 'Succeeded', '1', '-'], ['last', 'Succeeded', '1', '-']]);
    const last = tableAt(lines, 'STEP')[2];
    expect([last?.['START'], last?.['WAIT']]).toEqual([expect.stringMatching(/^2[01]s$/), expect.stringMatching(/^[23]\.\ds$/)]);
    const at = lines.findIndex((line) => line.startsWith('Critical path: '));
    expect(rows(lines.slice(at + 1)).map(({ STEP }) => STEP)).toEqual(['long', 'last']);
  });

  it('has phases, finally and undo where there are any', async () => {
    const scene = stage({ spec: { onFailure: 'revert', phases: [{ name: 'get', steps: [step('a', { undo: { job: { image: 'x:1' } } })] }, { name: 'put', steps: [step('b')] }], finally: [step('tidy')] }, pods: { b: { exit: { code: 3 } } } });
    await scene.finished();
    const lines = await shown(scene, scene.run.name);
    expect(tableAt(lines, 'PHASE').map(({ PHASE, STEP, STATE, REASON }) => [PHASE, STEP, STATE, REASON])).toEqual([
      ['get', 'a', 'Succeeded', '-'], ['put', 'b', 'Failed', 'exit 3'], ['undo', 'a', 'Succeeded', '-'], ['finally', 'tidy', 'Succeeded', '-'],
    ]);
  });

  it('that goes on shows items that are done, approvals that are waited for, and times so far', async () => {
    const scene = stage({ steps: [step('each', { forEach: { count: 4 }, maxParallel: 1 }), step('may-i', { approve: { message: 'go?' } }), step('last', { dependsOn: ['may-i'] })], pods: { each: { runs: 10_000 } } });
    await scene.world.runUntil(() => scene.started.includes('each'));
    await scene.world.run(15_000);
    const lines = await shown(scene, scene.run.name);
    expect(lines).toContain('Message:     0 of 3 steps have ended; waits for approval: may-i');
    expect(lines.find((line) => line.startsWith('Took:'))).toMatch(/so far$/);
    expect(tableAt(lines, 'STEP')).toMatchObject([{ STATE: 'Running', ITEMS: '1/4' }, { STATE: 'Waiting', REASON: 'WaitsForApproval', MESSAGE: 'go?' }, { STATE: 'Waiting', START: '-' }]);
    expect(tableAt(await shown(scene), 'RUN')[0]?.['TOOK']).toMatch(/^1[4-9]s$/);
  });

  it('that is queued says what it waits for', async () => {
    const scene = stage({ spec: { trigger: { onRequest: true }, steps: chain('a'), suspend: true } });
    await scene.world.run(5_000);
    const line = new CommandLine(scene.world);
    await line.call(({ runs }) => runs.create({ name: 'etl-1', request: { workflow: 'etl', trigger: 'request' }, parameters: {}, data: undefined, owner: undefined }));
    const lines = await shown(scene, 'etl-1');
    expect(lines.at(4)).toMatch(/^Asked for: {3}20/);
    expect(lines.at(5)).toMatch(/^Message: {5}waits for its turn; the workflow is Suspended: /);
    expect(tableAt(lines, 'STEP')).toMatchObject([{ STEP: 'a', STATE: 'Waiting' }]);
  });

  it('whose record somebody broke shows what can be read', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: { runs: 60_000 } } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await scene.world.run(2_000);
    scene.controller?.kill();
    scene.world.cluster.registry.update({ group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' }, scene.run.name, (object) => ({ ...object, data: { 'spec.yaml': 'kind: [', 'parameters.json': '{}', 'state.json': 'nonsense' } }));
    const lines = await shown(scene, scene.run.name);
    expect(lines.at(-1)).toBe('Message:     the state in its record cannot be read');
  });

  it('has outputs, and the Jobs of steps in wide', async () => {
    const scene = stage({ spec: { steps: [step('a', { outputs: { rows: { type: 'integer' } } })], outputs: { rows: '$(steps.a.outputs.rows)' } }, pods: { a: { exit: { code: 0, message: '{"rows": 12}' } } } });
    await scene.finished();
    expect((await shown(scene, scene.run.name)).slice(-2)).toEqual(['Outputs:', '  rows: 12']);
    expect(tableAt(await shown(scene, scene.run.name, { output: 'wide' }), 'STEP')[0]?.['OBJECT']).toBe(scene.jobOf('a')?.metadata.name);
  });
});

describe('for programs', () => {
  it('is JSON, and the same as YAML', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { b: { exit: { code: 3 } } } });
    await scene.finished();
    const json = JSON.parse((await shown(scene, scene.run.name, { output: 'json' })).join('\n')) as JsonObject;
    expect(json).toMatchObject({
      name: scene.run.name, workflow: 'etl', state: 'Failed', outcome: 'failed', failedSteps: ['b'], parameters: {},
      steps: [{ name: 'a', part: 'steps', state: 'Succeeded', attempts: 1 }, { name: 'b', state: 'Failed', exitCode: 3 }],
      criticalPath: { steps: [{ name: 'a', role: 'step', gapSeconds: 0 }, { name: 'b' }] },
    });
    expect(parse((await shown(scene, scene.run.name, { output: 'yaml' })).join('\n'))).toEqual(json);
    const list = JSON.parse((await shown(scene, undefined, { output: 'json' })).join('\n')) as { runs: JsonObject[]; specs: JsonObject[] };
    expect(list).toMatchObject({ specs: [{ kind: 'Workflow', name: 'etl', configMap: 'etl' }], runs: [{ name: scene.run.name, state: 'Failed' }] });
    expect(isObject(list.runs[0]) && 'steps' in list.runs[0]).toBe(false);
  });
});

describe('on a terminal', () => {
  it('has colours, and lines that end where the screen does', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    const lines = await shown(scene, undefined, { screen: { colours: true, width: 80 } });
    expect(lines.some((line) => line.includes('\u001B[32mSucceeded\u001B[0m'))).toBe(true);
    const plain = lines.map((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, ''));
    expect(plain.join('')).not.toContain('[32m');
    expect(plain.every((line) => line.length <= 80)).toBe(true);
  });
});

describe('--watch', () => {
  it('shows a run again whenever something changes, and ends with it', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 8_000 }, b: { runs: 8_000 } } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await scene.world.run(1_000);
    const line = new CommandLine(scene.world);
    await line.call((session) => showStatus(session, { name: scene.run.name, output: 'text', watch: true }));
    const states = line.printed().filter((text) => text.startsWith('State:')).map((text) => text.slice(13));
    expect(states.at(0)).toBe('Running');
    expect(states.at(-1)).toBe('Succeeded');
    expect(states.length).toBeGreaterThanOrEqual(3);
    expect(states.length).toBeLessThanOrEqual(8);
  });

  it('on a terminal lets times go on, and asks the API server only where something may be new', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: { runs: 30_000 } } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await scene.world.run(1_000);
    const line = new CommandLine(scene.world, { screen: { colours: false, width: 100 } });
    scene.world.requests.length = 0;
    await line.call((session) => showStatus(session, { name: scene.run.name, output: 'text', watch: true }));
    const screens = line.printed().filter((text) => text.startsWith('\u001B[H\u001B[2J'));
    expect(screens.length).toBeGreaterThan(20);
    expect(scene.world.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(scene.run.name)).length).toBeLessThan(12);
  });
});
