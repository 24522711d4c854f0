/** A TCP proxy in front of a server, which can freeze like a cut network and look into the first bytes. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** From now on no byte passes in either direction, and no connection is closed. */
  freeze(): void;
  thaw(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `greet` may answer a client's first bytes itself: then the client is cut off after the answer. */
export async function startProxy(targetPort: number, greet: (first: Buffer) => Buffer | undefined = () => undefined, host = '127.0.0.1'): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined).on('close', () => sockets.delete(client));
    if (frozen) {
      client.pause();
      return;
    }
    client.once('data', (first) => {
      const answer = greet(first);
      if (answer) {
        client.end(answer);
        return;
      }
      const target = connect(targetPort, '127.0.0.1');
      sockets.add(target);
      target.on('error', () => client.destroy()).on('close', () => {
        sockets.delete(target);
        client.destroy();
      });
      client.on('close', () => target.destroy());
      target.write(first);
      client.pipe(target);
      target.pipe(client);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const each = (change: (socket: Socket) => void): void => sockets.forEach(change);
  return {
    port: address.port,
    freeze: () => {
      frozen = true;
      each((socket) => {
        socket.unpipe();
        socket.pause();
      });
    },
    thaw: () => {
      frozen = false;
      // What was under way stays lost: a network that comes back finds other connections.
      each((socket) => socket.destroy());
    },
    [Symbol.asyncDispose]: async () => {
      each((socket) => socket.destroy());
      await new Promise((closed) => server.close(closed));
    },
  };
}
