/** Metrics that carry the name of a spec: at zero when it appears, gone with it. */
import { outcomes, type Outcome } from '../../plan/notes.ts';
import type { State } from '../../plan/action.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { Meter } from '../../reconcile/meter.ts';
import { metrics } from './names.ts';
import { counter, gauge, type MetricRegistry } from './registry.ts';

const readResults = ['known', 'unknown'] as const;

/**
 * Series that carry a spec's name. The first call about a spec makes them all, at zero, so that a rate over the first
 * failure is not lost; a Job that outlives its spec makes them again, until the next `forget`.
 */
export class SpecSeries {
  readonly #accepted;
  readonly #state;
  readonly #claims;
  readonly #live;
  readonly #created;
  readonly #finished;
  readonly #runSeconds;
  readonly #lastSuccess;
  readonly #ready;
  readonly #reads;
  /** Known specs and the state that each shows. */
  readonly #states = new Map<string, State | undefined>();

  constructor(registry: MetricRegistry) {
    this.#accepted = gauge(registry, metrics.specAccepted);
    this.#state = gauge(registry, metrics.specState);
    this.#claims = gauge(registry, metrics.specClaims);
    this.#live = gauge(registry, metrics.jobsLive);
    this.#created = counter(registry, metrics.jobsCreated);
    this.#finished = counter(registry, metrics.jobsFinished);
    this.#runSeconds = counter(registry, metrics.jobRunSeconds);
    this.#lastSuccess = gauge(registry, metrics.lastSuccess);
    this.#ready = gauge(registry, metrics.queueReady);
    this.#reads = counter(registry, metrics.queueReads);
  }

  show(key: SpecKey, view: Parameters<Meter['spec']>[1]): void {
    const labels = this.#labels(key);
    const shown = this.#states.get(id(key));
    if (shown !== undefined && shown !== view.state) this.#state.remove({ ...labels, state: shown });
    this.#states.set(id(key), view.state);
    this.#state.set({ ...labels, state: view.state }, 1);
    this.#accepted.set(labels, view.accepted ? 1 : 0);
    this.#claims.set(labels, view.claims);
    this.#live.set(labels, view.liveJobs);
  }

  finished(key: SpecKey, outcome: Outcome, ran: number): void {
    const labels = this.#labels(key);
    this.#finished.inc({ ...labels, outcome });
    this.#runSeconds.inc(labels, Math.max(0, ran));
  }

  succeeded(key: SpecKey, at: number): void {
    this.#lastSuccess.set(this.#labels(key), at);
  }

  created(key: SpecKey): void {
    this.#created.inc(this.#labels(key));
  }

  depth(key: SpecKey, ready: number | undefined): void {
    const labels = this.#labels(key);
    this.#reads.inc({ ...labels, result: ready === undefined ? 'unknown' : 'known' });
    if (ready === undefined) this.#ready.remove(labels);
    else this.#ready.set(labels, ready);
  }

  forget(key: SpecKey): void {
    const labels = { kind: key.kind, name: key.name };
    const shown = this.#states.get(id(key));
    this.#states.delete(id(key));
    if (shown !== undefined) this.#state.remove({ ...labels, state: shown });
    for (const one of [this.#accepted, this.#claims, this.#live, this.#lastSuccess, this.#ready]) one.remove(labels);
    for (const one of [this.#created, this.#runSeconds]) one.remove(labels);
    for (const outcome of outcomes) this.#finished.remove({ ...labels, outcome });
    for (const result of readResults) this.#reads.remove({ ...labels, result });
  }

  /** The labels of the spec's series, which exist from here on. */
  #labels(key: SpecKey): { kind: string; name: string } {
    const labels = { kind: key.kind, name: key.name };
    if (this.#states.has(id(key))) return labels;
    this.#states.set(id(key), undefined);
    this.#created.inc(labels, 0);
    this.#runSeconds.inc(labels, 0);
    for (const outcome of outcomes) this.#finished.inc({ ...labels, outcome }, 0);
    for (const result of readResults) this.#reads.inc({ ...labels, result }, 0);
    return labels;
  }
}

function id(key: SpecKey): string {
  return `${key.kind}/${key.name}`;
}
