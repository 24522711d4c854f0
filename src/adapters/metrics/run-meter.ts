/** What is counted about runs, over prom-client. Series of a workflow start at zero with it and go with it. */
import type { SpecKey } from '../../plan/observed.ts';
import type { RunMeter } from '../../reconcile/meter.ts';
import { closed, missedWhys, results, runOutcomes, stepOutcomes, triggers } from './closed.ts';
import { metrics } from './names.ts';
import { counter, gauge, histogram, type MetricRegistry } from './registry.ts';

export function createRunMeter(registry: MetricRegistry): RunMeter {
  const series = new WorkflowSeries(registry);
  const duration = histogram(registry, metrics.wholeRunDuration);
  const edge = histogram(registry, metrics.stepEdge);
  const writes = counter(registry, metrics.recordWrites);
  return {
    active: (workflow, runs) => series.active.set(series.labels(workflow), runs),
    finished: (workflow, { trigger, outcome, seconds }) => {
      series.runs.inc({ ...series.labels(workflow), trigger, outcome });
      duration.observe({ kind: workflow.kind, outcome }, seconds);
    },
    step: (workflow, outcome) => series.steps.inc({ ...series.labels(workflow), outcome }),
    edge: (seconds) => edge.observe(seconds),
    missed: (workflow, why) => series.missed.inc({ ...series.labels(workflow), why }),
    recordWrite: (result) => writes.inc({ result: closed(result, results) }),
    forget: (workflow) => series.forget(workflow),
  };
}

class WorkflowSeries {
  readonly active;
  readonly runs;
  readonly steps;
  readonly missed;
  readonly #known = new Set<string>();

  constructor(registry: MetricRegistry) {
    this.active = gauge(registry, metrics.runsActive);
    this.runs = counter(registry, metrics.runs);
    this.steps = counter(registry, metrics.steps);
    this.missed = counter(registry, metrics.schedulesMissed);
  }

  /** The labels of the workflow's series, which exist from here on: a rate over the first failure must not be lost. */
  labels({ kind, name }: SpecKey): { kind: string; name: string } {
    const labels = { kind, name };
    const id = `${kind}/${name}`;
    if (this.#known.has(id)) return labels;
    this.#known.add(id);
    this.active.set(labels, 0);
    for (const trigger of triggers) for (const outcome of runOutcomes) this.runs.inc({ ...labels, trigger, outcome }, 0);
    for (const outcome of stepOutcomes) this.steps.inc({ ...labels, outcome }, 0);
    for (const why of missedWhys) this.missed.inc({ ...labels, why }, 0);
    return labels;
  }

  forget({ kind, name }: SpecKey): void {
    const labels = { kind, name };
    if (!this.#known.delete(`${kind}/${name}`)) return;
    this.active.remove(labels);
    for (const trigger of triggers) for (const outcome of runOutcomes) this.runs.remove({ ...labels, trigger, outcome });
    for (const outcome of stepOutcomes) this.steps.remove({ ...labels, outcome });
    for (const why of missedWhys) this.missed.remove({ ...labels, why });
  }
}
