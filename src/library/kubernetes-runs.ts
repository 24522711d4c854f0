/** A client that goes straight to the Kubernetes API, with the rights of whoever runs the program: no controller has to answer. */
import { randomUUID } from 'node:crypto';
import { NoAnswer } from '../cli/exit-code.ts';
import { cancelRun } from '../cli/runs/commands.ts';
import { RecordWatch } from '../cli/runs/record-watch.ts';
import type { RunClient } from '../cli/runs/run-client.ts';
import { submitRun } from '../cli/runs/submit.ts';
import type { Clock } from '../lib/clock.ts';
import { isOver } from '../plan/run/summary.ts';
import { ClientError, clientError } from './client-error.ts';
import { onlyChanges, targetIn } from './asking.ts';
import type { Client, ListOptions, Run, SubmitRequest, Submitted, WaitOptions } from './client-types.ts';
import { runView } from './run-view.ts';

export interface KubernetesRunsDeps {
  readonly runs: RunClient;
  readonly clock: Clock;
  readonly close: () => Promise<void>;
}

/** A look now and then costs nothing, should a watch ever miss something. */
const longestPause = 60_000;
const pauseWithoutAnswer = 5_000;

export class KubernetesRuns implements Client {
  readonly #runs: RunClient;
  readonly #clock: Clock;
  readonly #close: () => Promise<void>;

  constructor({ runs, clock, close }: KubernetesRunsDeps) {
    this.#runs = runs;
    this.#clock = clock;
    this.#close = close;
  }

  submit(request: SubmitRequest): Promise<Submitted> {
    return told(async () => {
      const target = targetIn(request);
      const given = { assignments: [], document: request.parameters ?? {} };
      const { name, notes } = await submitRun({ runs: this.#runs, random: randomUUID }, { target, given, key: request.key });
      return { name, notes };
    });
  }

  run(name: string): Promise<Run | undefined> {
    return told(async () => {
      const found = await this.#runs.run(name);
      return found && runView(found.record);
    });
  }

  runs(options: ListOptions = {}): Promise<readonly Run[]> {
    return told(async () => {
      const target = options.workflow === undefined && options.template === undefined ? undefined : targetIn(options);
      const records = await this.#runs.runs(target?.name);
      return records.map(runView).filter((run) => target === undefined || (run.target.kind === target.kind && run.target.name === target.name));
    });
  }

  wait(name: string, options: WaitOptions = {}): Promise<Run> {
    return told(() => this.#wait(name, options));
  }

  cancel(name: string, reason = 'cancelled by a program'): Promise<void> {
    return told(async () => {
      await cancelRun(this.#runs, name, { reason });
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #wait(name: string, { timeout = Number.POSITIVE_INFINITY, signal, onChange }: WaitOptions): Promise<Run> {
    const until = this.#clock.monotonic() + timeout;
    const watch = new RecordWatch(this.#runs, this.#clock, { name });
    const stop = (): void => void watch.stop();
    signal?.addEventListener('abort', stop);
    try {
      const tell = onlyChanges(onChange);
      for (;;) {
        signal?.throwIfAborted();
        const run = await this.#look(name);
        if (run) tell(run);
        if (run && isOver(run.phase)) return run;
        const left = until - this.#clock.monotonic();
        if (left <= 0) throw new ClientError('TimedOut', `run "${name}" is not over after ${timeout} ms; it goes on`);
        await watch.changed(Math.min(left, run ? longestPause : pauseWithoutAnswer));
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      await watch.stop();
    }
  }

  /** undefined: no answer, which is waited for. */
  async #look(name: string): Promise<Run | undefined> {
    try {
      const found = await this.#runs.run(name);
      if (!found) throw new ClientError('Refused', `there is no run "${name}" in namespace ${this.#runs.namespace}`);
      return runView(found.record);
    } catch (error) {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    }
  }
}

async function told<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    throw clientError(error);
  }
}
