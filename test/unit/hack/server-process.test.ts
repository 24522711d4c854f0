import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../../../hack/dev/server-process.ts';

/** A server of shell, gone with the test. */
function server(script: string, changes: Partial<ConstructorParameters<typeof ServerProcess>[0]> = {}): ServerProcess {
  const launch = () => spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const made = new ServerProcess({ name: 'the server', launch, readyLine: 'ready to serve', startWithin: 20_000, onLog: undefined, ...changes });
  onTestFinished(() => made.stop(0));
  return made;
}

/** Reads its input, which never ends, until it is told to stop. */
const serve = 'exec tail -f /dev/null';

it('is started when it says so, in whichever stream, and every line is told', async () => {
  const lines: string[] = [];
  const one = server(`echo first; echo 'now ready to serve' >&2; ${serve}`, { onLog: (line) => lines.push(line) });
  await one.start();
  expect(lines).toContain('now ready to serve');
  expect(one.pid).toBeGreaterThan(0);
});

it('starts again after it was stopped, as another process', async () => {
  const one = server(`echo ready to serve; ${serve}`);
  await one.start();
  const first = one.pid;
  await one.stop(20_000);
  expect(one.pid).toBeUndefined();
  await one.start();
  expect(one.pid).not.toBe(first);
});

it('is not started twice', async () => {
  const one = server(`echo ready to serve; ${serve}`);
  await one.start();
  const first = one.pid;
  await one.start();
  expect(one.pid).toBe(first);
});

it('says what it logged when it ends before it is ready', async () => {
  const one = server('echo the disk is full >&2; exit 3', {});
  await expect(one.start()).rejects.toThrow(/the server ended with code 3.*the disk is full/s);
  expect(one.pid).toBeUndefined();
});

it('is ended when it does not become ready in time', async () => {
  const one = server(`echo thinking; ${serve}`, { startWithin: 300 });
  await expect(one.start()).rejects.toThrow(/did not start within 0\.3 s/);
});

it('is made to end where it does not listen', async () => {
  const one = server(`trap '' TERM; echo ready to serve; while :; do sleep 1; done`);
  await one.start();
  await one.stop(100);
  expect(one.pid).toBeUndefined();
});
