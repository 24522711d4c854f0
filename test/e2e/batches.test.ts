/** Several messages as one Job, on a real cluster: each with its own file, settled by its own pod, and with job-chief killed. */
import { describe, expect, it } from 'vitest';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { killController } from './support/messages.ts';
import { useSite, type Site } from './support/site.ts';
import { shell } from './support/specs.ts';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly output: unknown;
}

async function rows(site: Site, queue: string): Promise<readonly Row[]> {
  const { rows: found } = await site.boss.getDb().executeSql('SELECT id, state::text, output FROM pgboss.job WHERE name = $1 ORDER BY created_on, id', [queue]);
  return found as Row[];
}

async function sent(site: Site, queue: string, count: number): Promise<readonly string[]> {
  await site.boss.createQueue(queue, { notify: true, retryLimit: 0, expireInSeconds: 3_600 });
  const ids = await Promise.all(Array.from({ length: count }, (_, number) => site.boss.send(queue, { number })));
  return ids.flatMap((id) => id ?? []);
}

/** Ids of messages by Job, of those that were let go. */
async function batches(site: Site, queue: string): Promise<readonly (readonly string[])[]> {
  const jobs = await site.jobs(queue);
  return jobs.flatMap(({ metadata: { annotations = {} } }) => {
    const notes = JSON.parse(annotations['job-chief/batch'] ?? '[]') as readonly { readonly id: string }[];
    return annotations['job-chief/committed'] === 'true' ? [notes.map(({ id }) => id)] : [];
  });
}

const common = { drain: undefined, timeout: '5m' };

describe.skipIf(noRealPods !== undefined)('batches of messages', () => {
  const site = useSite({ name: 'batches', enforce: 'restricted' }, (opened) => opened.install({ components: ['messages'] }));

  it('give each pod its own message, and settle each by what its pod did', async () => {
    const script = [
      'set -e',
      'number=`tr -dc 0-9 < /job-chief/message`',
      'printf "id=%s\\nnumber=%s\\n" "`cat /job-chief/message-id`" "$number" > "$JOB_CHIEF_OUTPUT"',
      'test "$number" != 2',
    ].join('\n');
    await site().boss.createQueue('parcels-dead', {});
    await site().queue('parcels', { ...common, perBatch: { size: 4, maxWait: '5s', retry: { attempts: 2, delay: '1s' }, deadLetter: { queue: 'parcels-dead' } }, job: shell(script) });
    const ids = await sent(site(), 'parcels', 7);
    await eventually(async () => {
      const found = await rows(site(), 'parcels');
      expect(found.map(({ state }) => state)).toEqual(ids.map(() => 'completed'));
      expect(await rows(site(), 'parcels-dead')).toHaveLength(1);
      const outputs = new Map(found.map(({ id, output }) => [id, output]));
      for (const [number, id] of ids.entries()) if (number !== 2) expect(outputs.get(id)).toEqual({ id, number: String(number) });
    });
    const made = await batches(site(), 'parcels');
    expect(Math.max(...made.map((batch) => batch.length))).toBeLessThanOrEqual(4);
    expect(Object.fromEntries(ids.map((id) => [id, made.filter((batch) => batch.includes(id)).length]))).toEqual(Object.fromEntries(ids.map((id, number) => [id, number === 2 ? 2 : 1])));
  });

  it('go on after kill -9, and no message is in two', async () => {
    await site().queue('crates', { ...common, perBatch: { size: 3, maxWait: '3s' }, job: shell('sleep 15') });
    const ids = await sent(site(), 'crates', 6);
    await eventually(async () => {
      const pods = await site().pods('crates');
      expect(pods.filter(({ status }) => status.containerStatuses?.some(({ state }) => state?.running !== undefined) === true).length).toBeGreaterThan(0);
    });
    await killController(site());
    await eventually(async () => {
      expect((await rows(site(), 'crates')).map(({ state }) => state)).toEqual(ids.map(() => 'completed'));
    });
    expect((await batches(site(), 'crates')).flat().toSorted()).toEqual([...ids].toSorted());
  });
});
