/** `run` of templates and images, followed, and in formats for programs. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { submitImage } from '../../../../src/cli/runs/image.ts';
import { LiveTable } from '../../../../src/cli/runs/live-table.ts';
import { tellRun } from '../../../../src/cli/runs/output-format.ts';
import type { Session } from '../../../../src/cli/runs/session.ts';
import { submitRerun, submitRun } from '../../../../src/cli/runs/submit.ts';
import { tellSubmitted, type WaitOptions } from '../../../../src/cli/runs/submitted.ts';
import { readTarget } from '../../../../src/cli/runs/target.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import type { Screen } from '../../../../src/cli/runs/table.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, useWorkflows, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const random = (): string => 'drawn';
const none = { assignments: [], document: {} };
const greet = 'apiVersion: job-chief/v1\nkind: Template\nparameters: {name: {type: string}}\njob: {image: x:1, args: [hello, $(params.name)]}\n';
const image = (parse(readFileSync(new URL('../../../../manifests/examples/templates/image.yaml', import.meta.url), 'utf8')) as { data: { 'spec.yaml': string } }).data['spec.yaml'];
const onRequest = (...names: string[]): JsonObject => ({ trigger: { onRequest: true }, steps: chain(...names) });
const asked = (name: string, assignments: readonly string[] = []) => ({ runs }: Session) => submitRun({ runs, random }, { target: readTarget(name), given: { assignments, document: {} }, key: undefined });

function withTemplates(): WorkflowScene {
  const scene = stage({ spec: onRequest('a'), pods: { job: { runs: 2_000, log: [{ after: 100, text: 'hi' }] } } });
  scene.world.applyConfigMap('greet', greet);
  return scene;
}

describe('run of a template', () => {
  it.each(['greet', 'template/greet', 'templates/greet'])('named as %s starts its Job', async (name) => {
    const scene = withTemplates();
    await scene.world.run(5_000);
    const line = new CommandLine(scene.world);
    const { target, notes } = await line.call(asked(name, ['name=you']));
    expect([target, notes]).toEqual([{ kind: 'template', name: 'greet' }, []]);
    await scene.finished();
    expect(scene.world.jobs()[0]?.spec.template.spec.containers[0]?.['args']).toEqual(['hello', 'you']);
  });

  it('checks its parameters before anything is written', async () => {
    const scene = withTemplates();
    expect(await new CommandLine(scene.world).complaint(asked('greet'))).toBe('the parameter "name" needs a value of type string: -p name=…');
    expect(scene.records).toEqual([]);
  });

  it('is told from a workflow of the same name', async () => {
    const scene = withTemplates();
    scene.world.applyConfigMap('other', greet.replace('kind: Template', 'kind: Template\nname: etl'));
    const line = new CommandLine(scene.world);
    expect(await line.complaint(asked('etl'))).toBe('there is a workflow and a template "etl": say which, as workflow/etl or template/etl');
    expect((await line.call(asked('workflow/etl'))).target.kind).toBe('workflow');
    expect((await line.call(asked('template/etl', ['name=x']))).target.kind).toBe('template');
  });

  it('can be run again', async () => {
    const scene = withTemplates();
    const line = new CommandLine(scene.world);
    const { name } = await line.call(asked('greet', ['name=you']));
    await scene.finished();
    const again = await line.call(({ runs }) => submitRerun({ runs, random: () => 'another' }, { run: name, from: undefined, key: undefined }));
    expect(again.target).toEqual({ kind: 'template', name: 'greet' });
  });
});

describe('run --image', () => {
  const run = (command: readonly string[]) => ({ runs }: Session) => submitImage({ runs, random }, { image: 'busybox:1.37', command, given: none, key: undefined });

  it('runs the command through the template of manifests/examples', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('image', image);
    await new CommandLine(scene.world).call(run(['sh', '-c', 'echo $HOME $(date)']));
    await scene.finished();
    expect(scene.world.jobs()[0]?.spec.template.spec.containers[0]).toMatchObject({ image: 'busybox:1.37', command: ['sh', '-c', 'echo $$HOME $$(date)'] });
  });

  it('leaves the entry point of the image where there is no command', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('image', image);
    await new CommandLine(scene.world).call(run([]));
    await scene.finished();
    expect(scene.world.jobs()[0]?.spec.template.spec.containers[0]?.['command']).toEqual([]);
  });

  it('says what is missing where there is no such template', async () => {
    const scene = stage({ spec: 'none' });
    expect(await new CommandLine(scene.world).complaint(run(['true']))).toBe('--image runs the template "image", which namespace default does not have; manifests/examples/templates/image.yaml is one, for whoever may install it');
  });
});

describe('--follow', () => {
  const follow = (name: string, more: WaitOptions = {}) => async (session: Session): Promise<number> => tellSubmitted(session, await asked(name, name === 'greet' ? ['name=you'] : [])(session), { follow: true, ...more });
  const terminal: Screen = { colours: false, width: 100 };

  it('prints what the containers write on standard output, and how it gets on elsewhere', async () => {
    const scene = withTemplates();
    await scene.world.run(5_000);
    const line = new CommandLine(scene.world);
    expect(await line.call(follow('greet'))).toBe(0);
    expect(line.out).toEqual([scene.runs[0]?.name, '[job] hi']);
    expect(line.err.at(-1)).toMatch(/run succeeded after/);
  });

  it('ends with 1 where the run fails', async () => {
    const scene = stage({ spec: onRequest('a'), pods: { a: { exit: { code: 1 }, log: [{ after: 10, text: 'oh' }] } } });
    const line = new CommandLine(scene.world);
    expect(await line.call(follow('etl'))).toBe(1);
    expect(line.out).toContain('[a] oh');
  });

  it('on a terminal keeps a table of the steps below what is written', async () => {
    const scene = stage({ spec: onRequest('a', 'b'), pods: { a: { runs: 3_000, log: [{ after: 500, text: 'from a' }] }, b: { runs: 3_000, log: [{ after: 500, text: 'from b' }] } } });
    await scene.world.run(5_000);
    const line = new CommandLine(scene.world, { screen: terminal });
    expect(await line.call(follow('etl'))).toBe(0);
    const shown = screenOf(line.out);
    expect(shown.slice(0, 4)).toEqual([scene.run.name, '[a] from a', '[b] from b', `run "${scene.run.name}" succeeded`]);
    expect(shown.slice(4)).toEqual(['', expect.stringMatching(/^STEP +STATE/), expect.stringMatching(/^a +Succeeded/), expect.stringMatching(/^b +Succeeded/), '2 of 2 steps succeeded']);
  });

  it('goes on without logs where they may not be read', async () => {
    const scene = stage({ spec: onRequest('a'), allows: ({ resource }) => resource !== 'pods' });
    scene.controller?.kill();
    const line = new CommandLine(scene.world);
    expect(await line.call(follow('etl', { timeout: 20_000 }))).toBe(3);
    expect(line.err.some((text) => /^no logs: cannot watch pods in namespace default/.test(text))).toBe(true);
  });
});

describe('-o', () => {
  it.each(['json', 'yaml'] as const)('%s prints the run that was asked for, for programs', async (output) => {
    const scene = withTemplates();
    const line = new CommandLine(scene.world);
    await line.call(async (session) => tellSubmitted(session, await asked('greet', ['name=you'])(session), { output, wait: true }));
    expect(parse(line.out.join('\n'))).toMatchObject({ name: scene.runs[0]?.name, state: 'Succeeded', parameters: { name: 'you' } });
  });

  it('json of a command puts its sentence aside', async () => {
    const scene = withTemplates();
    const line = new CommandLine(scene.world);
    const { name } = await line.call(asked('etl'));
    await line.call((session) => tellRun(session, name, { message: 'done', output: 'json' }));
    expect([line.err, (JSON.parse(line.out.join('\n')) as JsonObject)['name']]).toEqual([['done'], name]);
  });
});

describe('a table that stays', () => {
  it('counts lines that are longer than the terminal, and no colours', () => {
    const printed: string[] = [];
    const table = new LiveTable((text) => printed.push(text), { width: 10 });
    table.show(['\u001B[32mgreen\u001B[0m', 'x'.repeat(25)]);
    table.above('log');
    expect(printed[1]).toBe(`\u001B[4A\u001B[Jlog\n\u001B[32mgreen\u001B[0m\n${'x'.repeat(25)}`);
  });
});

/** What a terminal shows after these lines, whose cursor only moves up. */
function screenOf(lines: readonly string[]): string[] {
  const screen: string[] = [];
  for (const line of lines) {
    const moved = /^\p{Cc}\[(\d+)A\p{Cc}\[J/u.exec(line);
    if (moved) screen.splice(-Number(moved[1]));
    screen.push(line.slice(moved?.[0].length ?? 0));
  }
  return screen;
}
