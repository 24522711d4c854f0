import { describe, expect, it } from 'vitest';
import { readSettings, type ConnectionReading } from '../../../../src/adapters/queues/connection-files.ts';
import type { ConnectionType } from '../../../../src/spec/connection.ts';

const base = { host: 'db.example', user: 'reader', password: 'secret', database: 'app' };
const readAs = (type: ConnectionType, files: Record<string, string>, keys: Record<string, string> = {}): ConnectionReading => readSettings(new Map(Object.entries(files)), { type, keys });
const settingsAs = (type: ConnectionType, files: Record<string, string>, keys: Record<string, string> = {}): unknown => {
  const reading = readAs(type, files, keys);
  return reading.kind === 'ready' ? reading.settings : reading.message;
};
const read = (files: Record<string, string>): ConnectionReading => readAs('pgBoss', files);
const settings = (files: Record<string, string>, keys: Record<string, string> = {}): unknown => settingsAs('pgBoss', files, keys);
const plain = { type: 'pgBoss', host: 'db.example', port: 5432, user: 'reader', password: 'secret', database: 'app', schema: undefined, tls: undefined };

describe('settings of a connection of pg-boss', () => {
  const rows: [name: string, files: Record<string, string>, expected: object][] = [
    ['have a usual port and no TLS', base, plain],
    ['end before the line end that editors add', { host: 'db.example\n', user: 'reader\r\n', password: 'secret\n', database: ' app ', port: '6432\n' }, { ...plain, port: 6432 }],
    ['keep blanks of a password', { ...base, password: ' se cret \n' }, { ...plain, password: ' se cret ' }],
    ['have other names in Secrets of database operators', { host: 'db.example', username: 'reader', password: 'secret', dbname: 'app', 'jdbc-uri': 'x', pgpass: 'y' }, plain],
    ['name the database like the user by default', { host: 'db.example', user: 'reader' }, { ...plain, password: undefined, database: 'reader' }],
    ['count empty files as missing', { ...base, schema: '\n', port: '' }, plain],
    ['come from a URL', { url: 'postgres://reader:secret@db.example:6432/app?schema=jobs&sslmode=require' }, { ...plain, port: 6432, schema: 'jobs', tls: { mode: 'require', ca: undefined, cert: undefined, key: undefined } }],
    ['are decoded from a URL', { uri: 'postgresql://re%40der:s%2Fcr%20t@[::1]/my%2Fdb\n' }, { ...plain, host: '::1', user: 're@der', password: 's/cr t', database: 'my/db' }],
    ['of single files win over the URL', { url: 'postgres://other:other@db.example/app', user: 'reader', password: 'secret' }, plain],
    ['check the server where an authority is given', { ...base, 'ca.crt': 'CA' }, { ...plain, tls: { mode: 'verify-full', ca: 'CA', cert: undefined, key: undefined } }],
    ['check the authority with require, as libpq does', { ...base, 'ca.crt': 'CA', sslmode: 'require' }, { ...plain, tls: { mode: 'verify-ca', ca: 'CA', cert: undefined, key: undefined } }],
    ['use a client certificate without an authority', { ...base, 'tls.crt': 'C', 'tls.key': 'K' }, { ...plain, tls: { mode: 'require', ca: undefined, cert: 'C', key: 'K' } }],
    ['check with the authorities of the system', { ...base, sslmode: 'verify-full' }, { ...plain, tls: { mode: 'verify-full', ca: undefined, cert: undefined, key: undefined } }],
    ['turn TLS off when told to', { ...base, sslmode: 'disable', 'ca.crt': 'CA' }, plain],
  ];
  it.each(rows)('%s', (_, files, expected) => {
    expect(settings(files)).toEqual(expected);
  });

  it('are found under the names that the operator gives', () => {
    expect(settings({ 'pg-host': 'db.example', 'pg-user': 'reader', 'pg-password': 'secret', dbname: 'app' }, { host: 'pg-host', user: 'pg-user', password: 'pg-password' })).toEqual(plain);
  });

  it('change their digest when a value changes, and only then', () => {
    const of = (files: Record<string, string>): unknown => (read(files) as { digest?: string }).digest;
    expect(of({ ...base, junk: 'x' })).toBe(of(base));
    expect(of({ ...base, password: 'other' })).not.toBe(of(base));
  });

  it('leave files over that mean nothing', () => {
    expect(read({ ...base, passwd: 'x', 'fqdn-uri': 'y' })).toMatchObject({ unknownFiles: ['passwd'] });
  });
});

describe('a folder that is no connection of pg-boss', () => {
  const secret = 'never-shown';
  const rows: [name: string, files: Record<string, string>, message: string][] = [
    ['has no host', { user: 'reader' }, 'the folder has no file `host` and no `url` that names it'],
    ['has no user', { host: 'db' }, 'the folder has no file `user` and no `url` that names it'],
    ['has a port that is none', { ...base, port: secret }, '`port` must be a number from 1 to 65535'],
    ['has a port beyond the last', { ...base, port: '65536' }, '`port` must be a number from 1 to 65535'],
    ['has an unknown way of TLS', { ...base, sslmode: secret }, '`sslmode` must be one of disable, require, verify-ca, verify-full'],
    ['has a certificate without its key', { ...base, 'tls.crt': secret }, '`tls.crt` and `tls.key` belong together: one of them is missing'],
    ['has a URL of something else', { url: `https://u:${secret}@h/d` }, '`url` must look like postgres://USER:PASSWORD@HOST:PORT/DATABASE'],
    ['has a URL that is none', { url: `postgres://u:${secret}@[/d` }, '`url` must look like postgres://USER:PASSWORD@HOST:PORT/DATABASE'],
    ['has a URL with a broken escape', { url: `postgres://u:%zz${secret}@h/d` }, '`url` has a % that is not followed by two hexadecimal digits'],
    ['has an empty URL', { url: '\n' }, 'the folder has no file `host` and no `url` that names it'],
  ];
  it.each(rows)('%s', (_, files, message) => {
    expect(read(files)).toEqual({ kind: 'broken', message });
    expect(message).not.toContain(secret);
  });
});

describe('settings of a connection of RabbitMQ', () => {
  const parts = { host: 'mq.example', user: 'jobs', password: 'secret' };
  const usual = { type: 'amqp', hosts: [{ host: 'mq.example', port: 5672 }], user: 'jobs', password: 'secret', vhost: '/', tls: undefined, heartbeat: 30, consumerTimeout: 1_800_000 };
  const tlsHosts = [{ host: 'mq.example', port: 5671 }];
  const rows: [name: string, files: Record<string, string>, expected: object][] = [
    ['have the usual port, vhost, heartbeat and limit of deliveries', parts, usual],
    ['have several hosts, with ports of their own or the common one', { ...parts, host: 'one, two:5673,[::1]:5674,::2', port: '5675\n' }, { ...usual, hosts: [{ host: 'one', port: 5675 }, { host: 'two', port: 5673 }, { host: '::1', port: 5674 }, { host: '::2', port: 5675 }] }],
    ['come from a URL', { url: 'amqp://jobs:secret@mq.example:5673/orders?heartbeat=10' }, { ...usual, hosts: [{ host: 'mq.example', port: 5673 }], vhost: 'orders', heartbeat: 10 }],
    ['are decoded from a URL', { url: 'amqp://jo%40bs:s%2Fcr%20t@[::1]/%2Forders%2Fnew\n' }, { ...usual, hosts: [{ host: '::1', port: 5672 }], user: 'jo@bs', password: 's/cr t', vhost: '/orders/new' }],
    ['have the default vhost where a URL names none', { url: 'amqp://jobs:secret@mq.example/' }, usual],
    ['use TLS, and its port, where the URL does', { url: 'amqps://jobs:secret@mq.example' }, { ...usual, hosts: tlsHosts, tls: {} }],
    ['of single files win over the URL', { url: 'amqps://other:other@mq.example/other', user: 'jobs', password: 'secret', vhost: '/', tls: 'false' }, usual],
    ['come from the Secret that the operator of RabbitMQ clusters writes', { host: 'mq.example', port: '5672', username: 'jobs', password: 'secret', provider: 'rabbitmq', type: 'rabbitmq', 'default_user.conf': 'x', connection_string: 'amqp://jobs:secret@mq.example:5672/' }, usual],
    ['use certificates that are there', { ...parts, 'ca.crt': 'CA', 'tls.crt': 'C', 'tls.key': 'K' }, { ...usual, hosts: tlsHosts, tls: { ca: 'CA', cert: 'C', key: 'K' } }],
    ['use TLS without certificates when told to', { ...parts, tls: 'true', servername: 'mq.internal' }, { ...usual, hosts: tlsHosts, tls: { servername: 'mq.internal' } }],
    ['turn TLS off when told to', { ...parts, tls: 'false', 'ca.crt': 'CA' }, usual],
    ['take durations', { ...parts, heartbeat: '1m', 'consumer-timeout': '12h' }, { ...usual, heartbeat: 60, consumerTimeout: 43_200_000 }],
    ['know servers that set no limit to deliveries', { ...parts, heartbeat: '0', 'consumer-timeout': '0' }, { ...usual, heartbeat: 0, consumerTimeout: undefined }],
  ];
  it.each(rows)('%s', (_, files, expected) => {
    expect(readAs('amqp', files)).toMatchObject({ settings: expected, unknownFiles: [] });
  });

  it('change their digest with each of them', () => {
    const of = (files: Record<string, string>): unknown => (readAs('amqp', files) as { digest?: string }).digest;
    const all: Record<string, string> = { ...parts, port: '1', vhost: 'v', tls: 'true', servername: 's', 'ca.crt': 'CA', 'tls.crt': 'C', 'tls.key': 'K', heartbeat: '5', 'consumer-timeout': '5m' };
    const changed = Object.keys(all).map((field) => of({ ...all, [field]: field === 'tls' ? 'false' : field === 'consumer-timeout' ? '6m' : '7' }));
    expect(new Set([of(all), ...changed]).size).toBe(Object.keys(all).length + 1);
  });

  const secret = 'never-shown';
  const broken: [name: string, files: Record<string, string>, message: string][] = [
    ['has no host', { user: 'u', password: 'p' }, 'the folder has no file `host` and no `url` that names it'],
    ['has no password', { host: 'h', user: 'u' }, 'the folder has no file `password` and no `url` that names it'],
    ['has a list of no hosts', { ...parts, host: ' , ' }, '`host` names no host'],
    ['has a host that is none', { ...parts, host: `a b${secret}` }, '`host` must be HOST or HOST:PORT, several with commas between them'],
    ['has a host with a port that is none', { ...parts, host: `mq:${secret}` }, '`host` names a port that is no number from 1 to 65535'],
    ['has a port that is none', { ...parts, port: secret }, '`port` must be a number from 1 to 65535'],
    ['has an unknown way of TLS', { ...parts, tls: secret }, '`tls` must be true or false'],
    ['has a key without its certificate', { ...parts, 'tls.key': secret }, '`tls.crt` and `tls.key` belong together: one of them is missing'],
    ['has a heartbeat that is none', { ...parts, heartbeat: secret }, '`heartbeat` must be a duration such as 90s or 30m'],
    ['has a heartbeat beyond what the protocol has', { ...parts, heartbeat: '65536' }, '`heartbeat` must be at most 65535 seconds'],
    ['has a limit of deliveries without a unit', { ...parts, 'consumer-timeout': '1800000' }, '`consumer-timeout` must be a duration such as 90s or 30m'],
    ['has a URL of something else', { url: `postgres://u:${secret}@h/d` }, '`url` must look like amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS'],
    ['has a URL with a broken escape', { url: `amqp://u:${secret}@h/%zz` }, '`url` has a % that is not followed by two hexadecimal digits'],
  ];
  it.each(broken)('are none where the folder %s', (_, files, message) => {
    expect(readAs('amqp', files)).toEqual({ kind: 'broken', message });
    expect(message).not.toContain(secret);
  });
});

describe('settings of a connection of SQS', () => {
  const usual = { type: 'sqs', region: 'eu-central-1', endpoint: undefined, credentials: undefined };
  const key = { 'access-key-id': 'id', 'secret-access-key': 'secret' };
  const rows: [name: string, files: Record<string, string>, expected: object][] = [
    ['leave credentials to the usual chain', { region: 'eu-central-1\n' }, usual],
    ['have an endpoint of their own', { region: 'eu-central-1', endpoint: 'http://sqs.local:4566/' }, { ...usual, endpoint: 'http://sqs.local:4566/' }],
    ['have an access key', { region: 'eu-central-1', ...key }, { ...usual, credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } }],
    ['have a session', { region: 'eu-central-1', ...key, 'session-token': 'token' }, { ...usual, credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' } }],
    ['are found under the names of the environment', { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }, { ...usual, credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } }],
  ];
  it.each(rows)('%s', (_, files, expected) => {
    expect(readAs('sqs', files)).toMatchObject({ settings: expected, unknownFiles: [] });
  });

  const secret = 'never-shown';
  const broken: [name: string, files: Record<string, string>, message: string][] = [
    ['has no region', key, 'the folder has no file `region`'],
    ['has a region that is none', { region: `Never Shown ${secret}` }, '`region` must be the name of a region, such as eu-central-1'],
    ['has half an access key', { region: 'r', 'access-key-id': secret }, '`access-key-id` and `secret-access-key` belong together: one of them is missing'],
    ['has a session without an access key', { region: 'r', 'session-token': secret }, '`session-token` needs `access-key-id` and `secret-access-key` beside it'],
    ['has an endpoint that is none', { region: 'r', endpoint: secret }, '`endpoint` must look like https://HOST:PORT'],
    ['has an endpoint with a password', { region: 'r', endpoint: `https://u:${secret}@host` }, '`endpoint` must look like https://HOST:PORT'],
  ];
  it.each(broken)('are none where the folder %s', (_, files, message) => {
    expect(readAs('sqs', files)).toEqual({ kind: 'broken', message });
    expect(message).not.toContain(secret);
  });

  it('are not those of another type', () => {
    expect(settingsAs('sqs', { region: 'r', host: 'h' })).toMatchObject({ type: 'sqs' });
    expect(readAs('sqs', { region: 'r', host: 'h' })).toMatchObject({ unknownFiles: ['host'] });
  });
});
