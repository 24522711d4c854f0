/** The steps of `job-chief check connection` for SQS. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkSqs, type SqsCheckResult } from '../../../src/adapters/queues/sqs/check.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { connectionFolder } from '../../support/postgres.ts';
import { startSqs, testSecret, type SqsForTests } from '../../support/sqs.ts';

let sqs: SqsForTests;
beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(async () => {
  await sqs[Symbol.asyncDispose]();
});
beforeEach(() => {
  sqs.answer = () => undefined;
});

async function check(queue?: string, changes: Readonly<Record<string, string>> = {}): Promise<readonly SqsCheckResult[]> {
  using folder = connectionFolder({ region: 'us-east-1', endpoint: sqs.endpoint, 'access-key-id': 'AKIDONE', 'secret-access-key': testSecret, ...changes });
  const definition = { type: 'sqs', folder: folder.folder, secretName: undefined, injectable: false, keys: {} } as const;
  const begun: string[] = [];
  const results: SqsCheckResult[] = [];
  for await (const result of checkSqs({ definition, queue, clock: systemClock, onStep: (step) => begun.push(step) })) results.push(result);
  expect(begun).toEqual(results.map(({ step }) => step));
  expect(JSON.stringify(results)).not.toContain(testSecret);
  return results;
}
const brief = (results: readonly SqsCheckResult[]): readonly string[] => results.map(({ step, result }) => `${step} ${result}`);

describe('check connection of SQS', () => {
  it('says that all is well, and what the queue is like', async () => {
    sqs.server.createQueue('work', { attributes: { VisibilityTimeout: '45' } });
    sqs.server.sendMessage('work', 'a');
    const results = await check('work');
    expect(brief(results)).toEqual(['folder ok', 'dns ok', 'login ok', 'queue ok']);
    expect(results.at(-1)?.detail).toContain('1 messages are visible, visibility timeout 45 s, no redrive policy');
  });

  it('needs no queue', async () => {
    expect(brief(await check())).toEqual(['folder ok', 'dns ok', 'login ok', 'queue skipped']);
  });

  it.each<[string, string | undefined, Readonly<Record<string, string>>, string, string]>([
    ['a folder without a region', undefined, { region: '' }, 'folder failed', '`region`'],
    ['a host that is none', undefined, { endpoint: 'http://absent.invalid:1' }, 'dns failed', 'absent.invalid'],
    ['nobody who listens', undefined, { endpoint: 'http://127.0.0.1:1' }, 'login failed', 'refuses connections'],
    ['a queue that is none', 'nowhere', {}, 'queue failed', 'there is no such queue'],
  ])('stops at %s', async (_, queue, changes, last, text) => {
    const results = await check(queue, changes);
    expect(brief(results).at(-1)).toBe(last);
    expect(results.at(-1)?.detail).toContain(text);
  });

  it('tells wrong credentials from credentials with few rights', async () => {
    sqs.answer = () => ({ status: 403, code: 'InvalidClientTokenId', message: `The key is invalid, ${testSecret}` });
    expect((await check()).at(-1)).toMatchObject({ step: 'login', result: 'failed', detail: 'SQS refuses: The key is invalid, ***' });
    sqs.answer = () => ({ status: 403, code: 'AccessDenied', message: 'User is not authorized to perform sqs:getqueueurl' });
    expect((await check())[2]).toMatchObject({ step: 'login', result: 'ok', detail: 'the credentials are accepted; they are limited to some queues' });
  });

  it('says which rights are missing', async () => {
    sqs.server.createQueue('closed');
    sqs.answer = ({ action }) => (action === 'GetQueueAttributes' ? { status: 403, code: 'AccessDenied', message: 'not authorized' } : undefined);
    expect((await check('closed')).at(-1)).toMatchObject({ step: 'queue', result: 'failed', remedy: expect.stringContaining('sqs:GetQueueAttributes') as string });
  });
});
