/** A watch of Jobs apart from everything that is measured: when each is first seen, and when it is finished. */
import { objectAt } from '../../../src/lib/json.ts';
import { finishedOf } from '../../../src/adapters/kubernetes/project-job.ts';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { jobsPath, nameOf } from './requests.ts';
import { Watch } from './watch.ts';

export class JobWatch implements Disposable {
  /** Date.now() with fractions, by name. */
  readonly added: ReadonlyMap<string, number>;
  readonly finished: ReadonlySet<string>;
  readonly #watch: Watch;

  private constructor(watch: Watch, seen: { readonly added: ReadonlyMap<string, number>; readonly finished: ReadonlySet<string> }) {
    this.#watch = watch;
    this.added = seen.added;
    this.finished = seen.finished;
  }

  /** `whole`: also see Jobs finish; else only metadata is sent. */
  static async open(transport: Transport, namespace: string, whole: boolean): Promise<JobWatch> {
    const seen = { added: new Map<string, number>(), finished: new Set<string>() };
    const take = (type: string, job: unknown, at: number): void => {
      const name = nameOf(job);
      if (type === 'ADDED' && !seen.added.has(name)) seen.added.set(name, at);
      if (whole && finishedOf(objectAt(job, 'status'))) seen.finished.add(name);
    };
    return new JobWatch(await Watch.open({ transport, path: jobsPath(namespace), metadataOnly: !whole, take }), seen);
  }

  /** Resolves when the condition holds, looked at after each event; rejects after `timeout` milliseconds. */
  until(what: string, holds: () => boolean, timeout?: number): Promise<void> {
    return this.#watch.until(what, holds, timeout);
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}
