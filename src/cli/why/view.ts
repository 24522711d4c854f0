/** What explanations are made from: the cluster as it was read, and two things that are asked for only where they are needed. */
import type { ExplanationDemand } from '../../plan/action.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import type { EventReader } from '../../reconcile/ports.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import type { Spec } from '../../spec/parsed.ts';
import type { LiveCluster, LiveSpec } from '../live/live-cluster.ts';
import type { FullQuota } from '../live/quotas.ts';
import { answerTo } from './answers.ts';
import type { AnswerFacts } from './answer.ts';
import { few, link, type Link } from './link.ts';

export interface View {
  readonly live: LiveCluster;
  readonly environment: PlanEnvironment;
  /** A record with its data; undefined: it has gone meanwhile. */
  readonly content: (run: string) => Promise<StoredRecord | undefined>;
  readonly events: EventReader;
  /** Asked once, by the first who needs it. */
  readonly quotas: () => Promise<readonly FullQuota[]>;
}

/** Objects whose Events are read for one explanation: each question makes the API server walk over all of the namespace. */
const mostAsked = 5;

/** What the cluster itself says about objects that say nothing, by their UID. */
export async function explanationsFor({ events }: View, demands: readonly { readonly kind: string }[]): Promise<ReadonlyMap<string, string>> {
  const objects = demands.filter(isExplanation).flatMap((demand) => demand.objects).slice(0, mostAsked);
  const texts = await Promise.all(objects.map(async (object) => [object.uid, (await events.texts(object))[0]] as const));
  return new Map(texts.flatMap(([uid, text]) => (text === undefined ? [] : [[uid, text]])));
}

function isExplanation(demand: { readonly kind: string }): demand is ExplanationDemand {
  return demand.kind === 'explanation';
}

const missing: ReadonlySet<string> = new Set(['StepDue', 'NoPodCreated', 'QuotaExceeded', 'WaitsForCapacity']);

/** Quotas that leave nothing, behind a Job or a pod that should be there and is not. */
export async function quotaLinks(view: Pick<View, 'quotas'>, reason: string): Promise<readonly Link[]> {
  if (!missing.has(reason)) return [];
  return few((await view.quotas()).map(({ name, resource, used, hard }) => link({ subject: `resourcequota/${name}`, state: 'Full', reason: '', message: `${resource}: ${used} of ${hard}` })), 'quotas');
}

/** What would end the wait of this spec, or of a run or step of it. */
export function unblockOf({ live }: View, { kind, name, claim }: Pick<LiveSpec, 'kind' | 'name'> & Partial<Pick<LiveSpec, 'claim'>>, reason: string, facts: Partial<AnswerFacts> = {}): string {
  const configMap = claim?.source.kind === 'configMap' ? claim.source.name : undefined;
  const all = { namespace: live.namespace, kind: kind.toLowerCase(), name, configMap, runs: runsOf(claim?.parsed.spec), run: undefined, step: undefined, object: undefined, ...facts };
  return answerTo(reason, all, facts.step !== undefined);
}

/** What messages start runs of, as `template "a"`. */
function runsOf(spec: Spec | undefined): string | undefined {
  return spec?.kind === 'Queue' && spec.mode !== 'drain' && spec.run ? `${spec.run.target.kind} "${spec.run.target.name}"` : undefined;
}
