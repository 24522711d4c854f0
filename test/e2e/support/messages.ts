/** What tests of Queues with `perMessage` share: the Jobs of each message, connections beside `main`, and job-chief killed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { repository } from '../../../hack/dev/cluster/paths.ts';
import { eventually } from './eventually.ts';
import type { Job } from './kubernetes.ts';
import { messageOf } from './overlaps.ts';
import type { Overlay, Site } from './site.ts';
import { hasEnded } from './witness.ts';

export async function jobsByMessage(site: Site, queue: string): Promise<ReadonlyMap<string, readonly Job[]>> {
  const jobs = await site.jobs(queue);
  return Map.groupBy(jobs, ({ metadata }) => messageOf(metadata.annotations)[0] ?? '');
}

/** How many Jobs each message had, and nothing for messages that had none. */
export async function jobCounts(site: Site, queue: string): Promise<Record<string, number>> {
  return Object.fromEntries([...(await jobsByMessage(site, queue))].map(([id, jobs]) => [id, jobs.length]));
}

/** So many Jobs for each of the ids. */
export function each(ids: readonly string[], jobs: number): Record<string, number> {
  return Object.fromEntries(ids.map((id) => [id, jobs]));
}

/** What has become of the messages of a queue, by its Jobs' own account, in no order. */
export async function settledOf(site: Site, queue: string): Promise<readonly string[]> {
  return (await site.jobs(queue)).map(({ metadata }) => metadata.annotations?.['job-chief/settled']).map((note) => (note === undefined ? 'not settled' : (JSON.parse(note) as { as: string }).as));
}

/** Waits until so many Jobs were made, some run, and the messages of all that have ended are settled. Others may wait for their payload. */
export async function midJob(site: Site, queue: string, made: number): Promise<void> {
  await eventually(async () => {
    const [jobs, pods] = [await site.jobs(queue), await site.pods(queue)];
    expect(jobs.length).toBeGreaterThanOrEqual(made);
    expect(jobs.filter((job) => hasEnded(job) && job.metadata.annotations?.['job-chief/settled'] === undefined).map(({ metadata }) => metadata.name)).toEqual([]);
    const running = pods.filter(({ status }) => status.containerStatuses?.some(({ state }) => state?.running !== undefined) === true);
    expect(running.length, `running pods of ${queue}`).toBeGreaterThan(0);
  });
}

/** job-chief with leases of messages, and with a second connection, whose Secret has its name. */
export async function installWith(site: Site, connection: { readonly name: string; readonly type: 'amqp' | 'sqs'; readonly files: Readonly<Record<string, string>> }): Promise<void> {
  const { name, type, files } = connection;
  await site.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: files });
  await site.install(overlayWith(name, type));
}

function overlayWith(name: string, type: string): Overlay {
  const volume = `connection-${name}`;
  const container = { name: 'job-chief', volumeMounts: [{ name: volume, mountPath: `/etc/job-chief/connections/${name}`, readOnly: true }] };
  const volumes = [{ name: volume, secret: { secretName: name, defaultMode: 0o440 } }];
  return {
    components: ['messages'],
    config: { connections: { main: { secretName: 'main-database' }, [name]: { type, secretName: name, injectable: true } } },
    patches: [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'job-chief' }, spec: { template: { spec: { containers: [container], volumes } } } }],
  };
}

/** Applies a file of manifests/examples/messages as it stands. */
export async function applyExample(site: Site, file: string): Promise<void> {
  await site.kubectl('apply', '-f', join(repository, 'manifests/examples/messages', file));
}

/**
 * `kill -9` of job-chief, without a word to Kubernetes: the kubelet starts its container again, in the same pod. Resolves
 * when the process is gone and another one is ready.
 */
export async function killController(site: Site): Promise<void> {
  const [pod] = await site.controllers();
  const { uid = '', name = '' } = pod?.metadata ?? {};
  const pid = await eventually(() => {
    const found = processesOf(uid);
    expect(found, `processes of job-chief in pod ${name}`).toHaveLength(1);
    return found[0];
  });
  if (pid === undefined) throw new Error('job-chief does not run');
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const now = processesOf(uid);
    expect(now, `processes of job-chief in pod ${name}`).toHaveLength(1);
    expect(now).not.toContain(pid);
    expect(await site.ask('/readyz')).toMatchObject({ status: 200 });
  });
}

/** Processes of job-chief in a pod, as this machine numbers them: the node's are its own as well. */
function processesOf(podUid: string): number[] {
  // The kubelet writes it with dashes or with underscores, by its cgroup driver.
  const names = [podUid, podUid.replaceAll('-', '_')];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => names.some((one) => read(pid, 'cgroup').includes(one)) && read(pid, 'cmdline').includes('/app/job-chief.mjs'));
}

/** Empty for what has ended meanwhile. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
