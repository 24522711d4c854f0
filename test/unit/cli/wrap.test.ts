import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkSources } from '../../../src/cli/lint/check.ts';
import { wrap } from '../../../src/cli/wrap.ts';

let folder = '';
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'job-chief-wrap-')), 'etl');
});
afterEach(async () => {
  await rm(path.dirname(folder), { recursive: true });
});

const spec = ['apiVersion: job-chief/v1', 'kind: Workflow', 'trigger: {onChange: true}', 'jobDefaults: {image: busybox:1.37}', 'steps:', '  - {name: load, jobFiles: "load-*.yaml"}', '  - {name: run, job: {}, files: {/app/run.sh: run.sh}}', ''].join('\n');
const job = ['apiVersion: batch/v1', 'kind: Job', 'spec:', '  template:', '    spec:', '      restartPolicy: Never', '      containers: [{name: main, image: acme/load}]', ''].join('\n');
const whole: Readonly<Record<string, string | Buffer>> = { 'spec.yaml': spec, 'jobs/load-a.yaml': job, 'jobs/load-b.yaml': job, 'scripts/deep/run.sh': '#!/bin/sh\necho "tab\there"  \n' };

async function run(files: Readonly<Record<string, string | Buffer>>, name?: string): Promise<{ code: number; out: string; err: string }> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), content);
  }
  const out: string[] = [];
  const err: string[] = [];
  const code = await wrap({ folder, name }, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('wrap', () => {
  it('makes a ConfigMap of the spec and the files that it names, by their base names', async () => {
    const { code, out, err } = await run(whole);
    expect([code, err]).toEqual([0, '']);
    expect(parse(out)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'etl', labels: { 'job-chief': 'workflow' } },
      data: { 'spec.yaml': spec, 'load-a.yaml': job, 'load-b.yaml': job, 'run.sh': whole['scripts/deep/run.sh'] },
    });
  });

  it('makes data keys of the paths by which the spec names files, and leaves everything else as it is written', async () => {
    const text = spec.replace('"load-*.yaml"', '"jobs/load-*.yaml"').replace('run.sh: run.sh', 'run.sh: ./scripts/deep/run.sh').replace('job: {}', 'job: {args: [scripts/deep/run.sh]}');
    const one = text.replace('steps:', 'steps: # jobs/load-a.yaml\n  - name: one\n    jobFile: jobs/load-a.yaml');
    const { code, out, err } = await run({ ...whole, 'spec.yaml': one });
    expect([code, err]).toEqual([0, '']);
    const { data } = parse(out) as { data: Record<string, string> };
    expect(Object.keys(data).toSorted()).toEqual(['load-a.yaml', 'load-b.yaml', 'run.sh', 'spec.yaml']);
    expect(data['spec.yaml']).toBe(one.replace('"jobs/load-*.yaml"', '"load-*.yaml"').replace(': ./scripts/deep/run.sh', ': run.sh').replace('jobFile: jobs/', 'jobFile: '));
  });

  it('which lint finds nothing wrong with', async () => {
    const { out } = await run(whole);
    const { specs, problems } = checkSources([{ name: 'etl.yaml', text: out, explicit: true }], {});
    expect(problems).toEqual([]);
    expect(specs).toMatchObject([{ kind: 'Workflow', name: 'etl', spec: { files: ['load-a.yaml', 'load-b.yaml', 'run.sh'] } }]);
  });

  it('takes the label from the kind', async () => {
    const { out } = await run({ 'spec.yaml': 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: worker:1}\n' });
    expect(parse(out)).toMatchObject({ metadata: { name: 'etl', labels: { 'job-chief': 'queue' } } });
  });

  it('takes the files of a template along', async () => {
    const { code, out, err } = await run({ 'spec.yaml': 'apiVersion: job-chief/v1\nkind: Template\njob: {image: resize:1, command: [sh, /app/run.sh]}\nfiles: {/app/run.sh: run.sh}\n', 'scripts/run.sh': 'true\n' });
    expect([code, err]).toEqual([0, '']);
    expect(parse(out)).toMatchObject({ metadata: { labels: { 'job-chief': 'template' } }, data: { 'run.sh': 'true\n' } });
  });

  it.each([
    ['the folder', spec, undefined, 'etl'],
    ['the spec', `name: nightly\n${spec}`, undefined, 'nightly'],
    ['the command line', `name: nightly\n${spec}`, 'tuesday', 'tuesday'],
  ])('takes the name from %s', async (_where, text, name, expected) => {
    const { out } = await run({ ...whole, 'spec.yaml': text }, name);
    expect(parse(out)).toMatchObject({ metadata: { name: expected } });
  });

  it('leaves out what the spec does not name, and says so', async () => {
    const { code, out, err } = await run({ ...whole, 'README.md': 'x', 'deep/README.md': 'y', '.hidden': 'z', 'picture.png': Buffer.from([0x89, 0xff]) });
    expect([code, err]).toEqual([0, 'left out, since the spec does not name them: README.md, picture.png']);
    expect(Object.keys((parse(out) as { data: object }).data).toSorted()).toEqual(['load-a.yaml', 'load-b.yaml', 'run.sh', 'spec.yaml']);
  });

  it('writes nothing where the spec has errors', async () => {
    const { code, out, err } = await run({ ...whole, 'jobs/load-b.yaml': job.replace('image:', 'imag:') });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('spec.yaml:6:28: error UnknownField steps[0].jobFiles: load-b.yaml:7:33: spec.template.spec.containers[0].imag: unknown field "imag"');
  });

  const refused: readonly [what: string, files: Readonly<Record<string, string | Buffer>>, message: RegExp][] = [
    ['there is no spec', { 'a.yaml': spec }, /^cannot read .*etl\/spec\.yaml, the spec of the folder: ENOENT/],
    ['two files have one base name', { ...whole, 'other/load-a.yaml': job, 'other/run.sh': 'x' }, /^several files are named load-a\.yaml, and data keys are base names: .*jobs\/load-a\.yaml, .*other\/load-a\.yaml\nseveral files are named run\.sh/],
    ['a pattern of one folder would take files of another', { ...whole, 'spec.yaml': spec.replace('load-*', 'jobs/load-*'), 'other/load-c.yaml': job }, /^"jobs\/load-\*\.yaml" becomes "load-\*\.yaml" in a ConfigMap, .* would take other\/load-c\.yaml as well: give the files names/],
    ['a folder stands for its files', { ...whole, 'spec.yaml': spec.replace('load-*.yaml', './jobs') }, /^"jobs" names files by their folder, .* such as "load-a\.yaml"/],
    ['a file is no text', { ...whole, 'scripts/deep/run.sh': Buffer.from([0xff, 0xfe, 0x00]) }, /run\.sh is no UTF-8 text/],
    ['the files are too large', { ...whole, 'scripts/deep/run.sh': 'x'.repeat(1_048_576) }, /^the files have 10\d{5} bytes in all, and a ConfigMap holds 1048576/],
  ];
  it.each(refused)('refuses where %s', async (_what, files, message) => {
    await expect(run(files)).rejects.toThrow(message);
  });

  it('refuses a name that no ConfigMap can have', async () => {
    await expect(run(whole, 'My_Flow')).rejects.toThrow('"My_Flow" cannot be the name of a ConfigMap');
  });
});
