/** Finds specs in a text: a spec file, Kubernetes manifests, or what kustomize and helm print. */
import path from 'node:path';
import { LineCounter, parseAllDocuments, isAlias, isMap, isScalar, isSeq, Scalar, type Document, type Node, type YAMLMap } from 'yaml';
import { allKinds } from '../../spec/head.ts';
import { instanceLabel, defaultInstance, fluxSubstituteKey, kindLabel, specKey } from '../../spec/keys.ts';
import type { SpecInput } from '../../spec/parsed.ts';
import { problemCodes, type ProblemCode } from '../../spec/problem-codes.ts';
import type { Problem } from '../../spec/problem.ts';
import type { SourceText } from './files.ts';
import { placeAt, placeInFile, placeInScalar, placeInside, placeLinesBelow, type Place } from './placement.ts';

/** One spec, where it stands, and what tells it apart from others of the same name. */
export interface FoundSpec {
  readonly input: SpecInput;
  readonly place: Place;
  readonly namespace: string;
  readonly instance: string;
}

/** What one text holds, and what is wrong around its specs. */
export interface FoundSpecs {
  readonly specs: readonly FoundSpec[];
  readonly problems: readonly Problem[];
}

/** Text without any of these holds no spec: most files of a folder, or of a commit, need not be understood. */
const mentions = new RegExp(`job-chief|^[ \\t]*["']?kind["']?:[ \\t]*["']?(${allKinds.join('|')})\\b`, 'm');
const specApiVersion = /^[ \t]*(\{[ \t]*)?["']?apiVersion["']?:[ \t]*["']?job-chief\//m;

/** All specs of one text. */
export function findSpecs(source: SourceText): FoundSpecs {
  const empty = source.explicit && source.text.trim() === '';
  if (empty) return { specs: [specFile(source, source.text, 0)], problems: [] };
  if (!mentions.test(source.text)) return { specs: [], problems: [] };
  const lines = new LineCounter();
  const documents = parse(source.text, lines);
  // Told by the text alone, so that a file with broken syntax is still known for a spec.
  const [first] = documents;
  if (looksLikeSpec(first, source)) return { specs: [specFile(source, source.text, 0)], problems: filesOf(source) };
  const search = new Search(source, lines);
  for (const document of documents) search.document(document);
  return search;
}

function parse(text: string, lines: LineCounter): Document.Parsed[] {
  const parsed = parseAllDocuments(text, { lineCounter: lines, version: '1.2', merge: true, prettyErrors: false });
  return Array.isArray(parsed) ? parsed : [];
}

function looksLikeSpec(first: Document.Parsed | undefined, source: SourceText): boolean {
  if (first?.contents && isMap(first.contents) && first.errors.length === 0) return isSpecMap(first.contents);
  if (/^[ \t]*["']?kind["']?:[ \t]*["']?(ConfigMap|List|ConfigMapList)\b/m.test(source.text)) return false;
  return specApiVersion.test(source.text);
}

function isSpecMap(map: YAMLMap): boolean {
  const apiVersion = map.get('apiVersion');
  if (typeof apiVersion === 'string') return apiVersion.startsWith('job-chief/');
  return apiVersion === undefined && allKinds.includes(String(map.get('kind')));
}

function specFile(source: SourceText, text: string, line: number): FoundSpec {
  const name = source.name === '-' ? 'stdin' : path.basename(source.name).replace(/\.(ya?ml|json)$/, '');
  const input = { file: source.name, objectName: name, label: undefined, data: { ...source.beside?.data, [specKey]: text } };
  const place = placeInside(placeLinesBelow(line), (key) => {
    const file = source.beside?.paths.get(key);
    return file === undefined ? undefined : placeInFile(file);
  });
  return { input, place, namespace: '', instance: defaultInstance };
}

/** Files that the spec may name, and that cannot be used. */
function filesOf({ name, beside }: SourceText): Problem[] {
  const position = { file: name, line: 1, column: 1 };
  return (beside?.problems ?? []).map((message) => ({ code: 'UnknownFile', severity: problemCodes.UnknownFile, message, position, hint: 'job-chief wrap makes a ConfigMap of the folder: each file has its base name as data key' }));
}

/** Collects the specs of a stream of manifests. */
class Search implements FoundSpecs {
  readonly specs: FoundSpec[] = [];
  readonly problems: Problem[] = [];
  readonly #source: SourceText;
  readonly #lines: LineCounter;

  constructor(source: SourceText, lines: LineCounter) {
    this.#source = source;
    this.#lines = lines;
  }

  document(document: Document.Parsed): void {
    // The first error is the mistake, the others are its echoes.
    const [error] = document.errors;
    if (error) this.#problem('InvalidYaml', `the YAML is broken: ${error.message.replace(/\.$/, '')}`, error.pos[0], 'templates must be rendered first: helm template … | job-chief lint -');
    if (error || !isMap(document.contents)) return;
    if (isSpecMap(document.contents)) this.#bareSpec(document);
    else this.#manifest(document.contents, document);
  }

  /** A spec among the documents of a stream: its part of the text is read as a file of its own. */
  #bareSpec(document: Document.Parsed): void {
    const [start, , end] = document.range;
    const offset = (document.contents as Node | null)?.range?.[0] ?? start;
    const { line } = this.#lines.linePos(offset);
    const from = this.#source.text.lastIndexOf('\n', offset - 1) + 1;
    this.specs.push(specFile(this.#source, this.#source.text.slice(from, end), line - 1));
  }

  #manifest(map: YAMLMap, document: Document.Parsed): void {
    const kind = map.get('kind');
    if (kind === 'ConfigMap') this.#configMap(new Manifest(map, document));
    const items = kind === 'List' || kind === 'ConfigMapList' ? map.get('items', true) : undefined;
    if (isSeq(items)) for (const item of items.items) if (isMap(item)) this.#manifest(item, document);
  }

  #configMap(manifest: Manifest): void {
    const label = manifest.text(['metadata', 'labels', kindLabel]);
    const node = manifest.node(['data', specKey]);
    if (label === undefined) {
      if (isScalar(node) && specApiVersion.test(String(node.value))) this.#missingLabel(manifest);
      return;
    }
    if (node && !isScalar(node)) {
      this.#problem('WrongType', `data["${specKey}"] must be text, is a ${isMap(node) ? 'mapping' : 'list'}`, node.range?.[0] ?? 0, `write ${specKey}: | and indent the spec below it`);
      return;
    }
    this.specs.push({
      input: { file: this.#source.name, label, ...manifest.input() },
      place: placeInside(this.#place(manifest, node), (key) => this.#placeOfFile(manifest.node(['data', key]))),
      namespace: manifest.text(['metadata', 'namespace']) ?? '',
      instance: manifest.text(['metadata', 'labels', instanceLabel]) ?? defaultInstance,
    });
  }

  #place(manifest: Manifest, node: Node | undefined): Place {
    if (isScalar(node)) return placeInScalar(node, this.#source.text, this.#lines);
    const { line, col } = this.#lines.linePos(manifest.offset());
    return placeAt(line, col);
  }

  /** Only in literal blocks is the place of a line known. */
  #placeOfFile(node: Node | undefined): Place | undefined {
    return isScalar(node) && node.type === Scalar.BLOCK_LITERAL ? placeInScalar(node, this.#source.text, this.#lines) : undefined;
  }

  #missingLabel(manifest: Manifest): void {
    this.#problem('MissingLabel', `the ConfigMap looks like a spec but has no label ${kindLabel}, so job-chief does not see it`, manifest.offset(), `add the label ${kindLabel} with the kind in lower case, such as ${kindLabel}: queue`);
  }

  #problem(code: ProblemCode, message: string, offset: number, hint: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ code, severity: problemCodes[code], message, hint, position: { file: this.#source.name, line: Math.max(line, 1), column: Math.max(col, 1) } });
  }
}

/** A ConfigMap as YAML nodes. */
class Manifest {
  readonly #map: YAMLMap;
  readonly #document: Document.Parsed;

  constructor(map: YAMLMap, document: Document.Parsed) {
    this.#map = map;
    this.#document = document;
  }

  node(keys: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#map;
    for (const key of keys) {
      const next: unknown = isMap(node) ? node.get(key, true) : undefined;
      node = isAlias(next) ? next.resolve(this.#document) : (next as Node | undefined);
    }
    return node ?? undefined;
  }

  text(keys: readonly string[]): string | undefined {
    const node = this.node(keys);
    if (!isScalar(node) || node.value === null) return undefined;
    return typeof node.value === 'string' ? node.value : (node.source ?? '');
  }

  input(): Pick<SpecInput, 'objectName' | 'data' | 'substituteDisabled'> {
    return {
      objectName: this.text(['metadata', 'name']) ?? this.text(['metadata', 'generateName']) ?? 'configmap',
      data: this.data(),
      // Flux takes it as an annotation or as a label.
      substituteDisabled: ['annotations', 'labels'].some((field) => this.text(['metadata', field, fluxSubstituteKey]) === 'disabled'),
    };
  }

  /** Data keys and their text. */
  data(): Record<string, string> {
    const data = this.node(['data']);
    if (!isMap(data)) return {};
    const keys = data.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
    return Object.fromEntries(keys.map((key) => [key, this.text(['data', key]) ?? '']));
  }

  /** Where the object begins. */
  offset(): number {
    return this.#map.range?.[0] ?? 0;
  }
}
