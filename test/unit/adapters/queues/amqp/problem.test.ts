import { describe, expect, it } from 'vitest';
import type { AmqpSettings } from '../../../../../src/adapters/queues/amqp-settings.ts';
import { AmqpProblem, explain } from '../../../../../src/adapters/queues/amqp/problem.ts';

const host = { host: 'rabbit', port: 5672 };
const settings: AmqpSettings = { type: 'amqp', hosts: [host], user: 'worker', password: 'sesame-1', vhost: '/', tls: undefined, heartbeat: 30, consumerTimeout: undefined };

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

describe('an error of RabbitMQ', () => {
  it.each<[code: string, message: string, problem: string, text: string]>([
    ['ACCESS_REFUSED', "undefined: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.", 'QueueForbidden', 'ACCESS_REFUSED - Login was refused'],
    ['ACCESS_REFUSED', "BasicConsume: ACCESS_REFUSED - queue 'work' in vhost '/' in exclusive use", 'QueueRefused', "ACCESS_REFUSED - queue 'work'"],
    ['NOT_ALLOWED', 'ConnectionOpen: NOT_ALLOWED - vhost nowhere not found', 'QueueNotFound', 'NOT_ALLOWED - vhost nowhere'],
    ['NOT_ALLOWED', "ConnectionOpen: NOT_ALLOWED - access to vhost '/' refused for user 'worker'", 'QueueForbidden', 'NOT_ALLOWED - access'],
    ['NOT_FOUND', "QueueDeclare: NOT_FOUND - no queue 'work' in vhost '/'", 'QueueNotFound', "NOT_FOUND - no queue 'work'"],
    ['NOT_FOUND', "QueueDeclare: NOT_FOUND - queue 'work' in vhost '/' process is stopped; home node 'a' of durable queue is down or inaccessible", 'QueueUnreachable', 'is down'],
    ['PRECONDITION_FAILED', "QueueDeclare: PRECONDITION_FAILED - inequivalent arg 'durable'", 'QueueRefused', 'PRECONDITION_FAILED - inequivalent'],
    ['RESOURCE_LOCKED', 'QueueDeclare: RESOURCE_LOCKED - cannot obtain exclusive access', 'QueueRefused', 'RESOURCE_LOCKED - cannot'],
    ['NOT_IMPLEMENTED', 'BasicConsume: NOT_IMPLEMENTED - no', 'QueueUnsupported', 'NOT_IMPLEMENTED - no'],
    ['CONNECTION_FORCED', "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", 'QueueUnreachable', 'CONNECTION_FORCED - broker forced'],
    ['ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:5672', 'QueueUnreachable', 'rabbit:5672 refuses connections'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND rabbit', 'QueueUnreachable', 'there is no host rabbit'],
    ['SOCKET_TIMEOUT', 'socket timed out (no heartbeat)', 'QueueUnreachable', 'rabbit:5672 did not answer in time'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', 'QueueUnreachable', 'does not speak TLS'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca', 'QueueForbidden', 'does not accept our certificate'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate', 'QueueUnreachable', 'the certificate of rabbit:5672 was not accepted'],
    ['EHOSTUNREACH', 'connect EHOSTUNREACH', 'QueueUnreachable', 'rabbit:5672: connect EHOSTUNREACH'],
  ])('%s: %s', (code, message, problem, text) => {
    const explained = explain(coded(code, message), { settings, host });
    expect([explained.problem, explained.code]).toEqual([problem, code]);
    expect(explained.message).toContain(text);
    expect(explained.message).not.toContain('undefined');
  });

  it('that is explained stays as it is', () => {
    const problem = new AmqpProblem('QueueRefused', 'no');
    expect(explain(problem, { settings, host })).toBe(problem);
  });

  it('of a name with several addresses is that of the first', () => {
    expect(explain(new AggregateError([coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:5672'), new Error('b')]), { settings, host }).message).toBe('rabbit:5672 refuses connections');
  });

  it('never tells the password', () => {
    expect(explain(new Error('bad credentials worker:sesame-1'), { settings, host }).message).toBe('rabbit:5672: bad credentials worker:***');
  });
});
