/**
 * YAML text to plain JSON, keeping where each field stands. The `yaml` package's own toJS is not used: it loses the
 * positions behind aliases and merge keys, and turns what JSON cannot say into something else without a word.
 */
import { isScalar, LineCounter, type Document, type Node } from 'yaml';
import type { Json } from '../lib/json.ts';
import type { FieldPath } from './field-path.ts';
import { Converter, type FieldNodes } from './node-values.ts';
import type { Finding } from './report.ts';
import { nestedTooDeep, parseOne } from './yaml-parser.ts';

/** A spec's text, read as far as it could be. */
export interface SpecDocument {
  /** undefined where the syntax is broken, so that nothing can be said about fields. */
  readonly value: Json | undefined;
  readonly findings: readonly Finding[];
  /** Line and column, from 1, of what a finding is about. */
  place(finding: Finding): { readonly line: number; readonly column: number };
}

/** Reads one YAML document of version 1.2, with anchors and merge keys. Never throws. */
export function readDocument(text: string): SpecDocument {
  const lines = new LineCounter();
  const { document, second, failure } = parseOne(text, lines);
  if (!document) return { value: undefined, findings: [failure], place: () => ({ line: 1, column: 1 }) };
  const syntax = withoutEchoes(syntaxFindings(document, second), (offset) => position(lines, offset).line);
  const readable = syntax.length === 0;
  const converter = new Converter(text);
  const value = readable && document.contents ? converter.convert(document.contents, []) : null;
  return {
    value: readable && !converter.givenUp ? value : undefined,
    findings: readable ? converter.findings : syntax,
    place: (finding) => position(lines, finding.offset ?? offsetOf(converter.fields, finding) + innerOffset(converter.fields, text, finding)),
  };
}

/** What can be read of a document whose syntax is broken: enough to know whose spec it is. */
export function readPartly(text: string, field: 'kind' | 'name'): string | undefined {
  const line = new RegExp(`^${field}:[ \\t]+(["']?)([A-Za-z0-9][A-Za-z0-9.-]*)\\1[ \\t]*(#.*)?$`, 'm').exec(text.replaceAll('\r', ''));
  return line?.[2];
}

function syntaxFindings(document: Document.Parsed, second: number | undefined): Finding[] {
  // The parser notes its own overflow as an error, at a place that differs from run to run.
  if (document.errors.some(({ message }) => message.includes('call stack'))) return [nestedTooDeep];
  const findings = document.errors.map((error) => syntaxFinding(error.code, error.message, error.pos[0]));
  for (const warning of document.warnings) {
    if (warning.code === 'BAD_DIRECTIVE') findings.push({ code: 'UnsupportedYaml', message: `the directive is not supported: ${warning.message}`, offset: warning.pos[0] });
  }
  if (second !== undefined) {
    findings.push({ code: 'MultipleDocuments', message: 'there is more than one YAML document, a spec must be one', hint: 'give each spec a ConfigMap (or a file) of its own and remove the line "---"', offset: second });
  }
  if (document.directives.yaml.version !== '1.2') {
    findings.push({ code: 'UnsupportedYaml', message: `YAML ${document.directives.yaml.version} is not supported, specs are YAML 1.2`, hint: 'remove the %YAML line', offset: 0 });
  }
  return findings;
}

/** One broken bracket makes the parser stumble over all that follows: the first stumble on a line, and few lines, tell enough. */
function withoutEchoes(findings: readonly Finding[], lineOf: (offset: number) => number): Finding[] {
  const seen = new Set<number>();
  return findings.filter(({ code, offset }) => {
    if (code !== 'InvalidYaml') return true;
    const line = lineOf(offset ?? 0);
    if (seen.has(line) || seen.size >= 3) return false;
    seen.add(line);
    return true;
  });
}

function syntaxFinding(code: string, message: string, offset: number): Finding {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { code: 'TabIndentation', message: 'a tab stands where YAML wants spaces', hint: 'indent with spaces only', offset };
    default:
      return { code: 'InvalidYaml', message: `the YAML is broken: ${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, '')}`, offset };
  }
}

/** The nearest thing the text has: the field itself, else the closest field around it. */
function offsetOf(fields: ReadonlyMap<string, FieldNodes>, { path, part }: Finding): number {
  for (let length = path?.length ?? 0; length > 0; length--) {
    const field = fields.get(fieldKey((path ?? []).slice(0, length)));
    if (field) return start(part === 'key' || length !== path?.length ? (field.key ?? field.value) : valueOrKey(field));
  }
  return start(fields.get(fieldKey([]))?.value);
}

/** How far into a text of one line something stands; texts that YAML rearranges are shown by their beginning. */
function innerOffset(fields: ReadonlyMap<string, FieldNodes>, text: string, { path, within }: Finding): number {
  const node = within === undefined || path === undefined ? undefined : fields.get(fieldKey(path))?.value;
  if (within === undefined || !isScalar(node) || typeof node.value !== 'string') return 0;
  const quote = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0;
  const begin = start(node) + quote;
  return text.slice(begin, begin + node.value.length) === node.value ? quote + within : 0;
}

/** A value that was left out (`drain:`) stands nowhere; its key does. */
function valueOrKey({ key, value }: FieldNodes): Node {
  const [from, to] = value.range ?? [0, 0];
  return from === to && key ? key : value;
}

function start(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** How a path is written as the key of the field map. */
export function fieldKey(path: FieldPath): string {
  return JSON.stringify(path);
}
