/** Settings of a connection to a RabbitMQ, or another server that speaks AMQP 0-9-1. */
import { defaultVhost } from '../../spec/connection.ts';
import { bothOrNone, Broken, durationOf, partsOfUrl, portOf, required, urlOf, type Values } from './folder-values.ts';

/** What is needed to log in to a server, or to one of a cluster. */
export interface AmqpSettings {
  readonly type: 'amqp';
  /** Nodes of one cluster, to be tried in any order. IPv6 addresses without brackets. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** undefined: no TLS. The server is always checked: against `ca`, else against the authorities of the system. */
  readonly tls: AmqpTls | undefined;
  /** Seconds between signs of life; 0: none. */
  readonly heartbeat: number;
  /** The server's consumer_timeout in milliseconds: how long it lets a delivery stay without an acknowledgement; undefined: for ever. */
  readonly consumerTimeout: number | undefined;
}
export interface AmqpTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name in the certificate of the server, where it is not the host. */
  readonly servername?: string;
}

/** As RabbitMQ 3.8.17 and later have it unless they are configured otherwise. */
const usualConsumerTimeout = 1_800_000;
const usualHeartbeat = 30;
/** The protocol has 16 bits for it. */
const longestHeartbeat = 65_535;

/** Single files win over the parts of a URL. Throws Broken. */
export function amqpSettings(files: Values): AmqpSettings {
  const url = files.get('url');
  const values: Values = url === undefined ? files : new Map([...partsOf(url), ...files]);
  const tls = tlsOf(values);
  const timeout = values.get('consumer-timeout');
  const consumerTimeout = timeout === undefined ? usualConsumerTimeout : durationOf(timeout, 'consumer-timeout');
  return {
    type: 'amqp',
    hosts: hostsOf(required(values, 'host'), portOf(values.get('port') ?? (tls ? '5671' : '5672'))),
    user: required(values, 'user'),
    password: required(values, 'password'),
    vhost: values.get('vhost') ?? defaultVhost,
    tls,
    heartbeat: heartbeatOf(values.get('heartbeat')),
    consumerTimeout: consumerTimeout === 0 ? undefined : consumerTimeout,
  };
}

/** `one, two:5673, [::1]:5674`: those without a port of their own have the common one. */
function hostsOf(text: string, port: number): AmqpSettings['hosts'] {
  const hosts = text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');
  if (hosts.length === 0) throw new Broken('`host` names no host');
  return hosts.map((entry) => hostOf(entry, port));
}

function hostOf(entry: string, port: number): { host: string; port: number } {
  const [, bracketed, name, own] = /^(?:\[([^[\]]+)\]|([^:[\]\s]+))(?::(.*))?$/.exec(entry) ?? [];
  const host = bracketed ?? name;
  if (host !== undefined) return { host, port: own === undefined ? port : portOf(own, 'host') };
  if (/^[0-9a-f:.]+$/i.test(entry)) return { host: entry, port };
  throw new Broken('`host` must be HOST or HOST:PORT, several with commas between them');
}

/** Who puts certificates into the folder wants them used. */
function tlsOf(values: Values): AmqpTls | undefined {
  const [ca, cert, key, servername] = [values.get('ca.crt'), values.get('tls.crt'), values.get('tls.key'), values.get('servername')];
  bothOrNone(values, ['tls.crt', 'tls.key']);
  const asked = values.get('tls');
  if (asked !== undefined && asked !== 'true' && asked !== 'false') throw new Broken('`tls` must be true or false');
  if (asked === 'false' || (asked === undefined && ca === undefined && cert === undefined)) return undefined;
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(servername !== undefined && { servername }) };
}

function heartbeatOf(text: string | undefined): number {
  if (text === undefined) return usualHeartbeat;
  const seconds = /^\d+$/.test(text) ? Number(text) : durationOf(text, 'heartbeat') / 1_000;
  if (seconds > longestHeartbeat) throw new Broken(`\`heartbeat\` must be at most ${longestHeartbeat} seconds`);
  return seconds;
}

/** A path that is empty, or a slash alone, stands for the default vhost: most clients take it so. */
function partsOf(text: string): Values {
  const url = urlOf(text, /^amqps?:$/, 'amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS');
  const parts = partsOfUrl(url, (decoded) => ({ vhost: decoded(url.pathname.slice(1)), heartbeat: url.searchParams.get('heartbeat') }));
  return url.protocol === 'amqps:' ? parts.set('tls', 'true') : parts;
}
