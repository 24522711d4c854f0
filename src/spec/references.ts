/**
 * `$(params.region)`: a reference to a value that a run knows. Only texts with one of job-chief's own roots and without
 * blanks are references; `$(HOME)`, `$(cat file)` and `$$(params.region)` belong to Kubernetes or the shell and stay as
 * they are.
 */
import type { Json } from '../lib/json.ts';
import { textsUnder, type FieldPath } from './field-path.ts';

/** Where a reference begins. */
export const referenceRoots = ['params', 'steps', 'item', 'message', 'run'] as const;
export type ReferenceRoot = (typeof referenceRoots)[number];

export interface Reference {
  readonly root: ReferenceRoot;
  /** Names and indexes after the root; empty for the root itself, and where the path cannot be read. */
  readonly path: readonly string[];
  /** As it is written, `$(` and `)` included. */
  readonly text: string;
  /** Where in the text it begins, from 0. */
  readonly offset: number;
  /** The text is this reference and nothing else: the value keeps its type where the field takes it. */
  readonly whole: boolean;
  /** What follows the root is no path, such as `$(params.a..b)`. */
  readonly malformed: boolean;
}

/** A reference and the field whose text it stands in. */
export interface PlacedReference {
  readonly path: FieldPath;
  readonly reference: Reference;
}

/** Kubernetes reads `$$` as a plain `$`, so only an odd number of them begins a reference. */
const pattern = /(?<!\$)(?:\$\$)*(\$\((params|steps|item|message|run)((?:[.[][^\s()]*)?)\))/g;
const step = /\.([^.[\]'"]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/y;

/** All references in a text, in order. */
export function referencesIn(text: string): Reference[] {
  if (!text.includes('$(')) return [];
  return [...text.matchAll(pattern)].map((match): Reference => {
    const [all, written = '', root = '', rest = ''] = match;
    const path = pathIn(rest);
    return {
      root: root as ReferenceRoot,
      path: path ?? [],
      text: written,
      offset: match.index + all.length - written.length,
      whole: written.length === text.length,
      malformed: path === undefined,
    };
  });
}

/** All references in the values (never the field names) at and under the field `base` of `root`, in order. */
export function referencesUnder(root: Json | undefined, base: FieldPath): PlacedReference[] {
  return textsUnder(root, base).flatMap(({ path, text }) => referencesIn(text).map((reference) => ({ path, reference })));
}

/** `.name`, `['name']`, `["name"]` and `[0]`, one after the other; undefined where something else stands between them. */
function pathIn(text: string): string[] | undefined {
  const path: string[] = [];
  let at = 0;
  while (at < text.length) {
    step.lastIndex = at;
    const match = step.exec(text);
    if (match === null) return undefined;
    path.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
    at = step.lastIndex;
  }
  return path;
}
