/** Asks the operator's policy and then the API server, once per spec hash, whether they would take the Jobs that a spec describes. */
import type { Clock } from '../lib/clock.ts';
import type { VerdictDemand } from '../plan/action.ts';
import type { SpecKey, TemplateVerdict } from '../plan/observed.ts';
import { specText } from './key.ts';
import { policyFindings } from '../spec/pod-policy/check.ts';
import { policyText } from '../spec/pod-policy/finding.ts';
import type { PodPolicy } from '../spec/pod-policy/policy.ts';
import type { JobApi, WriteResult } from './ports.ts';

/** One for all specs; verdicts are remembered until their spec is forgotten. */
export class TemplateChecker {
  readonly #clock: Clock;
  readonly #jobs: Pick<JobApi, 'dryRun'>;
  readonly #policy: PodPolicy;
  readonly #changed: (key: SpecKey) => void;
  readonly #verdicts = new Map<string, TemplateVerdict>();
  /** Hash under way, by key. */
  readonly #underWay = new Map<string, string>();

  constructor(options: { clock: Clock; jobs: Pick<JobApi, 'dryRun'>; policy: PodPolicy; changed: (key: SpecKey) => void }) {
    this.#clock = options.clock;
    this.#jobs = options.jobs;
    this.#policy = options.policy;
    this.#changed = options.changed;
  }

  verdict(key: SpecKey): TemplateVerdict | undefined {
    return this.#verdicts.get(specText(key));
  }

  ask(key: SpecKey, demand: VerdictDemand | undefined): void {
    if (!demand || this.#underWay.get(specText(key)) === demand.hash || this.#clock.now() < demand.notBefore) return;
    this.#underWay.set(specText(key), demand.hash);
    void this.#check(key, demand);
  }

  forget(key: SpecKey): void {
    this.#verdicts.delete(specText(key));
    this.#underWay.delete(specText(key));
  }

  /** Stops asking once one has not passed. */
  async #judgeAll({ manifests }: VerdictDemand): Promise<TemplateVerdict['result']> {
    const denied = deniedBy(this.#policy, manifests);
    if (denied !== undefined) return { kind: 'denied', message: denied };
    const verdicts: { what: string; result: TemplateVerdict['result'] }[] = [];
    for (let from = 0; from < manifests.length; from += atOnce) {
      const some = await Promise.all(manifests.slice(from, from + atOnce).map(async ({ what, manifest }) => ({ what, result: judge(await this.#jobs.dryRun(manifest)) })));
      verdicts.push(...some);
      if (some.some(({ result }) => result.kind !== 'passed')) break;
    }
    return together(verdicts);
  }

  async #check(key: SpecKey, demand: VerdictDemand): Promise<void> {
    const text = specText(key);
    const result = await this.#judgeAll(demand);
    // A newer revision was asked about meanwhile, or the spec is gone.
    if (this.#underWay.get(text) !== demand.hash) return;
    this.#underWay.delete(text);
    const before = this.#verdicts.get(text);
    const repeated = before?.hash === demand.hash && before.result.kind === result.kind;
    this.#verdicts.set(text, { hash: demand.hash, at: this.#clock.now(), count: repeated ? before.count + 1 : 1, result });
    this.#changed(key);
  }
}

/** Dry runs of one spec at once. */
const atOnce = 8;

/** What the policy has against the first template that it does not let pass. References in it that are still open are judged with their values, before each create. */
export function deniedBy(policy: PodPolicy, manifests: VerdictDemand['manifests']): string | undefined {
  for (const { what, manifest, open, ours = [] } of manifests) {
    const findings = policyFindings(open ?? manifest, policy, { ours, open: open !== undefined });
    if (findings.length > 0) return what === '' ? policyText(findings) : `${what}: ${policyText(findings)}`;
  }
  return undefined;
}

/** The verdict on all templates together: the first that did not pass, else all warnings. */
function together(verdicts: readonly { readonly what: string; readonly result: TemplateVerdict['result'] }[]): TemplateVerdict['result'] {
  for (const { what, result } of verdicts) if (result.kind !== 'passed') return { kind: result.kind, message: what === '' ? result.message : `${what}: ${result.message}` };
  const warnings = verdicts.flatMap(({ what, result }) => (result.kind === 'passed' ? result.warnings.map((text) => (what === '' ? text : `${what}: ${text}`)) : []));
  return { kind: 'passed', warnings };
}

/** A full quota says nothing about the template: it is the last check in admission, all others have passed. */
function judge(answer: WriteResult): TemplateVerdict['result'] {
  switch (answer.kind) {
    case 'done':
      return { kind: 'passed', warnings: answer.warnings };
    case 'quota':
      return { kind: 'passed', warnings: [] };
    case 'refused':
    case 'forbidden':
      return { kind: answer.kind, message: answer.message };
    case 'conflict':
    case 'unknown':
      return { kind: 'unknown', message: answer.message };
    case 'exists':
    case 'gone':
      return { kind: 'unknown', message: `unexpected answer: ${answer.kind}` };
  }
}
