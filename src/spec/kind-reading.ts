/** What reading one kind of spec takes and gives: the form of the entries in spec/kinds.ts. */
import type { JsonObject } from '../lib/json.ts';
import type { Identity } from './common-build.ts';
import type { Spec, SpecEnvironment, SpecInput } from './parsed.ts';
import type { Finding } from './report.ts';

/** Everything that reading a kind may look at. */
export interface KindInput {
  readonly value: JsonObject;
  /** Logical name. */
  readonly name: string;
  readonly input: SpecInput;
  readonly environment: SpecEnvironment;
}

/** What it gives. */
export interface KindReading {
  readonly findings: readonly Finding[];
  /** Data keys that the spec names and that are there, sorted. */
  readonly files: readonly string[];
  /** The spec; only where no finding is an error. */
  build(identity: Identity): Spec;
}

const headFields = new Set(['apiVersion', 'kind', 'name']);

/** Leaves out what the head (spec/head.ts) already says better. */
export function withoutHead(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ path }) => path?.length !== 1 || !headFields.has(String(path[0])));
}
