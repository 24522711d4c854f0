import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { lint, type LintOptions } from '../../../../src/cli/lint/lint.ts';

const spec = ['apiVersion: job-chief/v1', 'kind: Workflow', 'trigger: {onChange: true}', 'jobDefaults: {image: busybox:1.37}', 'steps:', '  - {name: load, jobFile: load.yaml}', '  - {name: Tell_All, dependsOn: [load], job: {args: [done]}, undo: {job: {args: [undo]}}}', '  - {name: ask, approve: {}}', ''].join('\n');
const job = ['apiVersion: batch/v1', 'kind: Job', 'metadata: {labels: {app: load}}', 'spec:', '  template:', '    spec:', '      restartPolicy: Never', '      containers: [{name: main, image: acme/load}]', ''].join('\n');
const broken = job.replace('image:', 'imag:');
const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '    ');
const configMap = (load: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: etl, labels: {job-chief: workflow}}\ndata:\n  spec.yaml: |\n${indented(spec)}  load.yaml: ${load}`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'job-chief-lint-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function run(files: Readonly<Record<string, string>>, options: Partial<LintOptions> = {}): Promise<{ code: number; out: string; err: string }> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  const out: string[] = [];
  const err: string[] = [];
  const code = await lint(
    { output: 'text', defaults: false, paths: [folder], ...options },
    { out: (text) => out.push(text), err: (text) => err.push(text), stdin: () => Promise.resolve(''), text: { excerpts: false, colours: false }, version: '1.2.3' },
  );
  const clean = (texts: string[]): string => texts.join('\n').replaceAll(`${folder}/`, '');
  return { code, out: clean(out), err: clean(err) };
}

describe('lint of a Workflow in a folder', () => {
  it('finds the files that it names, wherever they are below', async () => {
    expect(await run({ 'etl/spec.yaml': spec, 'etl/jobs/load.yaml': job, 'etl/README.md': 'x' })).toMatchObject({ code: 0, out: '', err: '1 spec, no problems' });
  });

  it('shows a problem of such a file in the file', async () => {
    const { out } = await run({ 'etl/spec.yaml': spec, 'etl/jobs/load.yaml': broken });
    expect(out.split('\n')[0]).toBe('etl/jobs/load.yaml:8:33: error UnknownField steps[0].jobFile: load.yaml:8:33: spec.template.spec.containers[0].imag: unknown field "imag"');
  });

  it('says where a file is missing', async () => {
    const { out } = await run({ 'etl/spec.yaml': spec, 'load.yaml': job });
    expect(out.split('\n')[0]).toBe('etl/spec.yaml:6:27: error UnknownFile steps[0].jobFile: there is no data key "load.yaml" beside the spec');
  });

  it('says which files have one name', async () => {
    const { out, code } = await run({ 'etl/spec.yaml': spec, 'etl/a/load.yaml': job, 'etl/b/load.yaml': job });
    expect(code).toBe(1);
    expect(out).toContain('etl/spec.yaml:1:1: error UnknownFile: several files are named load.yaml, and data keys are base names: etl/a/load.yaml, etl/b/load.yaml');
  });
});

describe('lint of a Workflow in a ConfigMap', () => {
  it('finds its data keys', async () => {
    expect(await run({ 'etl.yaml': configMap(`|\n${indented(job)}`) })).toMatchObject({ code: 0, out: '' });
  });

  it('shows a problem of a data key where it stands', async () => {
    const { out } = await run({ 'etl.yaml': configMap(`|\n${indented(broken)}`) });
    expect(out.split('\n')[0]).toBe('etl.yaml:22:37: error UnknownField steps[0].jobFile: load.yaml:8:33: spec.template.spec.containers[0].imag: unknown field "imag"');
  });

  it('and at the field that names it where YAML rearranges the text', async () => {
    const { out } = await run({ 'etl.yaml': configMap(`${JSON.stringify(broken)}\n`) });
    expect(out.split('\n')[0]).toMatch(/^etl\.yaml:11:31: error UnknownField steps\[0\]\.jobFile: load\.yaml:8:33: /);
  });
});

describe('lint --defaults of a Workflow', () => {
  const files = { 'etl.yaml': configMap(`|\n${indented(job)}`) };

  it('prints the Job of each step and undo', async () => {
    const { out } = await run(files, { defaults: true });
    expect(out.match(/^# .*$/gm)).toEqual(['# etl.yaml: etl, step load, load.yaml', '# etl.yaml: etl, step Tell_All', '# etl.yaml: etl, step Tell_All, undo']);
    expect(parseAllDocuments(out).map((document) => document.toJS() as unknown)).toMatchObject([
      { kind: 'Job', metadata: { generateName: 'etl-load-', labels: { app: 'load' } }, spec: { template: { spec: { containers: [{ image: 'acme/load' }] } } } },
      { kind: 'Job', metadata: { generateName: 'etl-tell-all-' }, spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ image: 'busybox:1.37', args: ['done'] }] } } } },
      { kind: 'Job', metadata: { generateName: 'etl-tell-all-undo-' }, spec: { template: { spec: { containers: [{ args: ['undo'] }] } } } },
    ]);
  });

  it('has them in JSON by step', async () => {
    const { out } = await run(files, { defaults: true, output: 'json' });
    expect(JSON.parse(out)).toMatchObject({ specs: [{ kind: 'Workflow', valid: true, jobs: [{ step: 'load', file: 'load.yaml', job: { kind: 'Job' } }, { step: 'Tell_All' }, { step: 'Tell_All', undo: true }] }] });
  });
});
