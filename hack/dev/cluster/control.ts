import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from './progress.ts';

/** What tests ask of a running supervisor. On loopback, with a token that only its owner can read. */
export interface Control {
  stopApiServer: () => Promise<void>;
  startApiServer: () => Promise<void>;
  stop: () => void;
}

export async function serveControl(control: Control): Promise<{ port: number; token: string }> {
  const token = randomBytes(24).toString('base64url');
  const actions: Record<string, () => Promise<void>> = {
    '/api-server/stop': control.stopApiServer,
    '/api-server/start': control.startApiServer,
    '/stop': () => {
      control.stop();
      return Promise.resolve();
    },
  };
  const server = createServer((request, response) => {
    const action = actions[request.url ?? ''];
    if (request.method !== 'POST' || request.headers.authorization !== `Bearer ${token}` || action === undefined) {
      response.writeHead(404).end();
      return;
    }
    action().then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(500).end(messageOf(error)),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, token };
}

export async function askControl(at: { port: number; token: string }, action: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${at.port}${action}`, { method: 'POST', headers: { authorization: `Bearer ${at.token}` } });
  if (!answer.ok) throw new Error(`${action}: ${answer.status} ${await answer.text()}`);
}
