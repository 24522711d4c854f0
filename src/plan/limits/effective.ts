/** All Limits of an instance and the operator's ceilings as one: each bound is the smallest that anybody sets. */
import type { LimitFields } from '../../spec/limits.ts';
import type { StartRate } from '../../spec/start-rate.ts';
import type { Claim } from '../observed.ts';
import { describeProblem } from '../status.ts';
import { sourceName, winningClaim } from '../winner.ts';

/** What holds for the instance. */
export interface EffectiveLimits {
  readonly maxJobs: number | undefined;
  readonly groups: ReadonlyMap<string, number>;
  /** Each holds by itself: of two rates over different times neither is the smaller one. */
  readonly rates: readonly StartRate[];
  /** Names of Limits that suspend the instance. */
  readonly suspendedBy: readonly string[];
  /** Limits of which nobody knows what they say. */
  readonly broken: readonly { readonly name: string; readonly problem: string }[];
}

export const noCeilings: LimitFields = { maxJobs: undefined, groups: new Map(), startRate: undefined };

/** Nothing is bounded. */
export const noLimits: EffectiveLimits = { maxJobs: undefined, groups: new Map(), rates: [], suspendedBy: [], broken: [] };

/** `claims`: those of each logical name; of one name the winner counts, as for every kind. */
export function effectiveLimits(claims: readonly (readonly Claim[])[], ceilings: LimitFields): EffectiveLimits {
  const winners = claims.flatMap((of) => winningClaim(of)?.claim ?? []);
  const specs = winners.flatMap(({ parsed: { spec } }) => (spec?.kind === 'Limits' ? [spec] : []));
  const fields = [ceilings, ...specs];
  return {
    maxJobs: fields.reduce<number | undefined>((least, { maxJobs }) => smaller(least, maxJobs), undefined),
    groups: smallestOfEach(fields),
    rates: distinct(fields.flatMap(({ startRate }) => startRate ?? [])),
    suspendedBy: specs.filter(({ suspend }) => suspend).map(({ name }) => name),
    broken: winners.filter(({ parsed }) => parsed.spec === undefined).map((claim) => ({ name: sourceName(claim), problem: firstProblem(claim) })),
  };
}

/** Whether nothing at all is bounded: then nobody needs to ask. */
export function isUnlimited({ maxJobs, groups, rates, suspendedBy, broken }: EffectiveLimits): boolean {
  return maxJobs === undefined && groups.size + rates.length + suspendedBy.length + broken.length === 0;
}

/** Whether nobody could tell the two apart. */
export function sameLimits(left: EffectiveLimits, right: EffectiveLimits): boolean {
  const text = ({ groups, ...rest }: EffectiveLimits): string => JSON.stringify([...Object.values(rest), [...groups].sort()]);
  return text(left) === text(right);
}

function smaller(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return Math.min(left, right);
}

function smallestOfEach(fields: readonly LimitFields[]): ReadonlyMap<string, number> {
  const least = new Map<string, number>();
  for (const { groups } of fields) for (const [name, max] of groups) least.set(name, Math.min(max, least.get(name) ?? Infinity));
  return least;
}

function distinct(rates: readonly StartRate[]): readonly StartRate[] {
  return [...new Map(rates.map((rate) => [`${rate.starts}/${rate.within}`, rate])).values()];
}

function firstProblem({ parsed }: Claim): string {
  const problem = parsed.problems.find(({ severity }) => severity === 'error');
  return problem ? describeProblem(problem) : 'it cannot be read';
}
