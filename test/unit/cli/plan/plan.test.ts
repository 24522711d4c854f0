/** The command plan, called as somebody at a terminal would, on a simulated cluster. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { exitCode } from '../../../../src/cli/exit-code.ts';
import { readPlanInput, showPlan, type PlanOptions, type PlanPaths } from '../../../../src/cli/plan.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { configMaps } from '../../../../src/simulation/objects.ts';
import * as keys from '../../../../src/spec/keys.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, step, useWorkflows, workflowText, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
type Given = PlanOptions & PlanPaths;
const usual: Given = { paths: ['-'], output: 'text', all: false, dryRun: 'server', config: undefined, failOnChanges: false, depth: undefined };
const endless = { runs: 600_000 };

interface Planned {
  readonly code: number;
  readonly lines: readonly string[];
  readonly err: readonly string[];
}

async function plan(scene: WorkflowScene, text: string, options: Partial<Given> = {}): Promise<Planned> {
  const line = new CommandLine(scene.world);
  const given = { ...usual, ...options };
  // Files are read in real time, the cluster in its own.
  const input = await readPlanInput(given, () => Promise.resolve(text));
  const code = await line.call((session) => showPlan(session, given, input));
  return { code, lines: line.printed(), err: line.err.splice(0) };
}

interface Change {
  readonly kind: string;
  readonly name: string;
  readonly change: string;
  readonly configMap?: string;
  readonly fields: readonly JsonObject[];
  readonly files: readonly string[];
  readonly jobs: readonly { title: string; change: string; diff: string }[];
  readonly removed: readonly string[];
  readonly notes: readonly string[];
  readonly dryRun?: { kind: string; message?: string };
  readonly stand?: { state: string; reason: string; message: string };
  readonly existing?: readonly { subject: string; what: string }[];
  readonly starts?: readonly string[];
  readonly next?: string;
}

async function changes(scene: WorkflowScene, text: string, options: Partial<Given> = {}): Promise<readonly Change[]> {
  const { lines } = await plan(scene, text, { ...options, output: 'json' });
  return (JSON.parse(lines.join('\n')) as { specs: readonly Change[] }).specs;
}

async function change(...args: Parameters<typeof changes>): Promise<Change> {
  const [first, second] = await changes(...args);
  expect(second).toBeUndefined();
  return first!;
}

const queueText = (fields = '', image = 'worker:1'): string => `apiVersion: job-chief/v1\nkind: Queue\nname: mails\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {pods: {max: 4}}\n${fields}job: {image: "${image}"}\n`;
const manifest = (name: string, text: string, metadata: JsonObject = {}): string => stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { [keys.kindLabel]: text.includes('Queue') ? 'queue' : 'workflow' }, ...metadata }, data: { [keys.specKey]: text } });

/** A queue with this text; with messages it has a Job that runs. */
async function queueScene({ text = queueText(), messages = 0 }: { readonly text?: string; readonly messages?: number } = {}): Promise<WorkflowScene> {
  const scene = stage({ spec: 'none' });
  scene.world.cluster.script = () => endless;
  const queue = scene.world.queue('q');
  if (messages > 0) queue.send(messages);
  scene.world.applyConfigMap('mails', text);
  await scene.world.run(15_000);
  return scene;
}

describe('of a queue', () => {
  it('is unchanged where only comments and layout differ', async () => {
    const scene = await queueScene();
    const { code, lines, err } = await plan(scene, `# mails\n${queueText()}`, { failOnChanges: true });
    expect({ code, lines, err }).toEqual({ code: exitCode.ok, lines: ['unchanged: queue/mails'], err: ['1 unchanged'] });
  });

  it('shows fields, the Job as it would be, and what starts', async () => {
    const { code, lines, err } = await plan(await queueScene(), queueText('timeout: 1h\n', 'worker:2'));
    expect(code).toBe(exitCode.ok);
    expect(err).toEqual(['1 changed']);
    expect(lines).toEqual([
      expect.stringMatching(/^queue\/mails {2}changed {2}\(standard input, ConfigMap mails\) {2}hash \w+ → \w+$/),
      '  + timeout: "1h"',
      '  ~ job.image: "worker:1" → "worker:2"',
      '  Job',
      expect.stringMatching(/^ {4}@@ /),
      ...lines.slice(5, 8),
      '    -          image: worker:1',
      '    +          image: worker:2',
      expect.stringMatching(/^ {5,}metadata: \{\}$/),
      '  dry run: the API server takes the Jobs',
      '  how many messages wait is not known from here (--connections asks)',
      '  if a message waits: a Job with 1 pod is created',
      '  if 4 or more wait: a Job with 4 pods is created',
      '  if none waits: nothing starts; the queue is looked at every 10s',
    ]);
  });

  it.each([
    ['goes on with its text', '', 'goes on with the text that it was made from (onSpecChange: keep); the next one has the new text'],
    ['is ended', 'onSpecChange: replace\n', 'is ended: the spec changed and onSpecChange is replace'],
  ])('says that its live Job %s', async (_, fields, what) => {
    const { existing, starts } = await change(await queueScene({ messages: 1 }), queueText(fields, 'worker:2'));
    expect(existing).toEqual([{ subject: expect.stringMatching(/^job\/mails-/) as string, what }]);
    expect(starts).toEqual([]);
  });

  it('says what becomes of its Job when it is removed', async () => {
    const scene = await queueScene({ messages: 1 });
    expect(await change(scene, '', { all: true })).toMatchObject({ change: 'removed', removed: ['mails'], existing: [{ what: 'is ended: it is deleted with its ConfigMap (onSpecDelete: delete)' }] });
    const other = await queueScene({ messages: 1, text: queueText('onSpecDelete: finish\n') });
    expect(await change(other, '', { all: true })).toMatchObject({ change: 'removed', existing: [{ what: 'goes on to its end (onSpecDelete: finish)' }] });
  });

  it.each([
    ['none waits', { kind: 'known', ready: 0, nextReadyAt: undefined }, ['no message is ready: nothing starts']],
    ['some wait', { kind: 'known', ready: 2, nextReadyAt: undefined }, ['2 ready: a Job with 2 pods is created']],
    ['many wait', { kind: 'known', ready: 4, nextReadyAt: undefined }, ['at least 4 ready: a Job with 4 pods is created']],
    ['the queue does not answer', { kind: 'unknown', reason: 'QueueUnreachable', message: 'refused' }, ['the queue cannot be asked: refused', expect.stringMatching(/^if a message waits/), expect.anything(), expect.anything()]],
  ] as const)('asks the queue where it may: %s', async (_, answer, starts) => {
    expect((await change(await queueScene(), queueText('', 'worker:2'), { depth: () => Promise.resolve(answer) })).starts).toEqual(starts);
  });

  it.each([
    ['is suspended', 'suspend: true\n', { reason: 'SpecSuspended' }, []],
    ['is only observed', 'observe: true\n', undefined, ['if a message waits: would start a Job with 1 pod; observe is true']],
  ])('says that nothing starts when it %s, and is checked all the same', async (_, fields, stand, starts) => {
    const found = await change(await queueScene(), queueText(fields, 'worker:2'));
    if (stand) expect(found.stand).toMatchObject(stand);
    expect(found.starts).toEqual(expect.arrayContaining(starts));
    expect(found.dryRun).toEqual({ kind: 'passed', warnings: [] });
  });

  it('says that a Job of it would be refused, and why', async () => {
    const scene = await queueScene();
    scene.world.cluster.refuse = (resource) => (resource.plural === 'jobs' ? { code: 403, reason: 'Forbidden', message: 'violates PodSecurity "restricted:latest"' } : undefined);
    const { code, lines } = await plan(scene, queueText('', 'worker:2'));
    expect(code).toBe(exitCode.no);
    expect(lines).toContain('  dry run: the API server refuses: violates PodSecurity "restricted:latest"');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}then: Rejected \(TemplateRefused\)/));
  });

  it('says that nobody was asked, for want of the right, or because nobody wanted it', async () => {
    const scene = await queueScene();
    scene.world.cluster.allows = ({ verb }) => verb === 'list' || verb === 'get';
    const { code, lines } = await plan(scene, queueText('', 'worker:2'));
    expect(code).toBe(exitCode.ok);
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}dry run: not asked, for want of the right to create Jobs/));
    expect(lines).toContain('  if a message waits: a Job with 1 pod is created');
    expect((await change(scene, queueText('', 'worker:2'), { dryRun: 'none' })).dryRun).toBeUndefined();
  });
});

describe('of a workflow', () => {
  it('names the run that starts, and the steps that it begins with', async () => {
    const scene = stage({ spec: 'none' });
    const { dryRun, starts, stand } = await change(scene, workflowText({ name: 'etl', steps: [step('a'), step('b'), step('c', { dependsOn: ['a'] })] }));
    expect(dryRun?.kind).toBe('passed');
    expect(stand).toMatchObject({ state: 'Starting', reason: 'RunStarted' });
    expect(starts).toEqual([expect.stringMatching(/^run "etl-\w+" is created: the workflow runs when it changes, and has not run yet; it begins with "a", "b"$/)]);
  });

  it('is what the controller then does', async () => {
    const scene = stage({ spec: 'none' });
    const fields = { steps: chain('a', 'b') };
    const [start = ''] = (await change(scene, manifest('etl', workflowText(fields)))).starts ?? [];
    scene.apply(fields);
    await scene.world.run(3_000);
    // The ConfigMap's UID is part of the name, and not known before it is there.
    expect(start).toContain('it begins with "a"');
    expect(scene.started[0]).toBe('a');
    const [again] = await changes(scene, manifest('etl', workflowText({ steps: chain('a', 'b', 'c') })));
    scene.controller?.kill();
    await scene.world.run(1_000);
    scene.apply({ steps: chain('a', 'b', 'c') });
    scene.start();
    await scene.finished(600_000, 2);
    expect(again?.starts?.[0]).toContain(`run "${scene.runs.at(-1)?.name ?? ''}" is created`);
  });

  it.each([
    ['goes on', {}, 'goes on with the text and the files that it began with', 'RunQueued'],
    ['is replaced', { onSpecChange: 'replace' }, 'is cancelled: a newer run replaces it', 'which it replaces'],
  ])('says that the run that is under way %s', async (_, fields, what, waits) => {
    const scene = stage({ steps: chain('a'), pods: { a: endless } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await scene.world.run(3_000);
    const { existing, stand } = await change(scene, manifest('etl', workflowText({ ...fields, steps: chain('a', 'b') })));
    expect(existing).toEqual([{ subject: `run/${scene.run.name}`, what }]);
    if (waits === 'which it replaces') expect(stand?.message).toContain(waits);
  });

  it('says when the next run is scheduled', async () => {
    const scene = stage({ spec: { trigger: { schedules: ['0 3 * * *'] }, steps: chain('a') } });
    await scene.world.run(5_000);
    expect(await change(scene, manifest('etl', workflowText({ trigger: { schedules: ['0 5 * * *'] }, steps: chain('a') })))).toMatchObject({ stand: { reason: 'WaitsForSchedule' }, next: '2026-01-01T05:00:00.000Z' });
  });

  it('says what becomes of its runs when it is removed', async () => {
    const scene = stage({ spec: { trigger: { onChange: true, onRequest: true }, concurrency: { max: 2 }, steps: chain('a') }, pods: { a: endless } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await new CommandLine(scene.world).call(({ runs }) => runs.create({ name: 'etl-asked', request: { workflow: 'etl', trigger: 'request' }, parameters: {}, data: undefined, owner: undefined }));
    await scene.world.runUntil(() => scene.started.length === 2);
    await scene.world.run(3_000);
    const { existing } = await change(scene, '', { all: true });
    expect(new Map(existing?.map(({ subject, what }) => [subject, what])).get('run/etl-asked')).toBe('goes on with the text and the files that it began with');
    expect(existing?.map(({ what }) => what)).toContain('is deleted with its ConfigMap, and its Jobs with it (onSpecDelete: delete)');
  });

  it('tells of files that have another text, and of Jobs that come and go', async () => {
    const scene = stage({ spec: 'none', controller: 'none' });
    const text = workflowText({ steps: [step('a', { files: { '/run.sh': 'run.sh' } }), step('b')] });
    scene.world.applyObject(configMaps, { metadata: { name: 'etl', labels: { [keys.kindLabel]: 'workflow' } }, data: { [keys.specKey]: text, 'run.sh': 'one', other: 'x' } });
    const planned = stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'etl', labels: { [keys.kindLabel]: 'workflow' } }, data: { [keys.specKey]: workflowText({ steps: [step('a', { files: { '/run.sh': 'run.sh' } }), step('c')] }), 'run.sh': 'two', other: 'y' } });
    const found = await change(scene, planned);
    expect(found.files).toEqual(['run.sh']);
    expect(found.jobs.map((job) => [job.title, job.change])).toEqual([['step c', 'new'], ['step b', 'removed']]);
    expect((await plan(scene, planned)).lines).toEqual(expect.arrayContaining(['  file run.sh: another text', '  step c: a new Job', '  step b: no Job any more']));
  });
});

describe('names and ConfigMaps', () => {
  it('shows what is new, what changes, what stays and what goes', async () => {
    const scene = await queueScene();
    scene.apply({ trigger: { onRequest: true }, steps: chain('a') });
    scene.apply({ trigger: { onRequest: true }, steps: chain('a') }, 'old');
    await scene.world.run(3_000);
    const files = [manifest('mails', queueText()), ...['etl', 'young'].map((name) => manifest(name, workflowText({ trigger: { onRequest: true }, steps: chain('b') })))].join('---\n');
    const { lines, err, code } = await plan(scene, files, { all: true, failOnChanges: true });
    expect(lines.filter((text) => /^(queue|workflow)\//.test(text)).map((text) => text.split('  ').slice(0, 2).join(' '))).toEqual(['workflow/etl changed', 'workflow/young new', 'workflow/old removed']);
    expect(lines).toContain('unchanged: queue/mails');
    expect(err).toEqual(['1 new, 1 changed, 1 removed, 1 unchanged']);
    expect(code).toBe(exitCode.no);
    expect((await changes(scene, files)).map(({ name }) => name)).toEqual(['mails', 'etl', 'young']);
  });

  it('hands over to a ConfigMap of another name, as a generator of kustomize makes them', async () => {
    const scene = await queueScene({ messages: 1 });
    const found = await change(scene, manifest('mails-h7k2', queueText('', 'worker:2')), { all: true });
    expect(found).toMatchObject({ change: 'changed', configMap: 'mails-h7k2', removed: ['mails'], notes: [], existing: [{ what: 'is handed over to ConfigMap "mails-h7k2"' }] });
    expect(await change(scene, manifest('mails-h7k2', queueText('', 'worker:2')))).toMatchObject({ removed: [], notes: ['ConfigMap "mails" defines the name too, and does nothing from then on; delete it'] });
  });

  it('says that a newer ConfigMap keeps the text from being in force', async () => {
    const scene = await queueScene();
    scene.world.applyConfigMap('mails-2', queueText());
    await scene.world.run(3_000);
    expect(await change(scene, manifest('mails', queueText('', 'worker:2')))).toMatchObject({ change: 'unchanged', notes: ['ConfigMap "mails-2" defines the name too and is newer: what is in the files does nothing'] });
  });

  it('shows both names where a ConfigMap defines another one than before', async () => {
    const scene = await queueScene();
    expect((await changes(scene, manifest('mails', queueText().replace('name: mails', 'name: letters')))).map(({ name, change: word }) => [name, word])).toEqual([['letters', 'new'], ['mails', 'removed']]);
  });

  it('leaves out what is for another namespace or instance', async () => {
    const scene = await queueScene();
    const text = [manifest('x', queueText(), { namespace: 'elsewhere' }), manifest('y', queueText(), { labels: { [keys.kindLabel]: 'queue', [keys.instanceLabel]: 'second' } })].join('---\n');
    const { lines, err } = await plan(scene, text);
    expect(lines).toEqual(['note: -: "mails" is left out: it is for namespace elsewhere', 'note: -: "mails" is left out: it is for instance second']);
    expect(err).toEqual(['no specs found']);
  });
});

describe('of templates and Runs', () => {
  const template = stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'resize', labels: { [keys.kindLabel]: 'template' } }, data: { [keys.specKey]: 'apiVersion: job-chief/v1\nkind: Template\nparameters: {size: {type: integer}}\njob: {image: resize:1, args: ["$(params.size)"]}\n' } });
  const run = (fields: string): string => stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big', labels: { [keys.kindLabel]: 'run' } }, data: { [keys.specKey]: `apiVersion: job-chief/v1\nkind: Run\ntemplate: resize\n${fields}` } });

  it('says that a run is asked for, also of what comes with the same files', async () => {
    const found = await changes(stage({ spec: 'none' }), [template, run('parameters: {size: 3}\n')].join('---\n'));
    expect(found.map(({ kind, dryRun, stand, starts }) => [kind, dryRun?.kind, stand?.reason, starts])).toEqual([
      ['Template', 'passed', 'WaitsForRequest', []],
      ['Run', undefined, 'RunDue', ['a run of template "resize" is asked for']],
    ]);
  });

  it.each([
    ['names nothing that there is', '', 'TargetUnknown'],
    ['has parameters that do not fit', 'parameters: {size: huge}\n', 'ParametersRefused'],
  ])('says that nothing is asked for by a Run that %s', async (_, fields, reason) => {
    const found = await changes(stage({ spec: 'none' }), reason === 'TargetUnknown' ? run(fields) : [template, run(fields)].join('---\n'));
    expect(found.at(-1)).toMatchObject({ stand: { reason }, starts: [] });
  });

  it('says that an edit of a Run does not count, and what a removed one leaves', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.cluster.script = () => endless;
    for (const text of [template, run('parameters: {size: 3}\n')]) {
      const { metadata, data } = parse(text) as { metadata: { name: string; labels: Record<string, string> }; data: Record<string, string> };
      scene.world.applyObject(configMaps, { metadata, data });
    }
    await scene.world.run(5_000);
    expect(await change(scene, run('parameters: {size: 4}\n'))).toMatchObject({ change: 'changed', stand: { reason: 'RunChanged' }, starts: [] });
    expect(await change(scene, run('parameters: {size: 3}\ncancel: enough\n'))).toMatchObject({ existing: [{ subject: `run/${scene.records[0]?.metadata.name ?? ''}`, what: 'is told: cancel' }] });
    const removed = await changes(scene, template, { all: true });
    expect(removed.at(-1)).toMatchObject({ kind: 'Run', change: 'removed', existing: [{ what: 'goes on: what was accepted outlives its Run' }] });
  });
});

describe('of limits', () => {
  const limits = (fields: string): string => stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'limits', labels: { [keys.kindLabel]: 'limits' } }, data: { [keys.specKey]: `apiVersion: job-chief/v1\nkind: Limits\n${fields}` } });

  it('shows how much would be used of each bound', async () => {
    const scene = stage({ steps: [step('a'), step('b')], pods: { a: endless, b: endless } });
    await scene.world.runUntil(() => scene.started.length === 2);
    await scene.world.run(3_000);
    expect(await change(scene, limits('maxJobs: 1\ngroups: {gpu: 2}\n'))).toMatchObject({ kind: 'Limits', change: 'new', stand: { reason: 'LimitsInForce' }, starts: ['maxJobs: 2 of 1 places are taken; what runs goes on, and nothing new starts until fewer do', 'group gpu: 0 of 2 places are taken'] });
  });

  it('counts for what else the files have', async () => {
    const scene = stage({ spec: 'none' });
    const found = await changes(scene, [limits('suspend: true\n'), manifest('etl', workflowText({ steps: chain('a') }))].join('---\n'));
    expect(found.map(({ stand, starts }) => [stand?.reason, starts])).toEqual([['InstanceSuspended', ['Limits "limits" suspends the instance: nothing starts']], ['InstanceSuspended', []]]);
  });
});

describe('problems', () => {
  it('are shown as lint shows them, and are an answer', async () => {
    const { code, lines } = await plan(await queueScene(), queueText().replace('image', 'imag'));
    expect(code).toBe(exitCode.no);
    expect(lines).toContain('-:6:7: error UnknownField job.imag: unknown field "imag"');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}then: Rejected \(SpecRejected\)/));
  });

  it('are those of the operator policy, too, which the controller tells of the Jobs', async () => {
    const { code, lines } = await plan(await queueScene(), queueText('', 'worker:2').replace('job: {', 'job: {hostNetwork: true, '));
    expect(code).toBe(exitCode.no);
    expect(lines).toContainEqual(expect.stringMatching(/error PolicyDenied job\.hostNetwork/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}dry run: the operator's policy refuses: .*hostNetwork/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}then: Rejected \(PolicyDenied\)/));
  });

  let folder: string | undefined;
  afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
    folder = undefined;
  });

  it('reads files and folders', async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'job-chief-plan-'));
    await writeFile(path.join(folder, 'mails.yaml'), queueText('', 'worker:2'));
    const { lines } = await plan(await queueScene(), '', { paths: [folder] });
    expect(lines[0]).toContain(`(${path.join(folder, 'mails.yaml')}, ConfigMap mails)`);
  });

  it('takes nothing for removed when a file cannot be read', async () => {
    const scene = await queueScene();
    const { code, err } = await plan(scene, '', { paths: ['/nowhere/x.yaml'] });
    expect(code).toBe(exitCode.error);
    expect(err[0]).toMatch(/^error: cannot read \/nowhere\/x\.yaml/);
    await expect(readPlanInput({ ...usual, paths: ['/nowhere/x.yaml'], all: true }, () => Promise.resolve(''))).rejects.toThrow(/^with --all nothing may be missing: cannot read/);
  });

  it.each(['jobs', 'pods', 'configmaps'])('takes nothing for empty that it may not list: %s', async (resource) => {
    const scene = await queueScene();
    scene.world.cluster.allows = (access) => !(access.resource === resource && access.verb === 'list');
    const input = await readPlanInput(usual, () => Promise.resolve(queueText()));
    expect(await new CommandLine(scene.world).complaint((session) => showPlan(session, usual, input))).toContain(`cannot list ${resource} in namespace default`);
  });
});

describe('plan', () => {
  it('writes nothing: its only requests that are no reads are dry runs', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: endless } });
    scene.world.cluster.script = () => endless;
    scene.world.queue('q').send(1);
    scene.world.applyConfigMap('mails', queueText());
    await scene.world.run(15_000);
    scene.controller?.kill();
    const [objects, sent] = [scene.world.trace.length, scene.world.requests.length];
    await plan(scene, [manifest('mails', queueText('onSpecChange: replace\n', 'worker:2')), manifest('etl', workflowText({ onSpecChange: 'replace', steps: chain('a', 'b') })), manifest('young', workflowText({ steps: chain('x') }))].join('---\n'), { all: true });
    const writes = scene.world.requests.slice(sent).filter(({ method }) => method !== 'GET');
    expect(writes.map(({ method, path: where, query }) => [method, where, query?.['dryRun']])).toEqual(writes.map(() => ['POST', '/apis/batch/v1/namespaces/default/jobs', 'All']));
    expect(writes.length).toBeGreaterThan(2);
    expect(scene.world.trace.slice(objects).filter((line) => !/pods\/|jobs\//.test(line))).toEqual([]);
  });

  it('answers in YAML as in JSON', async () => {
    const scene = await queueScene();
    const [yaml, json] = [await plan(scene, queueText('', 'worker:2'), { output: 'yaml' }), await plan(scene, queueText('', 'worker:2'), { output: 'json' })];
    expect(parse(yaml.lines.join('\n'))).toEqual(JSON.parse(json.lines.join('\n')));
  });
});
