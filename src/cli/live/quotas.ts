/** Quotas of the namespace that leave nothing: why a Job or a pod is not there although all else says that it should be. */
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { quotas } from '../../adapters/kubernetes/resources.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import { objectAt, stringAt } from '../../lib/json.ts';
import { parseNano } from '../../lib/quantity.ts';

export interface FullQuota {
  /** Of the ResourceQuota. */
  readonly name: string;
  /** Such as `count/jobs.batch`. */
  readonly resource: string;
  readonly used: string;
  readonly hard: string;
}

/** Who may not list them sees none: nothing is concluded from that. */
export async function fullQuotas(client: Pick<KubernetesClient, 'list'>): Promise<readonly FullQuota[]> {
  const result = await client.list(quotas);
  return result.kind === 'page' ? result.page.items.flatMap(fullOf) : [];
}

function fullOf(raw: unknown): readonly FullQuota[] {
  const status = objectAt(raw, 'status');
  const [hard, used] = [objectAt(status, 'hard'), objectAt(status, 'used')];
  return Object.keys(hard).flatMap((resource): FullQuota[] => {
    const most = stringAt(hard, resource) ?? '';
    const now = stringAt(used, resource) ?? '';
    const [limit, amount] = [parseNano(most), parseNano(now)];
    return limit === undefined || amount === undefined || amount < limit ? [] : [{ name: identityOf(raw)?.name ?? '', resource, used: now, hard: most }];
  });
}
