import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { DatabaseError } from '../../../../../src/adapters/queues/database-error.ts';
import { assertVersion, spokenVersion } from '../../../../../src/adapters/queues/pg-boss-messages/boss-link.ts';
import { isStale, problemOf, SourceError } from '../../../../../src/adapters/queues/pg-boss-messages/problem.ts';
import { attemptOf, deadId, isJobId, receiptOf } from '../../../../../src/adapters/queues/pg-boss-messages/rows.ts';
import { isObject, numberAt, objectAt } from '../../../../../src/lib/json.ts';

describe('a receipt', () => {
  it('says which attempt it is of', () => {
    const attempt = { retryCount: 3, started: 1_763_760_000_123 };
    expect(attemptOf(receiptOf(attempt))).toEqual(attempt);
  });

  it.each([[{}], [{ retry: 'x', started: '1' }], [{ retry: '1' }]])('that was written by somebody else says nothing: %j', (receipt) => {
    expect(attemptOf(receipt)).toBeUndefined();
  });
});

describe('ids', () => {
  it('of dead messages are UUIDs, the same for the same death', () => {
    const id = deadId(['work', '8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', 'work-0123456789']);
    expect(isJobId(id)).toBe(true);
    expect(deadId(['work', '8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', 'work-0123456789'])).toBe(id);
    expect(deadId(['work', '8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', 'work-9876543210'])).not.toBe(id);
  });

  it.each(['', 'x', '8f14e45f', "8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50'; --"])('of jobs are UUIDs and not %j', (id) => {
    expect(isJobId(id)).toBe(false);
  });
});

describe('problems', () => {
  const place = { role: 'leaser', schema: 'pgboss' };

  it('name the right that is missing', () => {
    const denied = (message: string): string => problemOf(new DatabaseError('QueueForbidden', message, '42501'), place).message;
    expect(denied('permission denied for table job_common')).toContain('missing: GRANT SELECT, INSERT, UPDATE, DELETE ON pgboss.job_common TO leaser;');
    expect(denied('permission denied for table queue')).toContain('missing: GRANT SELECT ON pgboss.queue TO leaser;');
    expect(denied('permission denied for schema pgboss')).toContain('missing: GRANT USAGE ON SCHEMA pgboss TO leaser;');
  });

  it.each<[string, unknown, string]>([
    ['of ours', new SourceError('QueueRefused', 'x'), 'QueueRefused'],
    ['of the library about a queue that is not there', new Error('Queue work does not exist'), 'QueueNotFound'],
    ['of the library about a name', Object.assign(new Error('Name can only contain letters'), { code: 'ERR_ASSERTION' }), 'QueueRefused'],
    ['of anybody else', 'what?', 'QueueUnreachable'],
  ])('%s have a reason', (_, thrown, reason) => {
    expect(problemOf(thrown).reason).toBe(reason);
  });

  it('of a schema that changed are told from others', () => {
    expect(isStale(new DatabaseError('QueueNotFound', 'no table', '42P01'))).toBe(true);
    expect(isStale(new DatabaseError('QueueForbidden', 'no right', '42501'))).toBe(false);
  });
});

describe('the schema version', () => {
  it('that is spoken is the one of the library', () => {
    const manifest: unknown = createRequire(import.meta.url)('../../../../../node_modules/pg-boss/package.json');
    expect(isObject(manifest) && numberAt(objectAt(manifest, 'pgboss'), 'schema')).toBe(spokenVersion);
  });

  it.each<[number | undefined, RegExp]>([
    [42, /schema pgboss is of version 42; .* speaks version 43 .* workers' pg-boss migrate it/],
    [44, /schema pgboss is of version 44; .* speaks version 43 .* the job-chief that goes with it/],
    [undefined, /of an unknown version/],
  ])('%s is refused in words', (version, text) => {
    expect(() => { assertVersion('pgboss', version); }).toThrow(text);
  });
});
