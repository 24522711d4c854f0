/** Messages of a real pg-boss on bad days and with all its settings, beyond what every kind of queue must keep. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { Failure, Lease, SettleAnswer, SourceProblem, SourceState, Verdict } from '../../../src/plan/messages/message.ts';
import type { MessageSource } from '../../../src/reconcile/message-ports.ts';
import { grantsFor, messageChain, pgBossPlace, type MessageChain, type PgBossPlace, type QueueOptions } from '../../support/pg-boss-messages.ts';
import { usePostgres } from '../../support/postgres.ts';
import { pgBossSource } from '../../support/sources.ts';
import { startProxy } from '../../support/tcp-proxy.ts';

const postgres = usePostgres();
const failure: Failure = { reason: 'BackoffLimitExceeded', message: 'exit code 3', job: 'work-0123456789', attempt: 2, exitCode: 3 };
const complete: Verdict = { kind: 'complete' };
const fail: Verdict = { kind: 'fail', failure, delay: 0 };
const release: Verdict = { kind: 'release' };

let roles = 0;
interface Scene extends PgBossPlace {
  readonly role: string;
  readonly chain: MessageChain;
  sql(text: string): Promise<Record<string, unknown>[]>;
}

/** A database, a role and a process of its own for each case. */
async function scene(): Promise<Scene> {
  const role = `leaser_${(roles += 1)}`;
  const place = await pgBossPlace(postgres, role);
  const chain = messageChain(postgres, place);
  return {
    ...place,
    role,
    chain,
    sql: (text) => postgres.server.query(text, place.database),
    [Symbol.asyncDispose]: async () => {
      await chain[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** A subscription to `queue`, with what came of it. */
function watch(messages: MessageSource, queue: string, schema?: string) {
  const source = pgBossSource(queue, { schema });
  const [leases, losses, states] = [[] as Lease[], [] as string[], [] as SourceState[]];
  const subscription = messages.subscribe(source, {
    leased: (lease) => leases.push(lease),
    lost: (token) => losses.push(token),
    state: (state) => states.push(state),
  });
  const until = (claim: () => unknown): Promise<void> => vi.waitFor(async () => { await claim(); }, { timeout: 20_000, interval: 5 });
  return {
    ...subscription,
    leases,
    losses,
    states,
    until,
    settle: ({ id, receipt, token }: Pick<Lease, 'id' | 'receipt'> & { token: string | undefined }, verdict: Verdict): Promise<SettleAnswer> => messages.settle(source, { id, token, receipt }, verdict),
    lease: async (count = 1): Promise<Lease> => {
      const before = leases.length;
      subscription.credit(before + count);
      await until(() => expect(leases.length).toBe(before + count));
      const lease = leases.at(-1);
      if (!lease) throw new Error('no lease came');
      return lease;
    },
    closed: (reason: SourceProblem, message: RegExp) => until(() => {
      const last = states.at(-1);
      expect([last?.kind, last?.kind === 'closed' && last.reason, last?.kind === 'closed' && message.test(last.message)]).toEqual(['closed', reason, true]);
    }),
    state: (expected: object) => until(() => expect(states.at(-1)).toMatchObject(expected)),
  };
}

async function prepared(options: QueueOptions = {}) {
  const place = await scene();
  await place.boss.createQueue('work', { retryLimit: 5, retryDelay: 0, ...options });
  return { ...place, work: watch(place.chain.messages, 'work') };
}

describe('the source of a pg-boss queue', () => {
  it('tells how long a lease lasts, and when that changes with the next opening', async () => {
    await using place = await prepared({ expireInSeconds: 120 });
    await place.work.state({ kind: 'open', leaseLimit: 120_000, strict: true, limitName: 'expireInSeconds of queue "work"' });
    await place.boss.updateQueue('work', { expireInSeconds: 60 });
    const later = watch(place.chain.messages, 'work');
    await later.state({ leaseLimit: 60_000 });
  });

  it('is closed while the schema is of another version, and says which; nothing is migrated', async () => {
    await using place = await scene();
    await place.sql('UPDATE pgboss.version SET version = 42');
    const work = watch(place.chain.messages, 'work');
    await work.closed('QueueRefused', /schema pgboss is of version 42; .* speaks version 43/);
    expect(await work.settle({ id: '8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', token: undefined, receipt: {} }, complete)).toMatchObject({ kind: 'failed' });
    expect(await place.sql('SELECT version FROM pgboss.version')).toEqual([{ version: 42 }]);
    await place.sql('UPDATE pgboss.version SET version = 43');
    await place.boss.createQueue('work');
    await work.state({ kind: 'open' });
  });

  it('is closed where there is no pg-boss', async () => {
    await using place = await scene();
    const work = watch(place.chain.messages, 'work', 'nowhere');
    await work.state({ kind: 'closed', reason: 'QueueNotFound' });
  });

  it.each(['other', 'MixedCase'])('leases from the schema %s', async (schema) => {
    await using place = await scene();
    const quoted = `"${schema}"`;
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({ connectionString: postgres.server.urlOf(place.database), schema: schema === 'other' ? schema : quoted, supervise: false, schedule: false });
    boss.on('error', () => undefined);
    await boss.start();
    await place.sql(grantsFor(place.role, quoted));
    await boss.createQueue('work', { notify: true });
    const work = watch(place.chain.messages, 'work', schema);
    const id = await boss.send('work', { n: 1 });
    expect((await work.lease()).id).toBe(id);
    expect(await work.settle(work.leases[0]!, complete)).toEqual({ kind: 'done' });
    await boss.stop({ graceful: false });
  });

  it('goes on with a password that was replaced', async () => {
    await using place = await prepared();
    await place.boss.send('work', {});
    const lease = await place.work.lease();
    await postgres.server.query(`ALTER ROLE ${place.role} PASSWORD 'next-secret'`);
    place.chain.write({ password: 'next-secret' });
    await postgres.server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${place.role}'`);
    await place.work.until(async () => expect(await place.work.settle(lease, complete)).toEqual({ kind: 'done' }));
    await place.boss.send('work', {});
    await place.work.lease();
    expect(place.chain.lines.join('\n')).not.toContain('next-secret');
  });

  it('is closed without a right, names it, and opens when it is granted', async () => {
    await using place = await prepared();
    await place.work.state({ kind: 'open' });
    await place.sql(`REVOKE UPDATE ON pgboss.job_common FROM ${place.role}`);
    const id = await place.boss.send('work', {});
    place.work.credit(1);
    await place.work.closed('QueueForbidden', new RegExp(`GRANT SELECT, INSERT, UPDATE, DELETE ON pgboss.job_common TO ${place.role};`));
    await place.sql(`GRANT UPDATE ON pgboss.job_common TO ${place.role}`);
    await place.work.until(() => expect(place.work.leases.map((lease) => lease.id)).toEqual([id]));
  });

  it('finds its queue again after it was deleted and made with a table of its own', async () => {
    await using place = await prepared();
    await place.work.state({ kind: 'open' });
    await place.boss.deleteQueue('work');
    await place.boss.createQueue('work', { partition: true });
    await place.sql(`DO $$ BEGIN EXECUTE (SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON pgboss.%I TO ${place.role}', table_name) FROM pgboss.queue WHERE name = 'work'); END $$`);
    const id = await place.boss.send('work', {});
    // A new subscription looks at once; one that is open does within half a minute.
    const later = watch(place.chain.messages, 'work');
    expect((await later.lease()).id).toBe(id);
  });
});

describe('the documented rights', () => {
  it('are on the page, word for word', () => {
    expect(readFileSync('docs/messages-pg-boss.md', 'utf8')).toContain(grantsFor('job_chief'));
  });

  const needed = ['SELECT ON pgboss.version', 'SELECT ON pgboss.queue', ...['job', 'job_common'].flatMap((table) => ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].filter((right) => table !== 'job' || right !== 'DELETE').map((right) => `${right} ON pgboss.${table}`)), 'USAGE ON SCHEMA pgboss'];
  it('are enough, and each of them is needed', async () => {
    await using place = await scene();
    await place.boss.createQueue('dead');
    /** Everything that is done with messages; what went wrong. */
    const all = async (queue: string): Promise<string[]> => {
      await place.boss.createQueue(queue, { retryLimit: 0, deadLetter: 'dead' });
      await Promise.all([1, 2, 3].map((n) => place.boss.send(queue, { n })));
      await using chain = messageChain(postgres, place);
      const work = watch(chain.messages, queue);
      work.credit(3);
      await work.until(() => expect(work.leases.length === 3 || work.states.at(-1)?.kind === 'closed').toBe(true));
      if (work.leases.length < 3) return ['leasing'];
      const [first, second, third] = work.leases;
      const answers = [
        await work.settle(first!, release),
        await chain.messages.deadLetter(pgBossSource(queue), { queue: 'dead' }, { message: second!.message!, failure }),
        await work.settle(second!, complete),
        await work.settle(third!, fail),
      ];
      return answers.filter(({ kind }) => kind !== 'done').map((answer) => ('message' in answer ? answer.message : answer.kind));
    };
    expect(await all('with-all')).toEqual([]);
    const unneeded: string[] = [];
    for (const [index, right] of needed.entries()) {
      await place.sql(`REVOKE ${right} FROM ${place.role}`);
      if ((await all(`without-${index}`)).length === 0) unneeded.push(right);
      await place.sql(`GRANT ${right} TO ${place.role}`);
    }
    expect(unneeded).toEqual([]);
  });
});

describe('what the queue keeps', () => {
  it('is the output of a success, whatever is in it', async () => {
    await using place = await prepared();
    const id = await place.boss.send('work', {});
    expect(await place.work.settle(await place.work.lease(), { kind: 'complete', output: { rows: 3, text: 'a\0b\uD83D', list: [1, null] } })).toEqual({ kind: 'done' });
    const [job] = await place.boss.findJobs('work', { id: id ?? '' });
    expect(job).toMatchObject({ state: 'completed', output: { rows: 3, text: 'a\uFFFDb\uFFFD', list: [1, null] } });
  });

  it('is why a message failed, at its next try and when there are no more', async () => {
    await using place = await prepared({ retryLimit: 1, retryDelay: 0 });
    const id = await place.boss.send('work', {});
    expect(await place.work.settle(await place.work.lease(), fail)).toEqual({ kind: 'done' });
    const [retried] = await place.boss.findJobs('work', { id: id ?? '' });
    expect(retried).toMatchObject({ state: 'retry', output: failure });
    const again = await place.work.lease();
    expect(again).toMatchObject({ id, delivery: 2 });
    expect(await place.work.settle(again, fail)).toEqual({ kind: 'done' });
    const [failed] = await place.boss.findJobs('work', { id: id ?? '' });
    expect(failed).toMatchObject({ state: 'failed', output: failure });
    expect(await place.work.settle(again, complete)).toMatchObject({ kind: 'lost' });
  });

  it('is not touched by numbers that JavaScript cannot hold', async () => {
    await using place = await prepared();
    await place.sql(`INSERT INTO pgboss.job (name, data) VALUES ('work', '{"id": 12345678901234567890, "price": 1.10}')`);
    const { message } = await place.work.lease();
    expect(new TextDecoder().decode(message?.body)).toBe('{"id":12345678901234567890,"price":1.10}');
    const target = 'dead';
    await place.boss.createQueue(target);
    expect(await place.chain.messages.deadLetter(pgBossSource('work'), { queue: target }, { message: message!, failure })).toEqual({ kind: 'done' });
    expect(await place.sql(`SELECT data::text FROM pgboss.job WHERE name = 'dead'`)).toEqual([{ data: '{"id": 12345678901234567890, "price": 1.10}' }]);
  });

  it('of a job without data is null', async () => {
    await using place = await prepared();
    await place.boss.send('work');
    expect(new TextDecoder().decode((await place.work.lease()).message?.body)).toBe('null');
  });

  it('of a dead message says where it came from, so that pg-boss can redrive it', async () => {
    await using place = await prepared();
    await place.boss.createQueue('dead', { notify: true });
    const id = await place.boss.send('work', { n: 1 }, { priority: 7 });
    const lease = await place.work.lease();
    const dead = watch(place.chain.messages, 'dead');
    await place.chain.messages.deadLetter(pgBossSource('work'), { queue: 'dead' }, { message: lease.message!, failure });
    await place.work.settle(lease, complete);
    const [copy] = await place.boss.findJobs('dead');
    expect(copy).toMatchObject({ state: 'created', data: { n: 1 }, priority: 7, sourceName: 'work', sourceId: id, sourceOutput: failure });
    expect((await dead.lease()).id).toBe(copy?.id);
    expect(await dead.settle(dead.leases[0]!, release)).toEqual({ kind: 'done' });
    await dead.close();
    await place.boss.redrive('dead');
    const driven = await place.work.lease();
    expect(driven.id).not.toBe(id);
    expect(new TextDecoder().decode(driven.message?.body)).toBe('{"n":1}');
  });

  it('has the death of a message anew when it dies again of another Job', async () => {
    await using place = await prepared();
    await place.boss.createQueue('dead');
    await place.boss.send('work', {});
    const { message } = await place.work.lease();
    const die = (job: string): Promise<SettleAnswer> => place.chain.messages.deadLetter(pgBossSource('work'), { queue: 'dead' }, { message: message!, failure: { ...failure, job } });
    expect([await die('work-1'), await die('work-1'), await die('work-2')]).toEqual([{ kind: 'done' }, { kind: 'already' }, { kind: 'done' }]);
  });
});

describe('a delivery that is another one by now', () => {
  it('is not settled after the job expired and was fetched again', async () => {
    await using place = await prepared();
    await place.boss.send('work', {});
    const old = await place.work.lease();
    await place.sql(`UPDATE pgboss.job SET expire_seconds = 0 WHERE name = 'work'`);
    await place.boss.supervise('work');
    const [other] = await place.boss.fetch('work');
    expect(other).toMatchObject({ id: old.id, retryCount: 1 });
    for (const verdict of [complete, fail, release]) expect(await place.work.settle({ ...old, token: undefined }, verdict)).toMatchObject({ kind: 'lost' });
    expect(await place.work.settle(old, complete)).toMatchObject({ kind: 'lost' });
    expect(await place.sql(`SELECT state, retry_count FROM pgboss.job WHERE name = 'work'`)).toEqual([{ state: 'active', retry_count: 1 }]);
  });

  it('is not settled after it was put back and fetched again, though the library counts no retry', async () => {
    await using place = await prepared();
    await place.boss.send('work', {});
    const old = await place.work.lease();
    expect(await place.work.settle(old, release)).toEqual({ kind: 'done' });
    const [other] = await place.boss.fetch('work');
    expect(other).toMatchObject({ id: old.id, retryCount: 0 });
    for (const token of [undefined, old.token]) for (const verdict of [complete, fail, release]) expect(await place.work.settle({ ...old, token }, verdict)).toMatchObject({ kind: 'lost' });
    place.work.adopt(old.id, old.receipt);
    await place.boss.complete('work', other!.id);
    expect(await place.work.settle({ ...old, token: undefined }, complete)).toEqual({ kind: 'already' });
    const id = await place.boss.send('work', {});
    expect((await place.work.lease()).id).toBe(id);
  });

  it('is settled once, by whoever comes first', async () => {
    await using place = await prepared();
    await place.boss.send('work', {});
    const lease = await place.work.lease();
    const answers = await Promise.all([place.work.settle(lease, complete), place.work.settle(lease, fail), place.work.settle({ ...lease, token: undefined }, release)]);
    expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    expect(answers.map(({ kind }) => kind)).not.toContain('failed');
  });
});

describe('putting back', () => {
  it.each(['standard', 'short', 'singleton', 'stately', 'exclusive', 'key_strict_fifo'] as const)('counts for nothing in a queue of policy %s, also when another has come meanwhile', async (policy) => {
    await using place = await prepared({ policy });
    const options = policy === 'key_strict_fifo' ? { singletonKey: 'k' } : {};
    const id = await place.boss.send('work', { n: 1 }, options);
    const lease = await place.work.lease();
    await place.boss.send('work', { n: 2 }, options);
    expect(await place.work.settle(lease, release)).toEqual({ kind: 'done' });
    const again = await place.work.lease();
    const first = again.id === id ? again : await place.work.lease();
    expect(first).toMatchObject({ id, delivery: 1 });
  });

  it('of many happens at once when the process closes', async () => {
    await using place = await prepared();
    await Promise.all(Array.from({ length: 250 }, (_, n) => place.boss.send('work', { n })));
    await place.work.lease(250);
    await place.chain.messages.close();
    expect(await place.sql(`SELECT state, retry_count, count(*)::int AS jobs FROM pgboss.job WHERE name = 'work' GROUP BY 1, 2`)).toEqual([{ state: 'retry', retry_count: 0, jobs: 250 }]);
  });
});

describe('a network that is cut', () => {
  it('holds up neither answers nor the end for long', async () => {
    await using place = await prepared();
    await using proxy = await startProxy(postgres.server.port);
    await using chain = messageChain(postgres, place);
    chain.write({ port: String(proxy.port) });
    const work = watch(chain.messages, 'work');
    await place.boss.send('work', {});
    const lease = await work.lease();
    proxy.freeze();
    expect(await work.settle(lease, complete)).toMatchObject({ kind: 'failed' });
    await chain.messages.close();
    expect(work.losses).toEqual([]);
    proxy.thaw();
  });
});

describe('leases', () => {
  it('go on to come while thousands of messages are settled at once', async () => {
    await using place = await prepared();
    await place.boss.insert('work', Array.from({ length: 3_000 }, (_, n) => ({ data: { n } })));
    await place.work.lease(3_000);
    const answers = Promise.all(place.work.leases.map((lease) => place.work.settle(lease, complete)));
    const order: string[] = [];
    void answers.then(() => order.push('settled'));
    await place.boss.send('work', {});
    await place.work.lease();
    order.push('leased');
    expect(new Set((await answers).map(({ kind }) => kind))).toEqual(new Set(['done']));
    await vi.waitFor(() => expect(order).toEqual(['leased', 'settled']));
  });

  it('of a queue with a heartbeat are touched, until they are abandoned', async () => {
    await using place = await prepared({ heartbeatSeconds: 10 });
    await Promise.all([place.boss.send('work', {}), place.boss.send('work', {})]);
    await place.work.lease(2);
    const [left, kept] = place.work.leases;
    place.work.abandon(left!.token);
    const beats = (): Promise<Record<string, unknown>[]> => place.sql(`SELECT id, heartbeat_on > started_on AS touched FROM pgboss.job WHERE name = 'work' ORDER BY id = '${kept!.id}'`);
    await place.work.until(async () => expect(await beats()).toEqual([{ id: left!.id, touched: false }, { id: kept!.id, touched: true }]));
    expect(place.work.losses).toEqual([]);
  });

  it('that somebody else settled are lost', async () => {
    await using place = await prepared();
    await place.boss.send('work', {});
    const lease = await place.work.lease();
    await place.boss.cancel('work', lease.id);
    await place.work.until(() => expect(place.work.losses).toEqual([lease.token]));
  });

  it('that were settled are no loss, however late the answer comes', async () => {
    await using place = await prepared();
    await Promise.all(Array.from({ length: 60 }, () => place.boss.send('work', {})));
    await place.work.lease(60);
    await Promise.all(place.work.leases.map((lease) => place.work.settle(lease, complete)));
    await place.work.close();
    expect(place.work.losses).toEqual([]);
  });
});
