import { expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { objectAt } from '../../../../src/lib/json.ts';
import { IndexMarks } from '../../../../src/reconcile/messages/index-marks.ts';
import type { WriteResult } from '../../../../src/reconcile/ports.ts';
import { settle } from '../../../support/fake-clock.ts';
import { done, refusal } from '../../../support/fakes.ts';

/** Patches wait until the test answers them. */
class SlowJobs {
  readonly patches: { readonly uid: string; readonly marks: string[]; readonly answer: (result: WriteResult) => void; readonly fail: (error: Error) => void }[] = [];

  patch(_name: string, uid: string, patch: JsonObject): Promise<WriteResult> {
    return new Promise((answer, fail) => {
      this.patches.push({ uid, marks: Object.keys(objectAt(objectAt(patch, 'metadata'), 'annotations')), answer, fail });
    });
  }
}

const job = { name: 'a', uid: 'uid-a' };

it('marks that are asked for at once are one patch, and those that come meanwhile the next', async () => {
  const jobs = new SlowJobs();
  const marks = new IndexMarks(jobs);
  const answers = [marks.mark(job, 0, 'x'), marks.mark(job, 1, 'x')];
  await settle();
  answers.push(marks.mark(job, 2, 'x'), marks.mark(job, 3, 'x'));
  await settle();
  expect(jobs.patches.map((patch) => patch.marks)).toEqual([['settled.job-chief/0', 'settled.job-chief/1']]);
  jobs.patches[0]?.answer(done('7'));
  await settle();
  jobs.patches[1]?.answer(refusal('unknown'));
  expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['done', 'done', 'unknown', 'unknown']);
  expect(jobs.patches.map((patch) => patch.marks)).toEqual([['settled.job-chief/0', 'settled.job-chief/1'], ['settled.job-chief/2', 'settled.job-chief/3']]);
});

it('marks of one Job do not wait for those of another', async () => {
  const jobs = new SlowJobs();
  const marks = new IndexMarks(jobs);
  void marks.mark(job, 0, 'x');
  void marks.mark({ name: 'b', uid: 'uid-b' }, 0, 'x');
  await settle();
  expect(jobs.patches.map(({ uid }) => uid)).toEqual(['uid-a', 'uid-b']);
});

it('a patch that ends in an error ends those that waited for it, and no others', async () => {
  const jobs = new SlowJobs();
  const marks = new IndexMarks(jobs);
  const first = marks.mark(job, 0, 'x');
  await settle();
  const second = marks.mark(job, 1, 'x');
  jobs.patches[0]?.fail(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  await settle();
  jobs.patches[1]?.answer(done());
  expect(await second).toMatchObject({ kind: 'done' });
  const third = marks.mark(job, 2, 'x');
  await settle();
  jobs.patches[2]?.answer(done());
  expect(await third).toMatchObject({ kind: 'done' });
});
