/** The shell's Meter over prom-client: what happens per spec. Series start at zero with a spec and go with it. */
import { reasons, type Reason } from '../../plan/reason.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Meter } from '../../reconcile/meter.ts';
import { closed, failureReasons, results } from './closed.ts';
import { metrics } from './names.ts';
import { counter, histogram, type MetricRegistry } from './registry.ts';
import { SpecSeries } from './spec-series.ts';

const knownFailures: readonly string[] = [...new Set([...failureReasons, ...Object.keys(reasons)])];

export interface MeterDeps {
  readonly registry: MetricRegistry;
  readonly clock: Clock;
}

export function createMeter({ registry, clock }: MeterDeps): Meter {
  const shell = shellInstruments(registry);
  const specs = new SpecSeries(registry);
  return {
    round: (kind, result, seconds) => {
      shell.rounds.inc({ kind, result });
      shell.roundDuration.observe({ kind }, seconds);
    },
    action: (key, action, reason: Reason, result) => {
      shell.actions.inc({ kind: key.kind, action, reason, result: closed(result, results) });
    },
    finished: (key, outcome, reason, { ran, startup }) => {
      specs.finished(key, outcome, ran ?? 0);
      if (outcome === 'succeeded') specs.succeeded(key, clock.now() / 1000);
      else shell.failures.inc({ kind: key.kind, reason: closed(reason, knownFailures) });
      if (ran !== undefined) shell.runDuration.observe({ kind: key.kind, outcome }, ran);
      if (startup !== undefined) shell.startup.observe({ kind: key.kind }, startup);
    },
    spec: (key, view) => specs.show(key, view),
    depth: (key, ready, seconds) => {
      specs.depth(key, ready);
      shell.readDuration.observe({ kind: key.kind }, seconds);
    },
    created: (key, seconds) => {
      specs.created(key);
      shell.creationLatency.observe({ kind: key.kind }, seconds);
    },
    forget: (key) => specs.forget(key),
  };
}

/** Series without a spec's name: they cost the same however many specs there are. */
function shellInstruments(registry: MetricRegistry) {
  return {
    rounds: counter(registry, metrics.rounds),
    roundDuration: histogram(registry, metrics.roundDuration),
    actions: counter(registry, metrics.actions),
    failures: counter(registry, metrics.jobFailures),
    runDuration: histogram(registry, metrics.runDuration),
    startup: histogram(registry, metrics.startup),
    readDuration: histogram(registry, metrics.queueReadDuration),
    creationLatency: histogram(registry, metrics.creationLatency),
  };
}
