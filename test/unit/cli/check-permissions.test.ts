import { describe, expect, it } from 'vitest';
import { runCheckPermissions } from '../../../src/cli/check-permissions.ts';
import { objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';

type Answer = 'yes' | 'no' | 'refused';

async function run(answer: (right: string) => Answer, options: { output?: 'text' | 'json'; namespace?: string; env?: Record<string, string> } = {}): Promise<{ code: number; out: string[]; err: string[]; closed: boolean; asked: string[] }> {
  const [out, err, asked]: [string[], string[], string[]] = [[], [], []];
  let closed = false;
  const code = await runCheckPermissions(
    { output: options.output ?? 'text', ...(options.namespace === undefined ? {} : { namespace: options.namespace }) },
    {
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      screen: { colours: false, width: undefined },
      env: options.env ?? {},
      open: ({ namespace = 'etl' }) => Promise.resolve({
        client: {
          namespace,
          ask: (_resource: unknown, body: JsonObject) => {
            const wanted = objectAt(objectAt(body, 'spec'), 'resourceAttributes');
            const right = ['verb', 'resource'].map((field) => stringAt(wanted, field)).join(' ');
            asked.push(`${stringAt(wanted, 'namespace') ?? ''} ${right}`);
            const said = answer(right);
            return Promise.resolve(said === 'refused' ? { kind: 'failed' as const, message: 'selfsubjectaccessreviews is forbidden', forbidden: true } : { kind: 'found' as const, value: { status: { allowed: said === 'yes' } } });
          },
        },
        close: () => { closed = true; return Promise.resolve(); },
      }),
    },
  );
  return { code, out, err, closed, asked };
}

describe('check permissions', () => {
  it('says for each feature that it has its rights', async () => {
    const { code, out, err, closed } = await run(() => 'yes');
    expect([code, err, closed]).toEqual([0, [], true]);
    expect(out.map((line) => line.split(/ {2,}/))).toEqual([
      ['FEATURE', 'RIGHTS', 'MISSING'],
      ['jobs', 'complete', '-'],
      ['specs from ConfigMaps', 'complete', '-'],
      ['status on ConfigMaps', 'complete', '-'],
      ['records', 'complete', '-'],
      ['events', 'complete', '-'],
      ['payloads of messages', 'complete', '-'],
      ['history of messages', 'complete', '-'],
    ]);
  });

  it('takes no offence at the want of a right that not everybody needs', async () => {
    const { code, out } = await run((right) => (right === 'create secrets' ? 'no' : 'yes'));
    expect([code, out.at(-2)?.split(/ {2,}/)]).toEqual([0, ['payloads of messages', 'not given', 'create secrets']]);
  });

  it('names what is missing', async () => {
    const { code, out } = await run((right) => (/patch configmaps|create configmaps|events/.test(right) ? 'no' : 'yes'));
    expect(code).toBe(1);
    expect(out.filter((line) => line.includes('missing')).map((line) => line.split(/ {2,}/))).toEqual([
      ['status on ConfigMaps', 'missing', 'patch configmaps'],
      ['records', 'missing', 'create configmaps, patch configmaps'],
      ['events', 'missing', 'list events, create events, patch events'],
    ]);
    expect(out.at(-1)?.split(/ {2,}/)).toEqual(['history of messages', 'not given', 'create configmaps, patch configmaps']);
  });

  it('says so where the API server does not answer that question', async () => {
    const { code, out, closed } = await run(() => 'refused');
    expect([code, closed]).toEqual([2, true]);
    expect(out[1]).toMatch(/^jobs +unknown +selfsubjectaccessreviews is forbidden$/);
  });

  it('asks for what the configuration asks for, in its namespace', async () => {
    const { out, asked } = await run(() => 'yes', { namespace: 'blue', env: { JOB_CHIEF_EVENTS: 'false', JOB_CHIEF_HIGH_AVAILABILITY_ENABLED: 'true' } });
    expect(out.map((line) => line.split(/ {2,}/)[0])).toEqual(['FEATURE', 'jobs', 'specs from ConfigMaps', 'status on ConfigMaps', 'records', 'payloads of messages', 'history of messages', 'high availability']);
    expect(asked.every((one) => one.startsWith('blue '))).toBe(true);
  });

  it('is JSON for programs', async () => {
    const { out } = await run((right) => (right === 'create jobs' ? 'no' : 'yes'), { output: 'json' });
    expect(JSON.parse(out.join('\n'))).toMatchObject({ namespace: 'etl', features: [{ name: 'jobs', state: 'off', missing: ['create jobs.batch'] }, { name: 'specs from ConfigMaps', state: 'on', missing: [] }, {}, {}, {}, {}, {}] });
  });
});
