/** How every connection with a RabbitMQ is opened. Only here are settings turned into what the client takes. */
import { Connection, type ConnectionOptions } from 'rabbitmq-client';
import { isObject } from '../../../lib/json.ts';
import type { AmqpSettings, AmqpTls } from '../amqp-settings.ts';

export interface ConnectionWish {
  readonly settings: AmqpSettings;
  readonly host: { readonly host: string; readonly port: number };
  readonly vhost: string;
  /** What it is for; people see it beside the connection in RabbitMQ's own tools. */
  readonly purpose: string;
  /** Given up when it aborts. */
  readonly signal: AbortSignal;
}

/** Milliseconds until a server must have let us in. */
const connectTimeout = 5_000;
/** RabbitMQ's own default. Properties of a message must fit into one frame. */
const usualFrameMax = 131_072;

/**
 * Opens a connection, or rejects with what the client or the server said. It does not come back by itself when it is
 * lost: whoever opened it asks again, perhaps with other credentials. Loss is its event `error`, once.
 */
export async function connect(wish: ConnectionWish): Promise<Connection> {
  const connection = await attempt(wish, usualFrameMax);
  const frameMax = agreedFrameMax(connection);
  if (frameMax === undefined || frameMax >= usualFrameMax) return connection;
  // The client reckons with what it was told and not with what was agreed: large bodies would come in pieces.
  connection.unsafeDestroy();
  return attempt(wish, frameMax);
}

function attempt({ settings, host, vhost, purpose, signal }: ConnectionWish, frameMax: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(aborted());
      return;
    }
    const connection = new Connection({ ...clientOptions(settings), hostname: host.host, port: host.port, vhost, connectionName: `job-chief ${purpose}`, frameMax });
    const stop = (): void => {
      connection.unsafeDestroy();
      reject(aborted());
    };
    signal.addEventListener('abort', stop, { once: true });
    connection.once('connection', () => {
      signal.removeEventListener('abort', stop);
      resolve(connection);
    });
    connection.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      // Before its timer runs, which would connect again.
      connection.unsafeDestroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

function aborted(): Error {
  return new Error('nobody wants the connection any more');
}

function clientOptions({ user, password, heartbeat, tls }: AmqpSettings): ConnectionOptions {
  return {
    username: user,
    password,
    heartbeat,
    connectionTimeout: connectTimeout,
    acquireTimeout: connectTimeout,
    noDelay: true,
    ...(tls !== undefined && { tls: tlsOptions(tls) }),
  };
}

/** For the client, and for whoever looks at the certificates. */
export function tlsOptions({ ca, cert, key, servername }: AmqpTls): Exclude<ConnectionOptions['tls'], boolean | undefined> {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
  };
}

/** What server and client agreed on, which the client keeps to itself; undefined: it keeps it elsewhere by now. */
function agreedFrameMax(connection: Connection): number | undefined {
  const state: unknown = Reflect.get(connection, '_state');
  const frameMax: unknown = isObject(state) ? state['frameMax'] : undefined;
  return typeof frameMax === 'number' ? frameMax : undefined;
}
