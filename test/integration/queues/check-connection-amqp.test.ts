/** `job-chief check connection` of a RabbitMQ: what works, what is missing, and that no secret is printed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCheckConnection } from '../../../src/cli/check-connection.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { connectionFolder } from '../../support/postgres.ts';
import { amqpFiles, makeQueue, publish, useRabbitMq } from '../../support/rabbitmq.ts';

const rabbit = useRabbitMq({ tls: true });

async function check(files: Record<string, string>, queue?: string): Promise<{ code: number; out: string }> {
  using folder = connectionFolder(files);
  const config = join(folder.folder, '.config.yaml');
  writeFileSync(config, `connections: {main: {type: amqp, folder: ${folder.folder}}}\n`);
  const out: string[] = [];
  const print = (line: string): void => void out.push(line);
  const code = await runCheckConnection({ name: 'main', output: 'text', schema: undefined, queue, config }, { env: {}, clock: systemClock, out: print, err: print });
  expect(out.join('\n')).not.toContain(files['password']);
  return { code, out: out.join('\n') };
}

/** Step and result of each line. */
function results({ out }: { out: string }): string[] {
  return out.split('\n').flatMap((line) => /^(\w+) +(ok|warning|failed|skipped)\b/.exec(line)?.slice(1, 3).join(' ') ?? []);
}

describe('check connection of a RabbitMQ', () => {
  it('says that all is well, and what waits in a queue', async () => {
    await makeQueue(rabbit.client(), 'work', 'classic');
    await publish(rabbit.client(), 'work', [{ body: Buffer.from('{}') }]);
    const report = await check({ ...amqpFiles(rabbit.server), host: 'localhost' }, 'work');
    expect(results(report)).toEqual(['folder ok', 'dns ok', 'tcp ok', 'tls skipped', 'login ok', 'vhost ok', 'queue ok']);
    expect(report).toMatchObject({ code: 0, out: expect.stringContaining('queue work has 1 messages that wait, and 0 consumers') as string });
  });

  it('looks at certificates', async () => {
    const { certificates, tlsPort } = rabbit.server;
    const client = certificates?.client('checker');
    const files = amqpFiles(rabbit.server, { port: String(tlsPort), 'ca.crt': certificates?.ca ?? '', 'tls.crt': client?.cert ?? '', 'tls.key': client?.key ?? '' });
    const report = await check(files);
    expect(results(report)).toEqual(['folder ok', 'dns skipped', 'tcp ok', 'tls ok', 'login ok', 'vhost ok', 'queue skipped']);
    expect(report.out).toContain('with a client certificate');
  });

  it('warns about a node of a cluster that is away', async () => {
    const report = await check(amqpFiles(rabbit.server, { host: `127.0.0.1:1,127.0.0.1:${rabbit.server.port}` }));
    expect(report.code).toBe(0);
    expect(results(report)).toContain('tcp warning');
    expect(report.out).toContain('127.0.0.1:1 refuses connections');
  });

  it('stops at the first step that fails, and says what would help', async () => {
    const files = amqpFiles(rabbit.server);
    const password = await rabbit.server.addUser('outsider');
    const rows: [files: Record<string, string>, last: string, text: string][] = [
      [{ ...files, port: 'x' }, 'folder failed', '`port` must be a number'],
      [{ ...files, host: 'absent.invalid' }, 'dns failed', 'absent.invalid'],
      [{ ...files, port: '1' }, 'tcp failed', '127.0.0.1:1 refuses connections'],
      [{ ...files, tls: 'true' }, 'tls failed', '127.0.0.1'],
      [{ ...files, password: 'wrong-password' }, 'login failed', 'Login was refused'],
      [{ ...files, vhost: 'nowhere' }, 'vhost failed', "vhost nowhere not found"],
      [{ ...files, user: 'outsider', password }, 'vhost failed', "rabbitmqctl set_permissions -p / outsider '^$' '^$' '.*'"],
    ];
    for (const [changed, last, text] of rows) {
      const report = await check(changed);
      expect([report.code, results(report).at(-1)]).toEqual([1, last]);
      expect(report.out).toContain(text);
    }
    expect(results(await check(files, 'absent')).at(-1)).toBe('queue failed');
  });
});
