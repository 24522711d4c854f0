/**
 * The simulated API server on a real socket, for programs that run in processes of their own. Virtual time goes on with
 * real time, so many times as fast.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiRequest, Transport } from '../../src/adapters/kubernetes/transport.ts';
import type { Json } from '../../src/lib/json.ts';
import type { Simulation } from './simulation.ts';

export interface ApiBridge {
  /** A kubeconfig, as text. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** Opens the bridge, and lets the world run until it is closed. */
export async function openBridge(world: Simulation, speed = 20): Promise<ApiBridge> {
  const { transport } = world.process(() => undefined);
  const server = createServer((request, response) => {
    exchange(transport, request, response).catch(() => { response.destroy(); });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = runAlong(world, speed);
  return {
    kubeconfig: kubeconfigFor((server.address() as AddressInfo).port, world.cluster.namespace),
    close: async () => {
      await stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets virtual time go on with real time, so many times as fast; what it gives ends that. */
export function runAlong(world: Simulation, speed = 20): () => Promise<void> {
  let open = true;
  const run = async (): Promise<void> => {
    for (let last = performance.now(); open;) {
      await pause(2);
      const now = performance.now();
      await world.clock.runFor((now - last) * speed);
      last = now;
    }
  };
  const running = run();
  return async () => {
    open = false;
    await running;
  };
}

async function exchange(transport: Transport, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const body = await text(incoming);
  const contentType = incoming.headers['content-type'];
  const request: ApiRequest = {
    method: incoming.method as ApiRequest['method'],
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers.accept === undefined ? {} : { accept: incoming.headers.accept },
    ...(body === '' ? {} : { body: JSON.parse(body) as Json }),
    ...(contentType === undefined ? {} : { contentType }),
  };
  if (url.searchParams.has('watch')) {
    const stream = await transport.stream(request);
    response.on('close', () => { stream.close(); });
    response.writeHead(stream.status, { 'content-type': 'application/json' }).flushHeaders();
    for await (const line of stream.lines) response.write(`${JSON.stringify(line)}\n`);
    response.end();
    return;
  }
  const answer = await transport.request(request);
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
}

function kubeconfigFor(port: number, namespace: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'simulated', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'anybody', user: {} }],
    contexts: [{ name: 'simulated', context: { cluster: 'simulated', user: 'anybody', namespace } }],
    'current-context': 'simulated',
  });
}
