/** Logs over a real socket: what a kubelet does that a simulation does not. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import { PodLog, type LogItem } from '../../../src/adapters/kubernetes/pod-logs.ts';
import { UndiciTransport } from '../../../src/adapters/kubernetes/undici-transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { FakeClock, until } from '../../support/fake-clock.ts';
import { plainAccess } from './harness.ts';

interface Kubelet extends AsyncDisposable {
  readonly requests: URLSearchParams[];
  readonly responses: ServerResponse[];
  log(clock?: FakeClock): PodLog;
}

async function kubelet(): Promise<Kubelet> {
  const requests: URLSearchParams[] = [];
  const responses: ServerResponse[] = [];
  const server = createServer((request, response) => {
    requests.push(new URL(request.url ?? '', 'http://x').searchParams);
    responses.push(response);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const transport = new UndiciTransport({ access: plainAccess(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), userAgent: 'job-chief/test' });
  return {
    requests,
    responses,
    log(clock) {
      const client = new KubernetesClient({ transport, clock: clock ?? systemClock, namespace: 'test', fieldManager: 'test', limits: 'off' });
      return new PodLog({ client, clock: clock ?? systemClock, pod: 'p', container: 'c' });
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

function reading(log: PodLog): { readonly items: LogItem[]; readonly done: Promise<void>; readonly stop: () => void } {
  const items: LogItem[] = [];
  const stop = new AbortController();
  const done = (async () => {
    for await (const item of log.read({ follow: true, signal: stop.signal })) items.push(item);
  })();
  return { items, done, stop: () => { stop.abort(); } };
}

const line = (n: number, text: string): string => `2026-01-01T00:00:00.00000000${n}Z ${text}\n`;

test('a container that is silent for an hour before its first line is waited for', async () => {
  await using node = await kubelet();
  const clock = new FakeClock();
  const { items, done } = reading(node.log(clock));
  await until(() => node.responses.length === 1, 'the request');
  // Nothing of the answer is sent, not even its head, as a kubelet does it.
  await clock.advance(3_600_000);
  expect([items, node.requests.length]).toEqual([[], 1]);
  node.responses[0]!.end(line(1, 'begin'));
  await done;
  expect(items).toMatchObject([{ text: 'begin' }, { kind: 'over' }]);
});

test('a connection that breaks in the middle of a line is made again, and the line is whole', async () => {
  await using node = await kubelet();
  const { items, done } = reading(node.log());
  await until(() => node.responses.length === 1, 'the request');
  const whole = Buffer.from(line(1, 'one') + line(2, 'zwölf'));
  node.responses[0]!.write(whole.subarray(0, whole.indexOf(0xb6)));
  await until(() => items.length === 1, 'the first line');
  node.responses[0]!.destroy();
  await until(() => node.responses.length === 2, 'another request');
  node.responses[1]!.end(whole);
  await done;
  expect(items.filter(({ kind }) => kind === 'line')).toMatchObject([{ text: 'one' }, { text: 'zwölf' }]);
  expect(node.requests[1]?.get('sinceTime')).toBe('2026-01-01T00:00:00.000000001Z');
});

test('a reader that is slow holds the container back, and nothing piles up', async () => {
  await using node = await kubelet();
  const log = node.log();
  const lines = log.read({ follow: true, signal: new AbortController().signal });
  const first = lines.next();
  await until(() => node.responses.length === 1, 'the request');
  node.responses[0]!.write(line(1, 'x'.repeat(1_000)).repeat(64_000));
  await first;
  // Time for whoever would read on without being asked.
  for (let n = 2; n < 40; n += 1) {
    const other = reading(node.log());
    await until(() => node.responses.length === n, 'another request');
    node.responses[n - 1]!.end();
    await other.done;
  }
  expect(node.responses[0]!.writableLength).toBeGreaterThan(32_000_000);
  await lines.return();
});

test('who stops listening ends the request', async () => {
  await using node = await kubelet();
  const { done, stop } = reading(node.log());
  await until(() => node.responses.length === 1, 'the request');
  stop();
  await done;
  await until(() => node.responses[0]!.closed || node.responses[0]!.destroyed, 'the end of the connection');
});
