/** One value of a source, with the place where it stands: what converters read. */
import { isObject, type Json } from '../../lib/json.ts';
import { pathText, type FieldPath } from '../../spec/field-path.ts';
import type { ProblemCode } from '../../spec/problem-codes.ts';
import type { Problem } from '../../spec/problem.ts';
import type { SourceDocument } from './source-document.ts';

/** A value, its document, and its path there. */
export class Item {
  readonly document: SourceDocument;
  readonly path: FieldPath;
  /** undefined and null: there is nothing. */
  readonly value: Json | undefined;

  /** The document as a whole. */
  static of(document: SourceDocument): Item {
    return new Item(document, [], document.value);
  }

  constructor(document: SourceDocument, path: FieldPath, value: Json | undefined) {
    this.document = document;
    this.path = path;
    this.value = value;
  }

  get exists(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** The text, where it is one. */
  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  /** What a text, a number or a boolean looks like. */
  get written(): string | undefined {
    return typeof this.value === 'number' || typeof this.value === 'boolean' ? String(this.value) : this.text;
  }

  /** The field of a mapping; it may not exist. */
  at(...names: readonly string[]): Item {
    return names.reduce<Item>((item, name) => {
      const value = isObject(item.value) && Object.hasOwn(item.value, name) ? item.value[name] : undefined;
      return new Item(item.document, [...item.path, name], value);
    }, this);
  }

  /** The fields of a mapping that have a value. */
  fields(): readonly (readonly [name: string, item: Item])[] {
    const names = isObject(this.value) ? Object.keys(this.value) : [];
    return names.map((name) => [name, this.at(name)] as const).filter(([, item]) => item.exists);
  }

  /** The members of a list. */
  members(): readonly Item[] {
    return Array.isArray(this.value) ? this.value.map((value, index) => new Item(this.document, [...this.path, index], value)) : [];
  }
}

/** What may be said of a problem besides what is wrong. */
export interface ProblemDetails {
  readonly hint?: string;
  /** Which half of `field: value` it is about; the value unless said otherwise. */
  readonly part?: 'key' | 'value';
  readonly severity?: Problem['severity'];
}

/** Something wrong with an item. */
export function problemOf(item: Item, code: ProblemCode, message: string, { hint, part, severity = 'error' }: ProblemDetails = {}): Problem {
  const path = pathText(item.path);
  return { code, severity, message, ...(path === '' ? {} : { path }), position: item.document.position(item.path, part), ...(hint === undefined ? {} : { hint }) };
}
