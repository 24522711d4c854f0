import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { turnLines } from '../../../../src/adapters/log/turn-lines.ts';

function setUp() {
  const written: string[] = [];
  const turns: (() => void)[] = [];
  const lines = turnLines({ write: (text: string) => void written.push(text) }, (run) => void turns.push(run));
  return { written, lines, endTurn: () => { for (const run of turns.splice(0)) run(); }, waiting: () => turns.length };
}

describe('lines of one turn', () => {
  test('are one write when it is over', () => {
    const { written, lines, endTurn, waiting } = setUp();
    lines.write('a\n');
    lines.write('b\n');
    expect([written, waiting()]).toEqual([[], 1]);
    endTurn();
    lines.write('c\n');
    endTurn();
    expect(written).toEqual(['a\nb\n', 'c\n']);
  });

  test('are written at once when they are many, and not again', () => {
    const { written, lines, endTurn } = setUp();
    const line = `${'x'.repeat(20_000)}\n`;
    lines.write(line);
    lines.write(line);
    expect(written).toEqual([line + line]);
    endTurn();
    expect(written).toHaveLength(1);
  });

  test('are written at once when somebody asks for it', () => {
    const { written, lines } = setUp();
    lines.flush();
    lines.write('a\n');
    lines.flush();
    expect(written).toEqual(['a\n']);
  });
});

describe('a process', () => {
  const logger = new URL('../../../../src/adapters/log/logger.ts', import.meta.url).href;
  const run = (end: string): string[] => {
    const code = `const { createLog } = await import('${logger}');
      const log = await createLog({ level: 'info', pretty: false, instance: 'default', namespace: 'etl' });
      for (let n = 0; n < 500; n += 1) log.info({ n }, 'line');
      ${end}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stdout.trim().split('\n');
  };

  test.each([
    ['ends', ''],
    ['exits', 'process.exit(3);'],
    ['dies of an exception that nobody caught', "throw new Error('unforeseen');"],
    ['dies of a rejection that nobody handled', "await Promise.reject(new Error('unforeseen'));"],
  ])('that %s has written all of its lines', (_how, end) => {
    const lines = run(end).map((line) => (JSON.parse(line) as { n: number }).n);
    expect(lines).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });
});
