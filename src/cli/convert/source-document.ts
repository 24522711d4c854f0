/**
 * What is converted, with the place of every value. It was written for other programs, which read YAML as version 1.1
 * has it (0644 is an octal number, `yes` a boolean), so that is how it is read here; specs are YAML 1.2.
 */
import { isScalar, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import type { Json } from '../../lib/json.ts';
import { fieldKey } from '../../spec/document.ts';
import type { FieldPath } from '../../spec/field-path.ts';
import { Converter, type FieldNodes } from '../../spec/node-values.ts';
import { problemCodes } from '../../spec/problem-codes.ts';
import type { Position, Problem } from '../../spec/problem.ts';
import type { Finding } from '../../spec/report.ts';
import { ambiguity } from '../../spec/scalar-rules.ts';
import { placeInScalar, type Place } from '../lint/placement.ts';

/** A text and where it comes from. */
export interface SourceText {
  /** As the user gave it, `-` for standard input. */
  readonly file: string;
  readonly text: string;
  /** For a text inside another one: where its lines stand. */
  readonly place?: Place;
  /** For a text that was made from another one: that text, and where in it an offset stands. */
  readonly original?: { readonly text: string; readonly offset: (made: number) => number };
  /** The words `yes`, `no`, `on` and `off` are text. */
  readonly words?: boolean;
}

/** The documents of a text, and what is wrong with it. */
export interface ReadText {
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly Problem[];
}

/** One document: its value, and where each part of it stands. */
export class SourceDocument {
  readonly file: string;
  readonly value: Json;
  readonly #fields: ReadonlyMap<string, FieldNodes>;
  readonly #source: PlacedText;

  constructor(value: Json, fields: ReadonlyMap<string, FieldNodes>, source: PlacedText) {
    this.file = source.file;
    this.value = value;
    this.#fields = fields;
    this.#source = source;
  }

  /** Of what stands at `path`, else of the nearest thing around it. */
  position(path: FieldPath, part: 'key' | 'value' = 'value'): Position {
    for (let length = path.length; length >= 0; length--) {
      const field = this.#fields.get(fieldKey(path.slice(0, length)));
      if (field) return this.#source.position(startOf(field, part === 'key' || length < path.length));
    }
    return this.#source.position(0);
  }

  /** Where the lines of the text at `path` stand. */
  inside(path: FieldPath): Place {
    const node = this.#fields.get(fieldKey(path))?.value;
    return this.#source.inside(isScalar(node) ? node : undefined);
  }
}

/** A value that was left out stands nowhere; its key does. */
function startOf({ key, value }: FieldNodes, byKey: boolean): number {
  const [from, to] = value.range ?? [0, 0];
  return ((byKey || from === to) && key ? key.range?.[0] : from) ?? 0;
}

/** From offsets in a text to places in the user's file. */
class PlacedText {
  readonly file: string;
  readonly #text: SourceText;
  readonly #made: LineCounter;
  readonly #original = new LineCounter();

  constructor(text: SourceText, made: LineCounter) {
    this.file = text.file;
    this.#text = text;
    this.#made = made;
    const { original } = text;
    if (original) for (const { index } of original.text.matchAll(/^/gm)) this.#original.addNewLine(index);
  }

  position(offset: number): Position {
    const { original, place, file } = this.#text;
    const { line, col } = original ? this.#original.linePos(original.offset(offset)) : this.#made.linePos(offset);
    const position = { file, line: Math.max(line, 1), column: Math.max(col, 1) };
    return place?.({ code: '', severity: 'error', message: '', position }).position ?? position;
  }

  inside(node: Parameters<typeof placeInScalar>[0] | undefined): Place {
    const { text, place } = this.#text;
    const inner = node ? placeInScalar(node, text, this.#made) : (problem: Problem): Problem => problem;
    return (problem) => (place ?? ((one: Problem) => one))(inner(problem));
  }
}

/** Reads all documents of a text; those that are empty are left out. */
export function readText(text: SourceText): ReadText {
  const lines = new LineCounter();
  const placed = new PlacedText(text, lines);
  const parsed = parseAllDocuments(text.text, { lineCounter: lines, version: '1.2', merge: true, prettyErrors: false });
  const read = (Array.isArray(parsed) ? parsed : []).map((document) => readOne(document, text, placed));
  return { documents: read.flatMap(({ documents }) => documents), problems: read.flatMap(({ problems }) => problems) };
}

function readOne(document: Document.Parsed, { text, words = false }: SourceText, placed: PlacedText): ReadText {
  // The first error is the mistake, the others are its echoes.
  const [error] = document.errors;
  if (error) return { documents: [], problems: [problemAt(placed, { code: 'InvalidYaml', message: `the text is broken: ${lowerFirst(error.message)}`, offset: error.pos[0], hint: renderFirst(text, error.pos[0]) })] };
  const contents: Node | null = document.contents;
  if (!contents || (isScalar(contents) && contents.value === null)) return { documents: [], problems: [] };
  const converter = new Converter(text);
  const value = withYaml11(converter.convert(contents, []), converter.fields, words);
  const errors = converter.findings.filter(({ code }) => problemCodes[code] === 'error' && !code.startsWith('Ambiguous'));
  const problems = errors.map((finding) => problemAt(placed, { ...finding, hint: renderFirst(text, finding.offset ?? 0) ?? finding.hint }));
  return { documents: problems.length > 0 ? [] : [new SourceDocument(value, converter.fields, placed)], problems };
}

/** Braces of a template are broken YAML, or odd mappings. */
function renderFirst(text: string, offset: number): string | undefined {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
  return line.includes('{{') ? 'templates must be rendered first: helm template … | job-chief convert -' : undefined;
}

function problemAt(placed: PlacedText, { code, message, hint, offset = 0 }: Finding): Problem {
  return { code, severity: problemCodes[code], message, position: placed.position(offset), ...(hint === undefined ? {} : { hint }) };
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1).replace(/\.$/, '')}`;
}

/** Plain scalars that the two versions read differently, as the older one has them. */
function withYaml11(root: Json, fields: ReadonlyMap<string, FieldNodes>, words: boolean): Json {
  let value = root;
  for (const [key, { value: node }] of fields) {
    if (!isScalar(node) || node.type !== 'PLAIN' || node.source === undefined) continue;
    const path = JSON.parse(key) as FieldPath;
    if (ambiguity(node.source, path)) value = replaced(value, path, yaml11(node.source, words));
  }
  return value;
}

/** `y` and `n` are text to kubectl and to PyYAML, whatever the standard says. */
function yaml11(source: string, words: boolean): Json {
  const octal = /^([-+]?)0([0-7_]+)$/.exec(source);
  if (octal) return Number.parseInt(`${octal[1] ?? ''}${(octal[2] ?? '').replaceAll('_', '')}`, 8);
  if (words || !/^(yes|no|on|off)$/i.test(source)) return source;
  return /^(yes|on)$/i.test(source);
}

function replaced(root: Json, path: FieldPath, value: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(root)) return root.map((entry, index) => (index === first ? replaced(entry, rest, value) : entry));
  if (typeof root !== 'object' || root === null) return root;
  return { ...root, [first]: replaced(root[first] ?? null, rest, value) };
}
