import { describe, expect, it } from 'vitest';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import type { LiveJob, ReadResult } from '../../../../src/reconcile/ports.ts';
import { letGo } from '../../../../src/reconcile/runs/let-go.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const key: SpecKey = { kind: 'run', name: 'etl-1' };
const job: LiveJob = { name: 'etl-a', uid: 'uid-a', resourceVersion: '7', deleting: false, finished: false, labels: {} };
const answers = { found: { kind: 'found', value: job }, absent: { kind: 'absent' }, failed: { kind: 'failed', message: 'timeout', forbidden: false } } as const satisfies Record<string, ReadResult<LiveJob>>;

/** A run that asked for `etl-a`, as far as that came. */
function setUp({ state, answer, underWay = [] }: { readonly state: 'pending' | 'created' | 'unknown'; readonly answer: ReadResult<LiveJob>; readonly underWay?: readonly string[] }) {
  const memory = new Memory({ clock: new FakeClock(), cache: { hasSeen: () => false } });
  memory.reserve(key, 'etl-a');
  if (state === 'created') memory.confirm(key, 'etl-a', '5');
  if (state === 'unknown') memory.doubt(key, 'etl-a');
  const asked: string[] = [];
  const jobs = {
    get: (name: string) => {
      asked.push(name);
      return Promise.resolve(answer);
    },
  };
  const deps = { memory, jobs, tasks: { underWay: () => new Set(underWay) } } as unknown as Parameters<typeof letGo>[0];
  return { asked, known: () => letGo(deps, key), left: () => memory.reservations(key).map(({ state: one }) => one) };
}

describe('a name that a run asked for, when nobody asks any more', () => {
  it.each([
    ['is let go where no Job of that name is', { state: 'unknown', answer: answers.absent }, true, [], 1],
    ['stays until its Job is shown, where there is one', { state: 'unknown', answer: answers.found }, true, ['created'], 1],
    ['stays in doubt, and is asked about again, where nobody knows', { state: 'unknown', answer: answers.failed }, false, ['unknown'], 1],
    ['is asked about also where the round that asked for it died', { state: 'pending', answer: answers.absent }, true, [], 1],
    ['is left alone where its Job was confirmed', { state: 'created', answer: answers.absent }, true, ['created'], 0],
    ['is left alone while somebody asks about it', { state: 'pending', answer: answers.absent, underWay: ['etl-a'] }, true, ['pending'], 0],
  ] as const)('%s', async (_sentence, given, known, left, asked) => {
    const scene = setUp(given);
    expect([await scene.known(), scene.left(), scene.asked.length]).toEqual([known, left, asked]);
  });
});
