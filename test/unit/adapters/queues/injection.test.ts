import { describe, expect, it } from 'vitest';
import { injectionFor } from '../../../../src/adapters/queues/injection.ts';
import { injectionOf, type ConnectionDefinition, type ConnectionField } from '../../../../src/spec/connection.ts';
import { pgBossSource } from '../../../support/sources.ts';

const definition: ConnectionDefinition = { type: 'pgBoss', folder: '/c', secretName: 'main-db', injectable: true, keys: {} };
const files = (...names: ConnectionField[]): ReadonlyMap<ConnectionField, string> => new Map(names.map((name) => [name, name]));
const fromSecret = (name: string, key: string, more: object = {}): object => ({ name, valueFrom: { secretKeyRef: { name: 'main-db', key, ...more } } });
const schema = { name: 'DB_SCHEMA', value: 'pgboss' };

describe('a connection for workers', () => {
  it('comes from the Secret, as far as the folder has it', () => {
    expect(injectionFor(definition, files('host', 'user', 'password'))).toEqual({
      env: [fromSecret('DB_HOST', 'host'), fromSecret('DB_USERNAME', 'user'), fromSecret('DB_PASSWORD', 'password'), schema],
      volumes: [],
      volumeMounts: [],
    });
  });

  it('uses the keys that the Secret has', () => {
    const found = new Map<ConnectionField, string>([['host', 'host'], ['user', 'username'], ['password', 'password'], ['schema', 'schema']]);
    expect(injectionFor({ ...definition, keys: { password: 'pw', port: 'pg-port' } }, found).env).toEqual([
      fromSecret('DB_HOST', 'host'),
      fromSecret('DB_USERNAME', 'username'),
      fromSecret('DB_PASSWORD', 'pw'),
      fromSecret('DB_SCHEMA', 'schema'),
    ]);
  });

  it('is a URL where the Secret holds one', () => {
    expect(injectionFor(definition, files('url')).env).toEqual([fromSecret('DB_URL', 'url'), schema]);
  });

  it('mounts certificates read-only, for the pod group alone', () => {
    expect(injectionFor({ ...definition, keys: { 'ca.crt': 'root.pem' } }, files('host', 'ca.crt', 'tls.crt', 'tls.key'))).toEqual({
      env: [
        fromSecret('DB_HOST', 'host'),
        schema,
        { name: 'DB_ENABLE_SSL_AUTH', value: 'true' },
        { name: 'DB_CA_PATH', value: '/job-chief/connection/ca.crt' },
        { name: 'DB_CERT_PATH', value: '/job-chief/connection/tls.crt' },
        { name: 'DB_KEY_PATH', value: '/job-chief/connection/tls.key' },
      ],
      volumes: [
        {
          name: 'job-chief-connection',
          secret: {
            secretName: 'main-db',
            defaultMode: 288,
            items: [
              { key: 'root.pem', path: 'ca.crt' },
              { key: 'tls.crt', path: 'tls.crt' },
              { key: 'tls.key', path: 'tls.key' },
            ],
          },
        },
      ],
      volumeMounts: [{ name: 'job-chief-connection', mountPath: '/job-chief/connection', readOnly: true }],
    });
  });

  it('says nothing of a client certificate where there is only an authority', () => {
    expect(injectionFor(definition, files('host', 'ca.crt')).env).toEqual([fromSecret('DB_HOST', 'host'), schema, { name: 'DB_CA_PATH', value: '/job-chief/connection/ca.crt' }]);
  });

  it('is optional in every value while the folder cannot be read', () => {
    const optional = { optional: true };
    expect(injectionFor({ ...definition, keys: { user: 'login' } }, undefined)).toEqual({
      env: [fromSecret('DB_HOST', 'host', optional), fromSecret('DB_PORT', 'port', optional), fromSecret('DB_USERNAME', 'login', optional), fromSecret('DB_PASSWORD', 'password', optional), fromSecret('DB_NAME', 'database', optional), schema],
      volumes: [],
      volumeMounts: [],
    });
  });

  it('is nothing where the operator does not allow it', () => {
    const nothing = { env: [], volumes: [], volumeMounts: [] };
    expect(injectionFor({ ...definition, injectable: false }, files('host'))).toEqual(nothing);
    expect(injectionOf({ type: 'pgBoss', injectable: false, injection: nothing }, pgBossSource('work'))).toBeUndefined();
    expect(injectionOf(undefined, pgBossSource('work', { schema: 'jobs' }))).toBeUndefined();
  });

  it("has the spec's schema rather than the connection's", () => {
    const facts = { type: 'pgBoss' as const, injectable: true, schema: 'theirs', injection: injectionFor(definition, files('host', 'schema')) };
    expect(injectionOf(facts, pgBossSource('work'))?.env).toEqual([fromSecret('DB_HOST', 'host'), fromSecret('DB_SCHEMA', 'schema')]);
    expect(injectionOf(facts, pgBossSource('work', { schema: 'ours' }))?.env).toEqual([fromSecret('DB_HOST', 'host'), { name: 'DB_SCHEMA', value: 'ours' }]);
  });
});
