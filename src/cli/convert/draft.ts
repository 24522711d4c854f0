/** A spec that is being written from a source: its fields, where each came from, remarks beside them, and what went wrong. */
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import type { FieldPath } from '../../spec/field-path.ts';
import type { ProblemCode } from '../../spec/problem-codes.ts';
import type { Problem } from '../../spec/problem.ts';
import { problemOf, type Item, type ProblemDetails } from './item.ts';

/** Kinds that sources become. */
export type DraftKind = 'Queue' | 'Workflow' | 'Template' | 'Run';

/** A comment of the output. */
export interface Remark {
  /** The field that it stands before, or the nearest around it; empty: the whole spec. */
  readonly path: FieldPath;
  readonly text: string;
}

/** What a draft begins with. */
export interface DraftHead {
  readonly kind: DraftKind;
  /** Any text: what a name may not hold is replaced. */
  readonly name: string;
  /** What it is made from. */
  readonly source: Item;
}

/** One spec in the making. */
export class Draft {
  readonly kind: DraftKind;
  name: string;
  readonly source: Item;
  /** Of the ConfigMap. */
  namespace: string | undefined;
  readonly labels: Record<string, string> = {};
  readonly annotations: Record<string, string> = {};
  spec: JsonObject = {};
  /** Data keys beside the spec. */
  readonly files: Record<string, string> = {};
  /** The files that those came from. */
  readonly fileOrigins = new Map<string, { readonly file: string; readonly text: string }>();
  readonly remarks: Remark[] = [];
  readonly problems: Problem[] = [];
  readonly origins: { readonly path: FieldPath; readonly item: Item }[] = [];

  constructor({ kind, name, source }: DraftHead) {
    this.kind = kind;
    this.source = source;
    this.name = objectName(name);
  }

  /** Writes a field, unless there is no value. `from`: what a problem with it is a problem with. */
  set(path: FieldPath, value: Json | undefined, from?: Item): void {
    if (value === undefined) return;
    this.spec = placed(this.spec, path, value) as JsonObject;
    if (from) this.origins.push({ path, item: from });
  }

  /** Puts a comment beside a field. */
  remark(path: FieldPath, text: string): void {
    this.remarks.push({ path, text });
  }

  /** Something that cannot be converted, so that the spec cannot be written. */
  complain(item: Item, code: ProblemCode, message: string, details: ProblemDetails = {}): void {
    this.problems.push(problemOf(item, code, message, details));
  }

  /** The text of an item; undefined where there is none, with a complaint where there is something else. */
  text(item: Item): string | undefined {
    if (item.exists && item.text === undefined) this.complain(item, 'WrongType', `must be text, is ${shown(item.value)}`, { hint: 'put it in quotes' });
    return item.text;
  }

  /** The same, and there must be one. */
  requiredText(item: Item, hint?: string): string | undefined {
    if (!item.exists) this.complain(item, 'MissingField', `the field "${String(item.path.at(-1))}" is missing`, hint === undefined ? {} : { hint });
    return this.text(item);
  }

  /** A whole number of 0 or more, also where it is written as text. */
  count(item: Item): number | undefined {
    if (!item.exists) return undefined;
    const value = typeof item.value === 'string' && /^\d+$/.test(item.value) ? Number(item.value) : item.value;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    this.complain(item, 'WrongType', `must be a whole number, is ${shown(item.value)}`);
    return undefined;
  }

  /** true or false. */
  flag(item: Item): boolean | undefined {
    if (!item.exists || typeof item.value === 'boolean') return item.value === null ? undefined : (item.value as boolean | undefined);
    this.complain(item, 'WrongType', `must be true or false, is ${shown(item.value)}`);
    return undefined;
  }
}

/** The text as the name of an object: lower case, letters, digits, hyphens and dots. */
export function objectName(text: string): string {
  const name = text.toLowerCase().replace(/[^a-z0-9.-]+/g, '-').replace(/-*\.[.-]*/g, '.').slice(0, 200).replace(/^[-.]+|[-.]+$/g, '');
  return name === '' ? 'converted' : name;
}

function placed(root: Json | undefined, [first, ...rest]: FieldPath, value: Json): Json {
  if (first === undefined) return value;
  if (typeof first === 'number') {
    const list = Array.isArray(root) ? root : [];
    return list.toSpliced(first, 1, placed(list[first], rest, value));
  }
  const mapping = isObject(root) ? root : {};
  return { ...mapping, [first]: placed(mapping[first], rest, value) };
}
