/** Reads every spec of the sources with the controller's own parser, and compares their names. */
import { shown } from '../../lib/show.ts';
import { parseSpec } from '../../spec/parse.ts';
import type { ParsedSpec, SpecEnvironment } from '../../spec/parsed.ts';
import { problemCodes } from '../../spec/problem-codes.ts';
import type { Position, Problem } from '../../spec/problem.ts';
import type { SourceText } from './files.ts';
import { unknownGroups, type PlacedSpec } from './groups.ts';
import { shortLeases } from './leases.ts';
import { findSpecs, type FoundSpec } from './manifests.ts';
import { misfitRequests } from './requests.ts';
import type { LintResult } from './result.ts';

interface Checked {
  readonly found: FoundSpec;
  readonly parsed: ParsedSpec;
  readonly start: Position;
}

/** Checks all sources as one set. */
export function checkSources(sources: readonly SourceText[], environment: SpecEnvironment): LintResult {
  const found = sources.map(findSpecs);
  const checked = found.flatMap(({ specs }) => specs).map((spec) => check(spec, environment));
  const problems = [
    ...found.flatMap((one) => one.problems),
    ...checked.flatMap(({ parsed, found: { place } }) => parsed.problems.map(place)),
    ...duplicates(checked),
    ...unknownGroups(checked.flatMap(placed)),
    ...misfitRequests(checked),
    ...shortLeases(checked),
  ];
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  return {
    specs: checked.map(({ parsed, found: { input, namespace, instance } }) => ({ file: input.file, kind: parsed.kind, name: parsed.name, spec: parsed.spec, parsed, input, namespace, instance })),
    problems: problems.toSorted((left, right) => compare(left.position, right.position, order)),
  };
}

function check(found: FoundSpec, environment: SpecEnvironment): Checked {
  const parsed = parseSpec(found.input, environment);
  const probe: Problem = { code: 'DuplicateName', severity: 'error', message: '', position: { file: found.input.file, line: 1, column: 1 } };
  return { found, parsed, start: found.place(probe).position ?? { file: found.input.file, line: 1, column: 1 } };
}

function placed({ parsed: { spec }, start, found: { namespace, instance } }: Checked): PlacedSpec[] {
  return spec ? [{ spec, start, scope: JSON.stringify([namespace, instance]) }] : [];
}

/** Two specs of one name fight: the cluster lets the newer ConfigMap win and leaves the other out. */
function duplicates(checked: readonly Checked[]): Problem[] {
  const first = new Map<string, Checked>();
  const problems: Problem[] = [];
  for (const one of checked) {
    const { kind, name } = one.parsed;
    const key = JSON.stringify([kind, name, one.found.namespace, one.found.instance]);
    const other = first.get(key);
    if (!other) first.set(key, one);
    else if (kind !== undefined) problems.push(duplicate(name, one.start, other.start));
  }
  return problems;
}

function duplicate(name: string, position: Position, { file, line }: Position): Problem {
  return {
    code: 'DuplicateName',
    severity: problemCodes.DuplicateName,
    message: `another spec is named ${shown(name)} too, at ${file}:${line}`,
    position,
    hint: 'give one of them another name; variants of one spec, such as overlays, are checked apart from each other',
  };
}

function compare(left: Position | undefined, right: Position | undefined, order: ReadonlyMap<string, number>): number {
  const file = (position: Position | undefined): number => order.get(position?.file ?? '') ?? 0;
  return file(left) - file(right) || (left?.line ?? 0) - (right?.line ?? 0) || (left?.column ?? 0) - (right?.column ?? 0);
}
