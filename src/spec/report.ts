/** Collects the problems of one spec: severity from the code, position from the path, never the same thing twice. */
import { pathText, type FieldPath } from './field-path.ts';
import { problemCodes, type ProblemCode } from './problem-codes.ts';
import type { InnerPosition, Position, Problem } from './problem.ts';

/** A problem before it is placed in the file. */
export interface Finding {
  readonly code: ProblemCode;
  readonly message: string;
  readonly path?: FieldPath;
  readonly hint?: string | undefined;
  /** Which half of `field: value` the problem is about; the value unless said otherwise. */
  readonly part?: 'key' | 'value';
  /** For what has no path: an offset in the text. */
  readonly offset?: number;
  /** Offset inside the text that stands at `path`. */
  readonly within?: number;
  /** Where in a file that the spec names; `path` is then the field that names it. */
  readonly inside?: InnerPosition;
}

/** Finds the place of a finding in the user's text. */
export type Locate = (finding: Finding) => Position;

/** Nobody reads more, and a status annotation must stay small. */
export const problemLimit = 100;

/** A list of problems that is being written. */
export class Report {
  readonly #locate: Locate;
  readonly #problems: Problem[] = [];
  readonly #seen = new Set<string>();
  #left = 0;

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  /** Notes a problem, unless the same code already stands at the same place. */
  add(finding: Finding): void {
    const position = this.#locate(finding);
    const path = finding.path && finding.path.length > 0 ? pathText(finding.path) : undefined;
    const identity = JSON.stringify([finding.code, path, position.line, position.column, finding.inside]);
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    // The first error is always counted in: a spec without an error among its problems is a valid spec.
    if (this.#problems.length >= problemLimit && (problemCodes[finding.code] === 'warning' || this.hasErrors())) this.#left += 1;
    else this.#problems.push(problem(finding, path, position));
  }

  hasErrors(): boolean {
    return this.#problems.some(({ severity }) => severity === 'error');
  }

  /** All problems in the order of the text. */
  problems(): readonly Problem[] {
    const sorted = this.#problems.toSorted((left, right) => place(left) - place(right));
    if (this.#left === 0) return sorted;
    const rest = `${this.#left} more problems are not listed`;
    return [...sorted, problem({ code: 'TooManyProblems', message: rest, hint: 'mend the listed ones first' }, undefined, this.#locate({ code: 'TooManyProblems', message: '' }))];
  }
}

function problem({ code, message, hint, inside }: Finding, path: string | undefined, position: Position): Problem {
  return { code, severity: problemCodes[code], message, ...(path === undefined ? {} : { path }), position, ...(inside === undefined ? {} : { inside }), ...(hint === undefined ? {} : { hint }) };
}

function place({ position }: Problem): number {
  return position ? position.line * 1_000_000 + Math.min(position.column, 999_999) : 0;
}
