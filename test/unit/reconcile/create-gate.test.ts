import { describe, expect, it } from 'vitest';
import { CreateGate } from '../../../src/reconcile/create-gate.ts';
import type { WriteResult } from '../../../src/reconcile/ports.ts';
import { seconds } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { done, promised, refusal } from '../../support/fakes.ts';

/** A gate before which `asked` creates stand; those inside wait until the test answers them. */
function aGate(asked: number) {
  const clock = new FakeClock();
  const gate = new CreateGate(clock);
  const inside: ((result: WriteResult) => void)[] = [];
  const answers: WriteResult[] = [];
  let sent = 0;
  const ask = (): void => {
    void gate
      .pass(() => {
        sent += 1;
        const create = promised<WriteResult>();
        inside.push(create.keep);
        return create.promise;
      })
      .then((answer) => answers.push(answer));
  };
  for (let count = 0; count < asked; count += 1) ask();
  return { clock, gate, ask, inside, answers, sent: () => sent, answerAll: async (result: WriteResult) => {
    for (const answer of inside.splice(0)) answer(result);
    await settle();
  } };
}

describe('slow start', () => {
  it('lets in 1, 2, 4, 8 … as they succeed', async () => {
    const { inside, answerAll } = aGate(40);
    const widths: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      widths.push(inside.length);
      await answerAll(done());
    }
    // Each success doubles: one after one, then all of a round.
    expect(widths.slice(0, 2)).toEqual([1, 2]);
    expect(widths[2]).toBeGreaterThan(2);
    expect(widths.every((width, index) => index === 0 || width >= (widths[index - 1] ?? 0))).toBe(true);
  });

  it('in the end lets everybody in, each once', async () => {
    const { inside, answers, answerAll, sent } = aGate(40);
    for (let round = 0; round < 10 && inside.length > 0; round += 1) await answerAll(done());
    expect([sent(), answers.length]).toEqual([40, 40]);
  });

  it.each(['unknown', 'refused', 'conflict'] as const)('an answer that is %s says nothing about the others', async (kind) => {
    const { inside, answerAll, sent } = aGate(3);
    await answerAll(refusal(kind));
    expect([inside.length, sent()]).toEqual([1, 2]);
  });

  it('a create that throws leaves its place', async () => {
    const gate = new CreateGate(new FakeClock());
    await expect(gate.pass(() => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
    expect(await gate.pass(() => Promise.resolve(done()))).toEqual(done());
  });
});

describe.each(['quota', 'forbidden'] as const)('a refusal for all (%s)', (kind) => {
  it('is shared for a moment with those who wait, without asking again', async () => {
    const { answers, answerAll, sent } = aGate(20);
    await answerAll(refusal(kind, 'no more'));
    expect(sent()).toBe(1);
    expect(answers).toEqual(Array<WriteResult>(20).fill(refusal(kind, 'no more')));
  });

  it('sets the width back to one', async () => {
    const { clock, answerAll, inside, ask } = aGate(3);
    await answerAll(done());
    await answerAll(done());
    ask();
    await answerAll(refusal(kind));
    await clock.advance(seconds(1));
    for (let count = 0; count < 5; count += 1) ask();
    await settle();
    expect(inside).toHaveLength(1);
  });

  it('is asked again after one second, then after two, four, at most thirty', async () => {
    const { clock, ask, answerAll, sent } = aGate(1);
    const pauses: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      await answerAll(refusal(kind));
      const before = sent();
      let waited = 0;
      for (; sent() === before; waited += 1) {
        await clock.advance(waited === 0 ? 0 : seconds(1));
        ask();
        await settle();
      }
      pauses.push(waited - 1);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
  });

  it('is forgotten with the next success', async () => {
    const { clock, ask, answerAll, answers } = aGate(1);
    await answerAll(refusal(kind));
    await clock.advance(seconds(1));
    ask();
    await settle();
    await answerAll(done());
    ask();
    await settle();
    await answerAll(done('300'));
    expect(answers.slice(1)).toEqual([done(), done('300')]);
  });
});

it('is busy from the look that precedes a create until its answer is there', async () => {
  const { gate } = aGate(0);
  const work = promised<string>();
  const during = gate.during(() => work.promise);
  expect(gate.busy).toBe(true);
  work.keep('created');
  expect([await during, gate.busy]).toEqual(['created', false]);
});
