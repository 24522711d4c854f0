/**
 * Marks on the indexes of one Job, put together: a hundred messages of a batch that are settled at once are not to cost a
 * hundred patches, each of which comes back as an event with all notes of the batch. One patch of a Job is under way at a
 * time, and what is to be marked meanwhile goes with the next. Each caller hears what came of the patch that had its mark.
 */
import { settledIndexAnnotation } from '../../spec/keys.ts';
import type { JobApi, WriteResult } from '../ports.ts';

interface Waiting {
  readonly annotation: string;
  readonly text: string;
  readonly answer: (result: WriteResult) => void;
  readonly fail: (error: unknown) => void;
}

export class IndexMarks {
  readonly #jobs: Pick<JobApi, 'patch'>;
  /** By UID of the Job; there while a patch of it is under way. */
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(jobs: Pick<JobApi, 'patch'>) {
    this.#jobs = jobs;
  }

  mark(job: { readonly name: string; readonly uid: string }, index: number, text: string): Promise<WriteResult> {
    return new Promise((answer, fail) => {
      const mark = { annotation: settledIndexAnnotation(index), text, answer, fail };
      const waiting = this.#waiting.get(job.uid);
      if (waiting) waiting.push(mark);
      else {
        this.#waiting.set(job.uid, [mark]);
        void this.#write(job);
      }
    });
  }

  async #write(job: { readonly name: string; readonly uid: string }): Promise<void> {
    // Those who ask in the same turn go along.
    await Promise.resolve();
    for (;;) {
      const marks = this.#waiting.get(job.uid) ?? [];
      if (marks.length === 0) break;
      this.#waiting.set(job.uid, []);
      await this.#patch(job, marks);
    }
    this.#waiting.delete(job.uid);
  }

  async #patch({ name, uid }: { readonly name: string; readonly uid: string }, marks: readonly Waiting[]): Promise<void> {
    try {
      const annotations = Object.fromEntries(marks.map(({ annotation, text }) => [annotation, text]));
      const result = await this.#jobs.patch(name, uid, { metadata: { annotations } });
      for (const { answer } of marks) answer(result);
    } catch (error) {
      for (const { fail } of marks) fail(error);
    }
  }
}
