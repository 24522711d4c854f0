/**
 * The spec ring's door: one labelled ConfigMap (or file) in, a typed spec or its problems out. Synchronous, without
 * I/O, and it never throws: one bad spec must affect only itself.
 */
import { digest } from '../lib/digest.ts';
import { isObject, stringAt, type Json } from '../lib/json.ts';
import { readDocument, readPartly, type SpecDocument } from './document.ts';
import { headFindings, kindOf, logicalName } from './head.ts';
import { beforeDeleteFindings } from './before-delete.ts';
import { sizeFindings, unusedFindings } from './input-rules.ts';
import { specKey } from './keys.ts';
import { kinds } from './kinds.ts';
import type { ParsedSpec, Spec, SpecEnvironment, SpecInput } from './parsed.ts';
import { specPolicyFindings } from './pod-policy/spec-findings.ts';
import { Report, type Finding } from './report.ts';
import { runSwitches } from './run-read.ts';

/** Length of a spec's hash in characters: 80 bits. */
const hashLength = 16;

/** Reads one spec. */
export function parseSpec(input: SpecInput, environment: SpecEnvironment): ParsedSpec {
  const text = input.data[specKey];
  const oversized = sizeFindings(input);
  if (text === undefined || oversized.some(({ code }) => code !== 'SpecLarge')) return unreadable(input, text ?? '', oversized);
  const document = readDocument(text);
  const report = reportFor(input, document);
  for (const finding of [...oversized, ...document.findings]) add(report, finding, input);
  if (document.value === undefined) return rejected(input, text, report);
  return parseValue(document.value, report, input, environment);
}

function parseValue(value: Json, report: Report, input: SpecInput, environment: SpecEnvironment): ParsedSpec {
  const kind = kindOf(stringAt(value, 'kind'), input.label);
  const name = logicalName(stringAt(value, 'name'), input.objectName);
  for (const finding of headFindings(value, input)) report.add(finding);
  const reading = kind !== undefined && isObject(value) ? kinds[kind]({ value, name, input, environment }) : undefined;
  const files = reading?.files ?? [];
  const hash = hashOf(value, files, input);
  for (const finding of [...(reading?.findings ?? []), ...unusedFindings(input, files)]) add(report, finding, input);
  const spec = report.hasErrors() ? undefined : reading?.build({ name, hash });
  return { kind, name, hash, ...judged(spec, { value, report, input }, environment) };
}

/** Only a spec that is valid otherwise has Jobs to judge. */
function judged(spec: Spec | undefined, { value, report, input }: { value: Json; report: Report; input: SpecInput }, { policy, urlPrefixes }: SpecEnvironment): Pick<ParsedSpec, 'spec' | 'problems'> {
  const url = stringAt(isObject(value) ? value['beforeDelete'] : undefined, 'url');
  if (spec && urlPrefixes && url !== undefined) for (const finding of beforeDeleteFindings(url, urlPrefixes)) report.add(finding);
  if (spec && policy && isObject(value)) for (const finding of specPolicyFindings(spec, { value, input }, policy)) report.add(finding);
  return { spec: report.hasErrors() ? undefined : spec, problems: report.problems() };
}

/** Switches: who turns one on and off again has not made a new revision, which would run again, or replace what runs. */
const switches = new Set(['suspend', 'observe']);
const switchesOfRun = new Set([...switches, ...runSwitches]);

/** Before defaulting: an upgrade changes no hash. A file counts with its content. */
function hashOf(value: Json, files: readonly string[], { data }: SpecInput): string {
  const left = stringAt(value, 'kind') === 'Run' ? switchesOfRun : switches;
  const revision = isObject(value) ? Object.fromEntries(Object.entries(value).filter(([field]) => !left.has(field))) : value;
  if (files.length === 0) return digest(revision, hashLength);
  return digest({ spec: revision, files: Object.fromEntries(files.map((key) => [key, data[key] ?? ''])) }, hashLength);
}

/** Too large to be parsed, or nothing there: the position is the start of the file. */
function unreadable(input: SpecInput, text: string, findings: readonly Finding[]): ParsedSpec {
  const report = new Report(() => ({ file: input.file, line: 1, column: 1 }));
  for (const finding of findings) report.add(finding);
  return rejected(input, text, report);
}

function rejected(input: SpecInput, text: string, report: Report): ParsedSpec {
  return {
    kind: kindOf(readPartly(text, 'kind'), input.label),
    name: logicalName(readPartly(text, 'name'), input.objectName),
    hash: undefined,
    spec: undefined,
    problems: report.problems(),
  };
}

function reportFor(input: SpecInput, document: SpecDocument): Report {
  return new Report((finding) => ({ file: input.file, ...document.place(finding) }));
}

/** Whoever annotated the ConfigMap against Flux's substitution need not hear of it. */
function add(report: Report, finding: Finding, input: SpecInput): void {
  if (finding.code !== 'FluxSubstitution' || input.substituteDisabled !== true) report.add(finding);
}
