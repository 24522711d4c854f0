/** Groups that specs name and that none of the Limits beside them has. */
import { anyOf, shown } from '../../lib/show.ts';
import { nearest } from '../../lib/nearest.ts';
import type { Spec } from '../../spec/parsed.ts';
import { problemCodes } from '../../spec/problem-codes.ts';
import type { Position, Problem } from '../../spec/problem.ts';

/** One spec that is valid, and where it stands. */
export interface PlacedSpec {
  readonly spec: Spec;
  readonly start: Position;
  /** Namespace and instance: Limits of another bound nothing here. */
  readonly scope: string;
}

/**
 * A warning for each spec whose group nobody declares. Where no Limits is at hand, they are somewhere else, and nothing is
 * known about groups. `ceilings`: groups of the operator's configuration, where that is at hand.
 */
export function unknownGroups(specs: readonly PlacedSpec[], ceilings: readonly string[] = []): Problem[] {
  const declared = new Map<string, string[]>();
  for (const { spec, scope } of specs) if (spec.kind === 'Limits') declared.set(scope, [...(declared.get(scope) ?? ceilings), ...spec.groups.keys()]);
  return specs.flatMap(({ spec, start, scope }) => {
    const group = 'concurrency' in spec ? spec.concurrency.group : undefined;
    const known = declared.get(scope);
    return group === undefined || known === undefined || known.includes(group) ? [] : [unknown(group, known, start)];
  });
}

function unknown(group: string, known: readonly string[], position: Position): Problem {
  const guess = nearest(group, known);
  return {
    code: 'UnknownGroup',
    severity: problemCodes.UnknownGroup,
    message: `no Limits here has the group ${shown(group)}: until one has, the spec starts nothing`,
    path: 'concurrency.group',
    position,
    hint: guess === undefined ? (known.length === 0 ? 'add it to groups of a Limits' : `the groups are ${anyOf(known)}`) : `did you mean ${shown(guess)}?`,
  };
}
