/** Building blocks of the schemas of requests and answers. */
import { Type, type TArray, type TInteger, type TObject, type TOptional, type TSchema, type TString, type TUnsafe } from 'typebox';

/** Text, or null where it is not known or there is none. */
export function textOrNull(description: string): TUnsafe<string | null> {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], description });
}

/** A number, or null where it is not known: never zero for that. */
export function numberOrNull(description: string): TUnsafe<number | null> {
  return Type.Unsafe<number | null>({ type: ['number', 'null'], description });
}

/** RFC 3339, or null. */
export function timeOrNull(description: string): TUnsafe<string | null> {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description });
}

/** A mapping of anything, or null. */
export function mapOrNull(description: string): TUnsafe<Readonly<Record<string, unknown>> | null> {
  return Type.Unsafe<Readonly<Record<string, unknown>> | null>({ type: ['object', 'null'], additionalProperties: true, description });
}

/** Anything by name. */
export function anything(description: string): TUnsafe<Readonly<Record<string, unknown>>> {
  return Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true, description });
}

/** One of a closed list of words. */
export function oneOf<const Words extends readonly string[]>(words: Words, description: string): TUnsafe<Words[number]> {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: words, description });
}

/** Several words of a closed list, as a query repeats them. */
export function someOf<const Words extends readonly string[]>(words: Words, description: string): TOptional<TUnsafe<readonly Words[number][]>> {
  return Type.Optional(Type.Unsafe<readonly Words[number][]>({ type: 'array', items: { type: 'string', enum: words }, maxItems: 20, description }));
}

/** The name of a record, as Kubernetes takes it. */
export const runName = Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$', description: 'Name of the run.', errorMessage: 'must be the name of a run' });

/** The logical name of a spec: any text that names of specs may be. */
export const specName = Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$', description: 'Logical name of the spec.', errorMessage: 'must be the name of a spec' });

type Paging = { readonly limit: TOptional<TInteger>; readonly continue: TOptional<TString> };

/** For queries of lists, by what these are sorted by first. */
export function pagingBy(first: 'time' | 'word'): Paging {
  const pattern = `^${first === 'time' ? '-?[0-9]{1,16}' : '[-.a-z0-9]{1,253}'}~[A-Za-z0-9_-]{0,700}$`;
  return {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: 'Most entries of one answer.' })),
    continue: Type.Optional(Type.String({ pattern, description: 'Where an earlier answer ended: its `continue`.', errorMessage: 'must be what an earlier answer had as `continue`' })),
  };
}

/** The list, and where it goes on. */
export function pageOf<Item extends TSchema>(item: Item, what: string): TObject<{ items: TArray<Item>; continue: TUnsafe<string | null> }> {
  return Type.Object({
    items: Type.Array(item, { description: what }),
    continue: textOrNull('To be sent as `continue` for what follows; null: that is all.'),
  });
}
