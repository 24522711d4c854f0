/** YAML nodes to JSON values, with a note of the node behind every field. */
import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import type { Json, JsonObject } from '../lib/json.ts';
import { shown } from '../lib/show.ts';
import type { FieldPath } from './field-path.ts';
import type { Finding } from './report.ts';
import { ambiguity, templating } from './scalar-rules.ts';

/** The nodes of one field; a list's entry has no key. */
export interface FieldNodes {
  readonly key: Node | undefined;
  readonly value: Node;
}

/** Values reached through aliases, in all: far above any real spec, far below what a bomb needs to hurt. */
const aliasBudget = 10_000;
const deepest = 100;
/** Values in all. A text of 256 KiB can hold far more, and checking a hundred thousand wrong ones takes seconds. */
const mostValues = 20_000;

/** One walk over a document. Repeated aliases are walked again, since each use has a path of its own. */
export class Converter {
  readonly fields = new Map<string, FieldNodes>();
  readonly findings: Finding[] = [];
  readonly #text: string;
  /** Anchors met so far: the walk follows the text, so the last of a name is the one that an alias means. */
  readonly #anchors = new Map<string, Node>();
  readonly #checked = new Set<Node>();
  readonly #open = new Set<Node>();
  #aliased = 0;
  #insideAlias = 0;
  #merging = 0;
  /** The alias in the text behind everything that is being walked through aliases. */
  #outermostAlias: Node | undefined;
  #givenUp = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether the walk was broken off: the value is then worth nothing. */
  get givenUp(): boolean {
    return this.#givenUp;
  }

  /** The value of `node`, which stands at `path` (under `key`, if it has one). */
  convert(node: Node, path: FieldPath, key?: Node): Json {
    this.#note(path, { key, value: node });
    if (this.#givenUp) return null;
    if (this.#insideAlias > 0 && ++this.#aliased > aliasBudget) return this.#giveUp(node, 'TooManyAliases', `aliases repeat more than ${aliasBudget} values`);
    if (this.fields.size > mostValues) return this.#giveUp(node, 'SpecTooLarge', `the spec has more than ${mostValues} values`);
    if (path.length > deepest) return this.#giveUp(node, 'UnsupportedYaml', `the fields are nested more than ${deepest} deep`);
    if (isAlias(node)) return this.#alias(node, path);
    this.#anchor(node);
    if (isMap(node)) return this.#map(node, path);
    if (isSeq(node)) return node.items.map((item, index) => this.convert(item as Node, [...path, index]));
    return isScalar(node) ? this.#scalar(node, path) : null;
  }

  /** What is merged in never takes the place of what stands there. */
  #note(path: FieldPath, nodes: FieldNodes): void {
    const field = JSON.stringify(path);
    if (this.#merging === 0 || !this.fields.has(field)) this.fields.set(field, nodes);
  }

  #anchor(node: Node): void {
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined && this.#insideAlias === 0) this.#anchors.set(anchor, node);
  }

  #alias(node: Alias, path: FieldPath): Json {
    const target = this.#anchors.get(node.source);
    if (!target) {
      this.#add({ code: 'InvalidYaml', message: `the YAML is broken: no anchor &${node.source} stands before the alias *${node.source}`, path }, node);
      return null;
    }
    if (this.#open.has(target)) return this.#giveUp(node, 'TooManyAliases', `the alias *${node.source} contains itself`);
    this.#open.add(target);
    if (this.#insideAlias === 0) this.#outermostAlias = node;
    this.#insideAlias += 1;
    const place = this.fields.get(JSON.stringify(path));
    const value = this.convert(target, path);
    // A problem with the whole value belongs to where it is used, one inside it to where it is written.
    if (place) this.fields.set(JSON.stringify(path), place);
    this.#insideAlias -= 1;
    this.#open.delete(target);
    return value;
  }

  #map(node: YAMLMap, path: FieldPath): JsonObject {
    const wasOpen = this.#open.has(node);
    this.#open.add(node);
    const own: JsonObject = {};
    const merged: JsonObject = {};
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      if (isMergeKey(pair.key)) this.#merge(pair, path, merged);
      else this.#field(pair, path, own);
    }
    if (!wasOpen) this.#open.delete(node);
    return { ...merged, ...own };
  }

  #field({ key, value }: Pair<Node, Node | null>, path: FieldPath, into: JsonObject): void {
    const name = this.#fieldName(key, path);
    if (name === undefined) return;
    if (Object.hasOwn(into, name)) this.#add({ code: 'DuplicateKey', message: `the field ${shown(name)} is set twice in one mapping`, path: [...path, name], hint: 'keep one of the two' }, key);
    into[name] = this.convert(value ?? key, [...path, name], key);
    if (!value) into[name] = null;
  }

  /** Merged fields go under the map's own path: fields that the map sets itself keep their places. */
  #merge({ key, value }: Pair<Node, Node | null>, path: FieldPath, into: JsonObject): void {
    this.#merging += 1;
    const merged = value ? this.convert(value, path) : null;
    this.#merging -= 1;
    const sources = Array.isArray(merged) ? merged : [merged];
    if (sources.some((source) => typeof source !== 'object' || source === null || Array.isArray(source))) {
      this.#add({ code: 'InvalidYaml', message: 'the YAML is broken: << must be given a mapping, an alias of one, or a list of those', path }, key);
      return;
    }
    for (const source of sources.toReversed()) Object.assign(into, source);
  }

  #fieldName(key: Node, path: FieldPath): string | undefined {
    if (!isScalar(key)) {
      const hint = isMap(key) ? 'braces at the start of a value make it a mapping: quote the value' : undefined;
      this.#add({ code: 'UnsupportedYaml', message: 'a field name must be plain text', path, hint }, key);
      return undefined;
    }
    this.#anchor(key);
    const name = typeof key.value === 'string' ? key.value : this.#source(key);
    if (name === '__proto__' || key.value === null) {
      this.#add({ code: 'UnsupportedYaml', message: `${shown(name)} cannot be a field name`, path }, key);
      return undefined;
    }
    this.#check(key, [...path, name]);
    return name;
  }

  #scalar(node: Scalar, path: FieldPath): Json {
    this.#check(node, path);
    const { value } = node;
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#add({ code: 'UnsupportedYaml', message: `${shown(this.#source(node))} has no counterpart in JSON`, hint: 'quote it to make it text', path }, node);
    return null;
  }

  #check(node: Scalar, path: FieldPath): void {
    if (this.#checked.has(node)) return;
    this.#checked.add(node);
    const source = this.#source(node);
    const found = [unknownTag(node), node.type === 'PLAIN' ? ambiguity(source, path) : undefined, ...templating(typeof node.value === 'string' ? node.value : source)];
    for (const finding of found) if (finding) this.#add({ ...finding, path }, node);
  }

  #giveUp(node: Node, code: 'TooManyAliases' | 'UnsupportedYaml' | 'SpecTooLarge', message: string): null {
    const hint = code === 'TooManyAliases' ? 'write the values out' : 'move data and scripts into ConfigMaps of their own and mount them';
    if (!this.#givenUp) this.#add({ code, message, hint }, this.#insideAlias > 0 ? (this.#outermostAlias ?? node) : node);
    this.#givenUp = true;
    return null;
  }

  #add(finding: Finding, node: Node): void {
    this.findings.push({ ...finding, offset: node.range?.[0] ?? 0 });
  }

  /** The scalar as it is written: `yes` and 0644 are known only by their letters. */
  #source(node: Scalar): string {
    const [from, to] = node.range ?? [0, 0];
    return node.source ?? this.#text.slice(from, to);
  }
}

function isMergeKey(key: Node): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

function unknownTag(node: Scalar): Finding | undefined {
  if (node.tag === undefined || /^tag:yaml\.org,2002:(str|int|float|bool|null)$/.test(node.tag)) return undefined;
  return { code: 'UnsupportedYaml', message: `the YAML tag ${shown(node.tag)} is not supported`, hint: 'remove the tag' };
}
