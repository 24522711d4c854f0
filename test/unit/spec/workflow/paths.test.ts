/** A spec in a folder on a disk, where names of files may hold a slash. */
import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../../../src/spec/parse.ts';
import type { ParsedSpec } from '../../../../src/spec/parsed.ts';
import { matching } from '../../../../src/spec/workflow-files.ts';
import { aManifest, codes, withSteps, type Files } from './input.ts';

const parse = (text: string, files: Files, paths = true): ParsedSpec => parseSpec({ file: 'etl/spec.yaml', objectName: 'etl', label: undefined, data: { ...files, 'spec.yaml': text }, ...(paths && { paths }) }, {});
const keys = ['a.yaml', 'b.json', 'jobs/a.yaml', 'jobs/b.yml', 'jobs/c.json', 'jobs/readme.md', 'jobs/more/d.yaml', 'jobs.yaml'];

describe('a pattern of paths', () => {
  it.each<[string, string[]]>([
    ['*.yaml', ['a.yaml', 'jobs.yaml']],
    ['jobs/*', ['jobs/a.yaml', 'jobs/b.yml', 'jobs/c.json', 'jobs/readme.md']],
    ['jobs/?.yaml', ['jobs/a.yaml']],
    ['*/*.yaml', ['jobs/a.yaml']],
    ['**/*.yaml', ['a.yaml', 'jobs.yaml', 'jobs/a.yaml', 'jobs/more/d.yaml']],
    ['jobs/**', ['jobs/a.yaml', 'jobs/b.yml', 'jobs/c.json', 'jobs/more/d.yaml', 'jobs/readme.md']],
    ['jobs', ['jobs/a.yaml', 'jobs/b.yml', 'jobs/c.json', 'jobs/more/d.yaml']],
    ['jobs/', ['jobs/a.yaml', 'jobs/b.yml', 'jobs/c.json', 'jobs/more/d.yaml']],
    ['job', []],
  ])('%s matches %j', (pattern, wanted) => {
    expect(matching(pattern, keys)).toEqual(wanted);
  });
});

describe('a spec in a folder', () => {
  const text = withSteps('{name: one, jobFile: jobs/load.yaml}', '{name: all, jobFiles: jobs/reports/}', '{name: run, job: {}, files: {/app/run.sh: scripts/run.sh}}', '{name: safe, job: {}, undo: {jobFile: jobs/load.yaml}}');
  const files = { 'jobs/load.yaml': aManifest(), 'jobs/reports/a.json': JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'b' }] } } } }), 'jobs/reports/b.yml': aManifest(), 'scripts/run.sh': 'true' };

  it('may name files in folders below it', () => {
    const { spec, problems } = parse(text, files);
    expect(problems).toEqual([]);
    expect(spec).toMatchObject({ files: Object.keys(files), steps: [{ work: { manifests: [{ file: 'jobs/load.yaml' }] } }, { work: { manifests: [{ file: 'jobs/reports/a.json' }, { file: 'jobs/reports/b.yml' }], several: true } }, { files: { '/app/run.sh': 'scripts/run.sh' } }, {}] });
  });

  it('is told where in which file something is wrong', () => {
    const { problems } = parse(text, { ...files, 'jobs/reports/b.yml': 'apiVersion: v1\nkind: Pod\n' });
    expect(problems).toMatchObject([{ code: 'NotAJob', message: expect.stringContaining('jobs/reports/b.yml:2:7: kind: this is no manifest of a batch/v1 Job') as unknown }]);
  });

  it('may not do so in a ConfigMap, whose keys hold no slash', () => {
    expect(codes(parse(text, {}, false)).filter((code) => code.startsWith('InvalidValue'))).toHaveLength(4);
  });

  it('is held to everything else', () => {
    expect(codes(parse(withSteps('{name: a b, jobFile: jobs/load.yaml}'), files))).toEqual(['InvalidValue steps[0].name']);
    expect(codes(parse(withSteps('{name: a, jobFiles: jobs/none/}'), files))).toEqual(['UnknownFile steps[0].jobFiles']);
  });
});
