import { describe, expect, it } from 'vitest';
import { readSettings, type ConnectionReading } from '../../../../src/adapters/queues/connection-files.ts';

const base = { host: 'db.example', user: 'reader', password: 'secret', database: 'app' };
const read = (files: Record<string, string>, keys: Record<string, string> = {}): ConnectionReading => readSettings(new Map(Object.entries(files)), keys);
const settings = (files: Record<string, string>, keys: Record<string, string> = {}): unknown => {
  const reading = read(files, keys);
  return reading.kind === 'ready' ? reading.settings : reading.message;
};
const plain = { host: 'db.example', port: 5432, user: 'reader', password: 'secret', database: 'app', schema: undefined, tls: undefined };

describe('settings of a connection', () => {
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

describe('a folder that is no connection', () => {
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
