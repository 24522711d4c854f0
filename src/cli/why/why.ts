/** Finds what somebody asked about, and explains it. */
import type { Clock } from '../../lib/clock.ts';
import { lazy } from '../../lib/lazy.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import { KubernetesEventReader } from '../../adapters/kubernetes/event-reader.ts';
import { UserError } from '../exit-code.ts';
import { fullQuotas } from '../live/quotas.ts';
import { readLive, type LiveSpec } from '../live/live-cluster.ts';
import { specTitle } from '../live/spec-key.ts';
import { hint } from '../runs/lookup.ts';
import { readTarget, targetText, type Target } from '../runs/target.ts';
import type { RunClient } from '../runs/run-client.ts';
import { explainQueue } from './explain-queue.ts';
import { explainRequest } from './explain-request.ts';
import { explainRun } from './explain-run.ts';
import { explainLimits } from './explain-limits.ts';
import { explainOther } from './explain-other.ts';
import { explainWorkflow } from './explain-workflow.ts';
import type { Link } from './link.ts';
import type { View } from './view.ts';

export interface WhyOptions {
  /** `NAME`, `kind/NAME`, or the name of a run. */
  readonly name: string;
  /** Of a run. */
  readonly step: string | undefined;
}

export interface WhyDeps {
  readonly runs: RunClient;
  readonly clock: Clock;
}

/** One chain for each thing of that name. Throws a UserError where there is none. */
export async function why({ runs, clock }: WhyDeps, options: WhyOptions): Promise<readonly Link[]> {
  const live = await readLive({ runs, clock });
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  // What an operator injects is not known here, and changes nothing about when something starts.
  const environment: PlanEnvironment = { instance: live.instance, namespace: live.namespace, injection: () => undefined };
  const quotas = lazy(() => fullQuotas(runs.client));
  const view: View = { live, quotas, environment, content: (name) => runs.content(name), events: new KubernetesEventReader({ client: runs.client, log }) };
  const target = readTarget(options.name);
  const found = find(view, target);
  if (found.length === 0) throw new UserError(nothingFound(view, target));
  return Promise.all(found.map((subject) => explain(view, subject, options)));
}

type Subject = { readonly kind: 'run'; readonly record: ObservedRecord } | { readonly kind: 'spec'; readonly key: LiveSpec['key']; readonly named: Pick<LiveSpec, 'kind' | 'name'> };

/** A run's name is nobody else's; a logical name may be that of a queue and of a workflow. */
function find({ live }: View, { kind, name: bare }: Target): readonly Subject[] {
  const record = kind === undefined || kind === 'run' ? live.records.find((each) => each.name === bare) : undefined;
  if (record) return [{ kind: 'run', record }];
  const specs = live.specs.filter((spec) => spec.name === bare && (kind === undefined || spec.kind.toLowerCase() === kind));
  const defined = new Map(specs.map((spec) => [spec.key.kind, { kind: 'spec', key: spec.key, named: spec } as const]));
  if (defined.size > 0) return [...defined.values()];
  // Runs outlive what they are runs of.
  const left = live.records.find((each) => targetName(each) === bare && (kind === undefined || each.target.kind === kind));
  return left ? [{ kind: 'spec', key: left.target, named: { kind: left.target.kind, name: bare } }] : [];
}

function nothingFound({ live }: View, target: Target): string {
  const { kind, name } = target;
  const other = live.specs.find((spec) => spec.name === name);
  if (other) return `there is no ${targetText(target)} in namespace ${live.namespace}; did you mean "${specTitle(other.kind, other.name)}"?`;
  const known = [...live.specs.flatMap((spec) => [spec.name, `${spec.kind.toLowerCase()}/${spec.name}`]), ...live.records.map((record) => record.name)];
  return `there is no ${kind === undefined ? 'spec and no run ' : ''}${targetText(target)} in namespace ${live.namespace}${hint(name, known, known.length === 0 ? 'there are none at all' : 'job-chief status lists them')}`;
}

async function explain(view: View, subject: Subject, { name, step }: WhyOptions): Promise<Link> {
  if (subject.kind === 'run') return explainRun(view, subject.record, { step });
  if (step !== undefined) throw new UserError(`"${name}" is no run, and only runs have steps: name one of its runs, job-chief status ${name} lists them`);
  const { key, named } = subject;
  switch (key.kind) {
    case 'queue':
      return explainQueue(view, key, named, explainRun);
    case 'workflow':
    case 'template':
      return explainWorkflow(view, key, named, explainRun);
    case 'limits':
      return explainLimits(view, key, named);
    case 'request':
      return explainRequest(view, key, named, explainRun);
    case 'run':
    case 'unknown':
      return explainOther(view, key, named);
  }
}
