/** Follows the records of one workflow and says when one of them is worth another look. */
import { isForbidden, type ApiFailure } from '../../adapters/kubernetes/api-error.ts';
import { projectRecord } from '../../adapters/kubernetes/project-record.ts';
import { Reflector } from '../../adapters/kubernetes/reflector.ts';
import { configMaps } from '../../adapters/kubernetes/resources.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { Log } from '../../reconcile/ports.ts';
import { UserError } from '../exit-code.ts';
import { runSelector, type RunClient } from './run-client.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** One look at a time: changes that come meanwhile are one more look. */
export class RecordWatch {
  readonly #clock: Clock;
  readonly #reflector: Reflector<ObservedRecord>;
  #changed = false;
  #failure: ApiFailure | undefined;
  #wake: (() => void) | undefined;

  /** `workflow`: logical name; undefined: all records. `name`: only that record counts. */
  constructor(runs: RunClient, clock: Clock, { workflow, name }: { readonly workflow?: string | undefined; readonly name?: string | undefined }) {
    this.#clock = clock;
    this.#reflector = new Reflector<ObservedRecord>({
      client: runs.client,
      clock,
      random: () => 0.5,
      resource: configMaps,
      labelSelector: runSelector(runs.instance, workflow),
      metadataOnly: true,
      project: (raw) => projectRecord(raw, runs.instance),
      onChange: (change) => {
        if (name === undefined || name === (change.kind === 'deleted' ? change.before : change.after).name) this.#ring();
      },
      onState: () => {
        this.#failure = this.#reflector.failure;
        if (this.#failure && isForbidden(this.#failure)) this.#ring();
      },
      log: silent,
    });
    this.#reflector.start();
  }

  /** Whoever waits for a change waits no longer. */
  stop(): Promise<void> {
    this.#ring();
    return this.#reflector.stop();
  }

  /** Whether something has changed since the last call, waiting for it at most `limit` milliseconds. Rejects where the right to watch is missing. */
  async changed(limit: number): Promise<boolean> {
    if (!this.#changed) await this.#wait(limit);
    const changed = this.#changed;
    this.#changed = false;
    const failure = this.#failure;
    if (failure && isForbidden(failure)) throw new UserError(`cannot follow runs: ${failure.message}`);
    return changed;
  }

  async #wait(limit: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#clock.timer(limit, () => { resolve(undefined); });
    this.#wake = () => { resolve(undefined); };
    await promise;
    timer.cancel();
  }

  #ring(): void {
    this.#changed = true;
    this.#wake?.();
  }
}
