import { describe, expect, it } from 'vitest';
import { DatabaseError, explain, quoted } from '../../../../src/adapters/queues/database-error.ts';

const settings = { type: 'pgBoss' as const, host: 'db.example', port: 5432, user: 'Reader', password: 'hunter2', database: 'app', schema: undefined, tls: undefined };
const error = (message: string, code?: string): Error => Object.assign(new Error(message), code === undefined ? {} : { code });

describe('errors of a database', () => {
  const rows: [name: string, error: unknown, problem: string, message: string][] = [
    ['name the address that refuses', error('connect ECONNREFUSED', 'ECONNREFUSED'), 'QueueUnreachable', 'db.example:5432 refuses connections'],
    ['name the address that refuses on all its addresses', new AggregateError([error('x', 'ECONNREFUSED'), error('y', 'ECONNREFUSED')], ''), 'QueueUnreachable', 'db.example:5432 refuses connections'],
    ['name a host that is not there', error('getaddrinfo', 'ENOTFOUND'), 'QueueUnreachable', 'there is no host db.example'],
    ['know a name server that does not answer', error('getaddrinfo', 'EAI_AGAIN'), 'QueueUnreachable', 'the name db.example cannot be looked up now'],
    ['know a connection that takes too long', error('timeout exceeded when trying to connect'), 'QueueUnreachable', 'db.example:5432 did not answer in time'],
    ['keep what they do not know', error('read ECONNRESET', 'ECONNRESET'), 'QueueUnreachable', 'db.example:5432: read ECONNRESET'],
    ['know a refused password', error('password authentication failed for user "Reader"', '28P01'), 'QueueForbidden', 'the database refuses the login: password authentication failed for user "Reader"'],
    ['know a refused host', error('no pg_hba.conf entry for host "10.0.0.9"', '28000'), 'QueueForbidden', 'the database refuses the login: no pg_hba.conf entry for host "10.0.0.9"'],
    ['name the right to connect', error('permission denied for database "app"', '42501'), 'QueueForbidden', 'permission denied for database "app"; missing: GRANT CONNECT ON DATABASE app TO "Reader";'],
    ['know other missing rights', error('permission denied for table job', '42501'), 'QueueForbidden', 'permission denied for table job'],
    ['name a missing database', error('database "app" does not exist', '3D000'), 'QueueNotFound', 'there is no database "app"'],
    ['know a server that is full', error('sorry, too many clients already', '53300'), 'QueueUnreachable', 'the database answers: sorry, too many clients already (53300)'],
    ['know a server that starts', error('the database system is starting up', '57P03'), 'QueueUnreachable', 'the database answers: the database system is starting up (57P03)'],
    ['know a statement that took too long', error('canceling statement due to statement timeout', '57014'), 'QueueUnreachable', 'the database did not answer within five seconds'],
    ['know a server without TLS', error('The server does not support SSL connections'), 'QueueUnreachable', 'db.example:5432 does not offer TLS, which the connection asks for'],
    ['know a certificate that is not trusted', error('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'), 'QueueUnreachable', 'the certificate of db.example:5432 was not accepted: self-signed certificate in certificate chain'],
    ['know a certificate of ours that is not trusted', error('tlsv1 alert unknown ca', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'QueueForbidden', 'db.example:5432 does not accept our certificate: tlsv1 alert unknown ca'],
    ['never show the password', error('odd: hunter2 and hunter2'), 'QueueUnreachable', 'db.example:5432: odd: *** and ***'],
    ['may be anything', 'text', 'QueueUnreachable', 'db.example:5432: text'],
  ];
  it.each(rows)('%s', (_, thrown, problem, message) => {
    expect(explain(thrown, settings)).toMatchObject({ problem, message });
  });

  it('are explained once', () => {
    const explained = new DatabaseError('QueueNotFound', 'as it is');
    expect(explain(explained, settings)).toBe(explained);
  });
});

describe('identifiers in SQL', () => {
  it.each([
    ['pgboss', 'pgboss'],
    ['My-Schema', '"My-Schema"'],
    ['a"b', '"a""b"'],
    ['1st', '"1st"'],
  ])('%s is written %s', (name, text) => {
    expect(quoted(name)).toBe(text);
  });
});
