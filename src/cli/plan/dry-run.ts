/** Whether the operator's policy and the API server would take the Jobs of a text, asked as the controller asks: nothing is stored. */
import type { Clock } from '../../lib/clock.ts';
import type { VerdictDemand } from '../../plan/action.ts';
import type { SpecKey, TemplateVerdict } from '../../plan/observed.ts';
import { jobs } from '../../adapters/kubernetes/resources.ts';
import { TemplateChecker } from '../../reconcile/template-checker.ts';
import type { PodPolicy } from '../../spec/pod-policy/policy.ts';
import type { ApiClient } from '../runs/run-client.ts';

export interface DryRunDeps {
  readonly client: Pick<ApiClient, 'dryRun'>;
  readonly clock: Clock;
  readonly policy: PodPolicy;
}

/** Its questions stand beside nobody else's. */
const key: SpecKey = { kind: 'unknown', name: 'plan' };

/** Never rejects for an answer of the API server. */
export function dryRun({ client, clock, policy }: DryRunDeps, demand: VerdictDemand): Promise<TemplateVerdict['result']> {
  return new Promise((resolve) => {
    const checker: TemplateChecker = new TemplateChecker({
      clock,
      policy,
      jobs: { dryRun: (manifest) => client.dryRun(jobs, manifest) },
      changed: () => { resolve(checker.verdict(key)?.result ?? { kind: 'unknown', message: 'no answer' }); },
    });
    checker.ask(key, { ...demand, notBefore: 0 });
  });
}
