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

  describe('of RabbitMQ', () => {
    const amqp: ConnectionDefinition = { ...definition, type: 'amqp' };
    const vhost = { name: 'AMQP_VHOST', value: '/' };
    const source = { type: 'amqp', connection: 'main', queue: 'work', vhost: 'orders', declare: undefined, messageId: undefined } as const;

    it('has names of its own', () => {
      expect(injectionFor(amqp, files('host', 'port', 'user', 'password', 'tls'))).toEqual({
        env: [fromSecret('AMQP_HOST', 'host'), fromSecret('AMQP_PORT', 'port'), fromSecret('AMQP_USERNAME', 'user'), fromSecret('AMQP_PASSWORD', 'password'), vhost, fromSecret('AMQP_ENABLE_SSL', 'tls')],
        volumes: [],
        volumeMounts: [],
      });
    });

    it('mounts its certificates, and says that there is TLS', () => {
      const { env, volumeMounts } = injectionFor(amqp, files('host', 'ca.crt', 'tls.crt', 'tls.key'));
      expect(env.slice(1)).toEqual([
        vhost,
        { name: 'AMQP_ENABLE_SSL', value: 'true' },
        { name: 'AMQP_CA_PATH', value: '/job-chief/connection/ca.crt' },
        { name: 'AMQP_CERT_PATH', value: '/job-chief/connection/tls.crt' },
        { name: 'AMQP_KEY_PATH', value: '/job-chief/connection/tls.key' },
      ]);
      expect(volumeMounts).toHaveLength(1);
    });

    it('is a URL where the Secret holds one, which names the vhost itself', () => {
      expect(injectionFor(amqp, files('url')).env).toEqual([fromSecret('AMQP_URL', 'url')]);
    });

    it('is optional in every value while the folder cannot be read', () => {
      const optional = { optional: true };
      expect(injectionFor(amqp, undefined).env).toEqual([
        fromSecret('AMQP_HOST', 'host', optional),
        fromSecret('AMQP_PORT', 'port', optional),
        fromSecret('AMQP_USERNAME', 'user', optional),
        fromSecret('AMQP_PASSWORD', 'password', optional),
        vhost,
        fromSecret('AMQP_ENABLE_SSL', 'tls', optional),
      ]);
    });

    it("has the spec's vhost rather than the connection's", () => {
      const facts = { type: 'amqp' as const, injectable: true, injection: injectionFor(amqp, files('host', 'vhost')) };
      expect(injectionOf(facts, source)?.env).toEqual([fromSecret('AMQP_HOST', 'host'), { name: 'AMQP_VHOST', value: 'orders' }]);
      expect(injectionOf(facts, { ...source, vhost: undefined })?.env).toEqual([fromSecret('AMQP_HOST', 'host'), fromSecret('AMQP_VHOST', 'vhost')]);
    });
  });

  it('of SQS is what its client reads from the environment', () => {
    expect(injectionFor({ ...definition, type: 'sqs' }, files('region', 'endpoint', 'access-key-id', 'secret-access-key', 'session-token'))).toEqual({
      env: [
        fromSecret('SQS_REGION', 'region'),
        fromSecret('SQS_ENDPOINT', 'endpoint'),
        fromSecret('AWS_ACCESS_KEY_ID', 'access-key-id'),
        fromSecret('AWS_SECRET_ACCESS_KEY', 'secret-access-key'),
        fromSecret('AWS_SESSION_TOKEN', 'session-token'),
      ],
      volumes: [],
      volumeMounts: [],
    });
  });
});
