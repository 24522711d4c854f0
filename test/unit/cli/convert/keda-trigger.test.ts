import { describe, expect, it } from 'vitest';
import { Draft } from '../../../../src/cli/convert/draft.ts';
import { Item } from '../../../../src/cli/convert/item.ts';
import { writeTrigger } from '../../../../src/cli/convert/keda-trigger.ts';
import { readText } from '../../../../src/cli/convert/source-document.ts';

function converted(metadata: Record<string, string>): Draft {
  const { documents } = readText({ file: 'a.yaml', text: JSON.stringify({ type: 'postgresql', metadata }) });
  const trigger = Item.of(documents[0] ?? expect.fail('no document'));
  const draft = new Draft({ kind: 'Queue', name: 'q', source: trigger });
  writeTrigger(draft, trigger, 'main');
  return draft;
}

describe('a query on pg-boss', () => {
  it.each([
    ['as people write it', "SELECT COUNT(*) FROM pgboss.job WHERE name = 'mails' AND state < 'active'", { queue: 'mails' }],
    ['with a schema of its own', "select count(1) from media.job where state = 'created' and name='mails'", { queue: 'mails', schema: 'media' }],
    ['with quotes and another table', `SELECT count(*) FROM "jobs"."job_common" j WHERE j."name" = 'it''s'`, { queue: "it's", schema: 'jobs' }],
    ['over lines', "SELECT\n  count(*)\nFROM pgboss . job\nWHERE name\n  = 'a-b_c'", { queue: 'a-b_c' }],
  ])('is understood %s', (_what, query, expected) => {
    const { spec, problems } = converted({ query });
    expect(problems).toEqual([]);
    expect(spec).toEqual({ source: { pgBoss: { connection: 'main', ...expected } } });
  });

  it.each([
    ['another table', "SELECT count(*) FROM pgboss.jobs WHERE name = 'mails'"],
    ['a table of tasks', 'SELECT count(*) FROM task'],
    ['all queues', 'SELECT count(*) FROM pgboss.job'],
    ['a column that ends in name', "SELECT count(*) FROM pgboss.job WHERE hostname = 'mails'"],
  ])('is refused for %s', (_what, query) => {
    expect(converted({ query }).problems).toMatchObject([{ code: 'InvalidValue', position: { file: 'a.yaml', line: 1 } }]);
  });

  it('never repeats what looks like a credential', () => {
    const { remarks } = converted({ query: "SELECT 1 FROM pgboss.job WHERE name = 'q'", connection: 'postgresql://u:hunter2@db/app', password: 'hunter2', host: 'db', userName: 'u' });
    expect(JSON.stringify(remarks)).not.toContain('hunter2');
    expect(JSON.stringify(remarks)).toContain('Reached by connection, password, host: db, userName: u');
  });
});
