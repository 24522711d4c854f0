/** Every file of manifests/examples/templates and runs, applied as it stands: what it says is what happens. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import type { ConfigMap } from './support/kubernetes.ts';
import { jobsOf, logOf, outcomes, runBecomes, runsOf } from './support/runs.ts';
import { useSite } from './support/site.ts';

const folders = ['templates', 'runs'].map((name) => join(repository, 'manifests/examples', name));
const examples = folders
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as ConfigMap));

function run(name: string, spec: object): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { 'job-chief': 'run' } }, data: { 'spec.yaml': stringify({ apiVersion: 'job-chief/v1', kind: 'Run', ...spec }) } };
}

describe.skipIf(noRealPods !== undefined)('the examples of templates and runs', () => {
  const site = useSite({ name: 'templates', enforce: 'restricted' }, async (opened) => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'job-chief-config' }, data: { 'config.yaml': stringify({ jobDefaults: { imageRegistry: 'job-chief.local' } }) } };
    await opened.install({ resource: 'base', patches: [config] });
    for (const folder of folders) await opened.kubectl('apply', '-f', folder);
  });

  it('have these, each with a test', () => {
    const names = examples.map(({ metadata }) => metadata.name).filter((name) => name !== 'image');
    expect(names.toSorted()).toEqual(['approved-release', 'first-picture', 'release', 'resize']);
  });

  it.concurrent('first-picture runs resize once, and its status tells what came of it', async () => {
    const done = await runBecomes(site(), 'resize', 'Succeeded');
    expect(done.request).toMatchObject({ template: 'resize', trigger: 'request', run: 'first-picture' });
    expect(done.result?.outputs).toEqual({ pixels: 1024 });
    expect(done.record.metadata.ownerReferences).toBeUndefined();
    const [job] = await jobsOf(site(), done.name);
    expect(job?.metadata.labels).toMatchObject({ 'job-chief/kind': 'template', 'job-chief/name': 'resize', 'job-chief/step': 'job' });
    expect(await logOf(site(), job?.metadata.name)).toBe('would fetch https://example.com/first.png\n');
    await site().statusBecomes('first-picture', { state: 'Succeeded', reason: 'RunSucceeded', health: 'Healthy', run: { name: done.name, outcome: 'succeeded', outputs: { pixels: 1024 } } });
    expect(await site().kubectl('get', 'configmaps', '-l', 'job-chief=run', '-L', 'job-chief/state')).toMatch(/first-picture\s.*Succeeded/);
    expect((await site().events('first-picture')).map(({ reason }) => reason)).toEqual(expect.arrayContaining(['SpecAccepted', 'RunSucceeded']));
  });

  it.concurrent('resize says what a request may set', async () => {
    await site().statusBecomes('resize', { parameters: { url: 'string, required: Where the picture is.', size: 'integer, default 512: Pixels of the longer side.' } });
    expect(await site().kubectl('describe', 'configmap', 'resize')).toContain('integer, default 512');
  });

  it.concurrent('approved-release passes its approval without anybody', async () => {
    const done = await runBecomes(site(), 'release', 'Succeeded');
    expect(outcomes(done)).toEqual({ confirm: 'succeeded', release: 'succeeded' });
    await site().statusBecomes('approved-release', { state: 'Succeeded' });
  });

  it('kubectl replace and an edit make no second run', async () => {
    await runBecomes(site(), 'release', 'Succeeded');
    await site().statusBecomes('approved-release', { state: 'Succeeded' });
    const file = join(repository, 'manifests/examples/runs/approved-release.yaml');
    await site().kubectl('replace', '-f', file);
    await site().statusBecomes('approved-release', { state: 'Succeeded', reason: 'RunSucceeded' });
    await site().apply(run('approved-release', { workflow: 'release', parameters: { version: '2.0.0' } }));
    await site().statusBecomes('approved-release', { state: 'Succeeded', reason: 'RunChanged' });
    expect(await runsOf(site(), 'release')).toHaveLength(1);
  });

  it('a request that does not fit names the parameter, and one whose template is missing waits for it', async () => {
    await site().apply(run('wrong', { template: 'resize', parameters: { url: 'ftp://x', size: 0 } }), run('early', { template: 'not-yet' }));
    const { message } = await site().statusBecomes('wrong', { state: 'Rejected', reason: 'ParametersRefused' });
    expect(message).toMatch(/parameters\.url.*parameters\.size|parameters\.size.*parameters\.url/);
    await site().statusBecomes('early', { state: 'Waiting', reason: 'TargetUnknown' });
    await site().kubectl('delete', 'configmap', 'wrong', 'early');
    await eventually(async () => { expect(await site().configMap('early')).toBeUndefined(); });
  });
});
