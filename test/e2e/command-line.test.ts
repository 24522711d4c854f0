/** The commands that people and pipelines use, against containers that really run. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { controllerImageName } from '../../hack/dev/demo/images.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { workflowConfigMap } from './support/runs.ts';
import { useSite, type Site } from './support/site.ts';
import { shell } from './support/specs.ts';

const hook = join(repository, 'manifests/examples/argo-hook');

/** `job-chief` as somebody outside of the cluster calls it. */
async function jobChief(site: Site, ...args: string[]): Promise<{ code: number | null; out: string[]; err: string }> {
  const child = spawn(process.execPath, [join(repository, 'src/cli/main.ts'), ...args], {
    env: { ...process.env, KUBECONFIG: site.place.kubeconfig, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => { child.on('close', resolve); });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out: out.split('\n').filter((line) => line !== ''), err };
}

describe.skipIf(noRealPods !== undefined)('the command line', () => {
  const site = useSite({ name: 'commands', enforce: 'restricted' }, async (opened) => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'job-chief-config' }, data: { 'config.yaml': stringify({ jobDefaults: { imageRegistry: 'job-chief.local' } }) } };
    await opened.install({ resource: 'base', patches: [config] });
    await opened.kubectl('apply', '-k', join(repository, 'manifests/roles'));
    await opened.kubectl('apply', '-f', join(repository, 'manifests/examples/templates/image.yaml'));
  });
  const here = (command: string, ...args: string[]): Promise<{ code: number | null; out: string[]; err: string }> => jobChief(site(), command, '-n', site().namespace, ...args);

  it.concurrent('follows logs through silence, a second attempt and the next step', async () => {
    const steps = [
      { name: 'quiet', job: shell('sleep 20; echo at last') },
      { name: 'again', dependsOn: ['quiet'], retry: { attempts: 2, delay: '1s' }, job: shell('echo try $JOB_CHIEF_ATTEMPT; [ $JOB_CHIEF_ATTEMPT = 2 ]') },
    ];
    await site().apply(workflowConfigMap('followed', { trigger: { onChange: true }, steps }));
    await eventually(async () => { expect((await here('status', 'workflow/followed', '-o', 'json')).out.join('')).toContain('"state": "Running"'); });
    expect(await here('logs', 'workflow/followed', '-f')).toMatchObject({ code: 0, out: ['[quiet] at last', '[again] try 1', '[again#2] try 2'] });
    expect((await here('logs', 'followed', '--previous', '--tail', '1')).out).toEqual(['[quiet] at last', '[again] try 1', '[again#2] try 2']);
    expect((await here('logs', 'followed', 'again', '--timestamps')).out).toEqual([expect.stringMatching(/^20\d\d-.*T.*\.\d{9}Z try 2$/)]);
  });

  it.concurrent('runs a command in an image, prints what it writes, and ends as it does', async () => {
    const fine = await here('run', '--image', 'job-chief.local/busybox:1.37', '--follow', '--', 'echo', '$HOME is text');
    expect(fine).toMatchObject({ code: 0, out: [expect.stringMatching(/^image-/), '[job] $HOME is text'] });
    expect((await here('run', '--image', 'job-chief.local/busybox:1.37', '--wait', '--', 'false')).code).toBe(1);
  });

  it.concurrent('says why a container does not start', async () => {
    const { out } = await here('run', '--image', 'nowhere:1');
    await eventually(async () => { expect((await here('logs', out[0] ?? '')).err).toMatch(/has not started: (ErrImagePull|ImagePullBackOff)/); });
    expect((await here('cancel', out[0] ?? '', '-o', 'json')).code).toBe(0);
  });

  it.concurrent('waits as a hook of a sync does, in a pod with its own Role', async () => {
    const job = parse(readFileSync(join(hook, 'wait.yaml'), 'utf8').replace('image: job-chief', `image: ${controllerImageName}`)) as object;
    await site().kubectl('apply', '-f', join(hook, 'migrate.yaml'), '-f', join(hook, 'account.yaml'));
    await site().apply(job);
    await site().kubectl('wait', '--for=condition=complete', 'job/migrate-wait', '--timeout=120s');
    expect(await site().kubectl('logs', 'job/migrate-wait')).toMatch(/run succeeded after .*: 2 of 2 steps succeeded/);
    // A sync that brings something broken fails.
    await site().kubectl('delete', 'job/migrate-wait');
    await site().kubectl('patch', 'configmap/migrate', '--type=merge', '-p', JSON.stringify({ data: { 'spec.yaml': readFileSync(join(hook, 'migrate.yaml'), 'utf8').split('spec.yaml: |\n')[1]?.replace('echo, migrated', '"false"') } }));
    await site().apply(job);
    await site().kubectl('wait', '--for=condition=failed', 'job/migrate-wait', '--timeout=120s');
    expect(await site().kubectl('logs', 'job/migrate-wait')).toMatch(/run failed after/);
  });
});
