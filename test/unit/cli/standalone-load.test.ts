/** From files on a disk to the workflow that is to run, and every way in which a model of files can be wrong. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadWorkflow } from '../../../src/cli/standalone/load.ts';
import { asError } from '../../../src/lib/clock.ts';
import { aManifest, aWorkflow, withSteps } from '../spec/workflow/input.ts';

let root = '';
let folder = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'standalone-'));
  folder = path.join(root, 'etl');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true }));

async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
}

/** What the user reads, with the folder as `.`. */
async function problem(files: Readonly<Record<string, string | Buffer>>, file = ''): Promise<string> {
  await write(files);
  return loadWorkflow(path.join(folder, file)).then(() => 'none', (error: unknown) => asError(error).message.replaceAll(folder, '.'));
}

describe('the example in the manner of jobernetes', () => {
  it('is phases, a dependency, and a step for each file of a folder', async () => {
    const { spec, warnings, mounted } = await loadWorkflow('examples/jobernetes-style');
    expect({ name: spec.name, warnings, mounted, maxParallel: spec.maxParallel }).toEqual({ name: 'etl', warnings: '', mounted: {}, maxParallel: 3 });
    const works = spec.steps.map(({ name, phase, dependsOn, work }) => [name, phase, dependsOn.phase, dependsOn.all, work.kind === 'manifests' ? work.manifests.map(({ file }) => file) : work.kind]);
    expect(works).toEqual([
      ['make_index', 'prepare', undefined, [], ['jobs/index.yaml']],
      ['fetch_a', 'gather', 'prepare', [], ['jobs/fetch-a.yaml']],
      ['load_a', 'gather', 'prepare', ['fetch_a'], ['jobs/load-a.yaml']],
      ['fetch_b', 'gather', 'prepare', [], ['jobs/fetch-b.yaml']],
      ['reports', 'finish', 'gather', [], ['jobs/reports/daily.yaml', 'jobs/reports/monthly.json', 'jobs/reports/weekly.yml']],
    ]);
  });
});

describe('a workflow is read from', () => {
  const text = withSteps('{name: one, jobFile: jobs/a.yaml}');

  it('a folder, and is called like it', async () => {
    await write({ 'nightly/spec.yaml': text, 'nightly/jobs/a.yaml': aManifest() });
    expect((await loadWorkflow(path.join(folder, 'nightly'))).spec.name).toBe('nightly');
  });

  it('a file, with what it names relative to its folder', async () => {
    await write({ 'wf/weekly.yaml': withSteps('{name: one, jobFile: ../jobs/a.yaml}', '{name: more, jobFiles: "../jobs/*.yaml"}', '{name: here, jobFile: ./b.yaml}'), 'jobs/a.yaml': aManifest(), 'wf/b.yaml': aManifest() });
    const { spec } = await loadWorkflow(path.join(folder, 'wf/weekly.yaml'));
    expect(spec).toMatchObject({ name: 'weekly', files: ['../jobs/a.yaml', './b.yaml'] });
  });

  it('a ConfigMap manifest, whatever its instance, with its data keys as files', async () => {
    const indented = withSteps('{name: one, jobFile: a.yaml}').replaceAll('\n', '\n    ');
    await write({ 'cm.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-map, labels: {job-chief: workflow, job-chief/instance: blue}}\ndata:\n  spec.yaml: |\n    ${indented}\n  a.yaml: |\n    ${aManifest().replaceAll('\n', '\n    ')}\n` });
    expect((await loadWorkflow(path.join(folder, 'cm.yaml'))).spec).toMatchObject({ name: 'from-map', files: ['a.yaml'] });
  });

  it('a text whose hash follows its files, so that an edited file is another run', async () => {
    await write({ 'spec.yaml': text, 'jobs/a.yaml': aManifest() });
    const { spec } = await loadWorkflow(folder);
    await write({ 'jobs/a.yaml': aManifest('tolerations: []') });
    expect((await loadWorkflow(folder)).spec.hash).not.toBe(spec.hash);
  });

  it('files that pods mount get names that a ConfigMap can hold, one for each path', async () => {
    await write({ 'spec.yaml': withSteps('{name: one, job: {}, files: {/a.sh: x/run.sh, /b.sh: y/run.sh, /c.sh: run.sh}}'), 'x/run.sh': 'X', 'y/run.sh': 'Y', 'run.sh': 'Z' });
    const { spec, mounted } = await loadWorkflow(folder);
    const names = Object.values(spec.steps[0]?.files ?? {});
    expect(names).toEqual([expect.stringMatching(/^\w{8}-x_run\.sh$/), expect.stringMatching(/^\w{8}-y_run\.sh$/), 'run.sh']);
    expect(names.map((name) => mounted[name])).toEqual(['X', 'Y', 'Z']);
  });
});

describe('what is wrong is told before anything is started', () => {
  const phases = (...lines: string[]): string => aWorkflow('phases:', ...lines.map((line) => `  ${line}`));

  it.each<[string, Readonly<Record<string, string | Buffer>>, RegExp]>([
    ['a cycle (JOB-3)', { 'spec.yaml': withSteps('{name: free, job: {}}', '{name: a, job: {}, dependsOn: [b]}', '{name: b, job: {}, dependsOn: [a]}') }, /DependencyCycle.*a → b → a|DependencyCycle.*b → a → b/],
    ['a step that waits for itself (JOB-3)', { 'spec.yaml': withSteps('{name: a, job: {}, dependsOn: [a]}') }, /DependencyCycle/],
    ['an empty folder (JOB-4)', { 'spec.yaml': withSteps('{name: a, jobFiles: jobs/none}') }, /^step "a": no file matches \.\/jobs\/none; of a folder all files that end in \.yaml, \.yml or \.json are taken$/],
    ['an empty phase (JOB-4)', { 'spec.yaml': phases('- {name: one, steps: []}', '- {name: two, steps: [{name: a, job: {}}]}') }, /phases\[0\]\.steps/],
    ['a dependency that does not exist', { 'spec.yaml': withSteps('{name: a, job: {}, dependsOn: [lod]}', '{name: load, job: {}}') }, /lod.*[^]*did you mean "load"/],
    ['a JSON manifest that is none (JOB-10)', { 'spec.yaml': withSteps('{name: a, jobFile: a.json}'), 'a.json': '{"kind": "Pod", "apiVersion": "v1"}' }, /NotAJob.*a\.json:1:10: kind: this is no manifest of a batch\/v1 Job/],
    ['several documents in one file (JOB-11)', { 'spec.yaml': withSteps('{name: a, jobFile: a.yaml}'), 'a.yaml': `${aManifest()}---\n${aManifest()}` }, /MultipleDocuments.*a\.yaml:9:1/],
    ['a name that is there twice (JOB-11)', { 'spec.yaml': phases('- {name: one, steps: [{name: a, job: {}}]}', '- {name: two, steps: [{name: a, job: {}}]}') }, /"a"/],
    ['a file that is not there', { 'spec.yaml': withSteps('{name: a, jobFile: jobs/lod.yaml}'), 'jobs/load.yaml': aManifest() }, /^step "a": there is no file \.\/jobs\/lod\.yaml; did you mean "jobs\/load\.yaml"\?$/],
    ['a path from the root', { 'spec.yaml': withSteps('{name: a, jobFile: /etc/job.yaml}') }, /^step "a": "\/etc\/job\.yaml" must be a path below/],
    ['a file that is no text', { 'spec.yaml': withSteps('{name: a, jobFile: a.yaml}'), 'a.yaml': Buffer.from([0xff, 0xfe, 0x00]) }, /a\.yaml is no UTF-8 text$/],
    ['no spec at all', { 'readme.md': 'x' }, /^cannot read \.\/spec\.yaml/],
    ['another kind', { 'spec.yaml': 'apiVersion: job-chief/v1\nkind: Queue\n' }, /is a Queue, and only a Workflow can be run$/],
    ['no workflow', { 'spec.yaml': 'a: 1\n' }, /holds no workflow/],
    ['several specs', { 'spec.yaml': `${withSteps('{name: a, job: {}}')}---\n${withSteps('{name: b, job: {}}')}` }, /holds 2 specs: name a file/],
    ['a run of another workflow', { 'spec.yaml': withSteps('{name: a, workflow: {name: other}}') }, /^step "a" is a run of another workflow, which only a controller can start/],
    ['observe', { 'spec.yaml': aWorkflow('observe: true') }, /^observe is true/],
    ['suspend', { 'spec.yaml': aWorkflow('suspend: true') }, /^suspend is true/],
  ])('%s', async (_what, files, message) => {
    expect(await problem(files)).toMatch(message);
  });

  it('manifests need no labels, and those of sub-folders are found where they are (JOB-10)', async () => {
    const bare = aManifest().replace(/metadata: .*\n/, '');
    expect(await problem({ 'spec.yaml': withSteps('{name: a, jobFiles: jobs}'), 'jobs/a.yaml': bare, 'jobs/deep/b.yaml': bare })).toBe('none');
  });

  it('a phase and a step may have the same name', async () => {
    expect(await problem({ 'spec.yaml': phases('- {name: load, steps: [{name: load, job: {}}]}') })).toBe('none');
  });
});
