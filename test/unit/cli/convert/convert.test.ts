import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { convert, type ConvertOptions } from '../../../../src/cli/convert/convert.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'job-chief-convert-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const cronJob = (name: string, more = ''): string => `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: ${name}}\nspec:\n  schedule: "0 2 * * *"\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x${more}}]}}}}\n`;

async function run(text: string, options: Partial<ConvertOptions> = {}): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await convert(
    { source: '-', from: undefined, output: 'yaml', outputDir: undefined, connection: 'main', name: undefined, ...options },
    { out: (line) => out.push(line), err: (line) => err.push(line), stdin: () => Promise.resolve(text), text: { excerpts: false, colours: false } },
  );
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const namesIn = (text: string): unknown[] => [...parseAllDocuments(text)].map((document) => document.getIn(['metadata', 'name']));

describe('convert', () => {
  it('reads standard input, and lists in it', async () => {
    const { code, out } = await run(`apiVersion: v1\nkind: List\nitems:\n${['a', 'b'].map((name) => cronJob(name).replace(/^/gm, '  ').replace('  ', '- ').trimEnd()).join('\n')}\n`);
    expect([code, namesIn(out)]).toEqual([0, ['a', 'b']]);
  });

  it('prints a List as JSON', async () => {
    const { out } = await run(cronJob('a'), { output: 'json' });
    expect(JSON.parse(out)).toMatchObject({ kind: 'List', items: [{ kind: 'ConfigMap', metadata: { name: 'a', labels: { 'job-chief': 'workflow' } } }] });
  });

  it('writes what can be converted beside what cannot', async () => {
    const { code, out, err } = await run(`${cronJob('good')}---\n${cronJob('bad', ', imagee: y')}`);
    expect([code, namesIn(out)]).toEqual([1, ['good']]);
    expect(err).toContain('-:13:100: error UnknownField spec.jobTemplate.spec.template.spec.containers[0].imagee');
    expect(err).toContain('1 ConfigMap written, 4 comments in it to read, 1 error');
  });

  it('gives two specs of one name numbers', async () => {
    const { out } = await run(['A_b', 'a-b', 'a-b'].map((name) => cronJob(name)).join('---\n'));
    expect(namesIn(out)).toEqual(['a-b', 'a-b-2', 'a-b-3']);
  });

  it('converts several formats in one go, and says what it left out', async () => {
    const { code, out, err } = await run(`${cronJob('a')}---\nkind: Service\nmetadata: {name: x}\n---\n{image: acme/x, tag: "1"}\n`);
    expect(namesIn(out).filter((name) => name !== undefined)).toEqual(expect.arrayContaining(['run-image', 'a']));
    expect(code).toBeLessThan(2);
    expect(err).toContain('1 other document left out');
  });

  it('says what to do with a template that is not rendered', async () => {
    const { code, err } = await run('kind: CronJob\nmetadata:\n  name: {{ .Release.Name }}\n');
    expect([code, err]).toEqual([1, expect.stringContaining('-:3:10: error UnsupportedYaml: a field name must be plain text\n  hint: templates must be rendered first: helm template')]);
  });

  it('writes files, and never over others', async () => {
    const target = path.join(folder, 'deep', 'specs');
    const { code, out, err } = await run(`${cronJob('a')}---\n${cronJob('b')}`, { outputDir: target });
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain(path.join(target, 'a.yaml'));
    expect((await readdir(target)).toSorted()).toEqual(['a.yaml', 'b.yaml']);
    expect(parse(await readFile(path.join(target, 'b.yaml'), 'utf8'))).toMatchObject({ metadata: { name: 'b' } });
    await expect(run(`${cronJob('c')}---\n${cronJob('b')}`, { outputDir: target })).rejects.toThrow('has b.yaml already, and nothing is written over');
    expect((await readdir(target)).toSorted()).toEqual(['a.yaml', 'b.yaml']);
  });

  it('takes the connection and the name from the command line', async () => {
    const queue = '[{"queueName": "q", "queueCheckInterval": "1s", "jobStartTimeout": "1s", "waitTimeAfterSuccessfulRun": "1s", "waitTimeAfterFailedRun": "1s", "waitTimeAfterError": "1s", "waitTimeAfterTimeout": "1s", "podConfig": {"image": "x"}}]';
    expect((await run(queue, { connection: 'other' })).out).toContain('connection: other');
    expect(namesIn((await run('{image: x, tag: "1"}', { name: 'any-image' })).out)).toContain('any-image');
  });

  it('names a workflow of jobernetes after the folder of the model', async () => {
    await mkdir(path.join(folder, 'etl'));
    await writeFile(path.join(folder, 'etl', 'jobermodel.yaml'), 'jobernetes: [{phase_name: one, jobs: [{name: a, job_path: a.yaml}]}]\n');
    await writeFile(path.join(folder, 'etl', 'a.yaml'), 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, labels: {a: b}}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}\n');
    expect(namesIn((await run('', { source: path.join(folder, 'etl', 'jobermodel.yaml') })).out)).toEqual(['etl']);
    expect(namesIn((await run('', { source: path.join(folder, 'etl') })).out)).toEqual(['etl']);
  });

  it('tells of problems in a manifest of jobernetes where they are', async () => {
    await writeFile(path.join(folder, 'jobermodel.yaml'), 'jobernetes:\n- phase_name: one\n  jobs:\n  - {name: a, job_path: a.yaml}\n  - {name: b, job_path: none.yaml}\n');
    await writeFile(path.join(folder, 'a.yaml'), 'apiVersion: batch/v1\nkind: Job\nspec:\n  template: {spec: {restartPolicy: Never, containers: [{name: main, imag: x}]}}\n');
    const missing = await run('', { source: path.join(folder, 'jobermodel.yaml') });
    expect(missing.err).toContain('jobermodel.yaml:5:25: error UnknownFile jobernetes[0].jobs[1].job_path: there is no file "none.yaml"');
    await writeFile(path.join(folder, 'none.yaml'), 'kind: Pod\n');
    const { code, err } = await run('', { source: path.join(folder, 'jobermodel.yaml') });
    expect(code).toBe(1);
    expect(err).toContain('a.yaml:4:69: error UnknownField');
    expect(err).toContain('none.yaml:1:7: error NotAJob');
  });

  it('takes everything for the format that is named', async () => {
    const { code, err } = await run('{jobs: []}\n', { from: 'jobs.json' });
    expect(code).toBe(1);
    expect(err).toContain('-:1:1: error MissingField queueName: the field "queueName" is missing');
  });

  it.each([
    ['nothing that it knows', 'kind: Service\n', {}, 'standard input holds nothing that can be converted; the formats are jobs.json, jobernetes'],
    ['no file', '', { source: '/nowhere/at/all.yaml' }, 'cannot read /nowhere/at/all.yaml: ENOENT'],
  ])('refuses %s', async (_what, text, options, message) => {
    await expect(run(text, options)).rejects.toThrow(message);
  });
});
