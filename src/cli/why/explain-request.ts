/** Why a Run has not asked for its run yet, or what has become of the run that it asked for. */
import { planRequest } from '../../plan/request/plan-request.ts';
import { observeRequest } from '../live/observe-request.ts';
import type { LiveSpec } from '../live/live-cluster.ts';
import { specTitle } from '../live/spec-key.ts';
import { definitionOf, losersOf, toldOf, undefinedSpec } from './explain-spec.ts';
import { explainAdmission, type ExplainRun } from './explain-workflow.ts';
import { link, type Link } from './link.ts';
import { unblockOf, type View } from './view.ts';

export async function explainRequest(view: View, key: LiveSpec['key'], { kind, name }: Pick<LiveSpec, 'kind' | 'name'>, explainRun: ExplainRun): Promise<Link> {
  const { live, environment } = view;
  const definition = definitionOf(view, key);
  const { claims, winner, index } = definition;
  const observed = observeRequest(live, key, { claims, word: winner?.word, claimsOf: (target) => definitionOf(view, target).claims });
  const status = planRequest(observed, environment, live.now).statuses.find(({ claim }) => claim === index)?.status;
  if (!winner || !status) return undefinedSpec(view, { kind, name }, []);
  const told = toldOf(status, winner);
  const { spec } = winner.claim.parsed;
  const { record } = observed;
  const target = observed.target && live.specs.find(({ claim }) => claim === observed.target);
  const behind = record ? await explainRun(view, record) : target && spec?.kind === 'Run' ? explainAdmission(view, target.key, target) : undefined;
  return link({
    subject: specTitle(kind, name),
    ...told,
    unblock: unblockOf(view, winner, told.reason, { run: record?.name }),
    because: [...(behind ? [behind] : []), ...losersOf(view, definition)],
  });
}
