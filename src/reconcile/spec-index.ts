/** Documents parsed into claims, found by the logical name that they define. */
import { labelValue } from '../lib/label-value.ts';
import type { Claim, SpecKey } from '../plan/observed.ts';
import type { ParsedSpec, Spec, SpecInput } from '../spec/parsed.ts';
import { specText } from './key.ts';
import type { SpecDocument, SpecSource } from './ports.ts';

export type ParseSpec = (input: SpecInput) => ParsedSpec;

interface Entry {
  readonly key: SpecKey;
  readonly claim: Claim;
  /** Everything that parsing depends on: a status write of our own does not parse the spec again. */
  readonly fingerprint: string;
}

/** Knows which documents define which spec. Reads the source only in `take`, so a round sees one state of it. */
export class SpecIndex {
  readonly #source: SpecSource;
  readonly #parse: ParseSpec;
  readonly #entries = new Map<string, Entry>();
  /** Ids of the documents that define a key. */
  readonly #byKey = new Map<string, Set<string>>();
  /** Keys by the UID of the ConfigMap that defines them. */
  readonly #bySource = new Map<string, SpecKey>();
  /** Files that do not even tell their kind. */
  readonly #unread = new Set<string>();

  constructor(source: SpecSource, parse: ParseSpec) {
    this.#source = source;
    this.#parse = parse;
  }

  /**
   * Reads one document anew. `keys`: those that this concerns, the one it defines and the one it used to. `gone`: the
   * claim that the document made before, if it is not there any more (a re-created object is another one).
   */
  take(id: string): { readonly keys: readonly SpecKey[]; readonly gone: Claim | undefined } {
    const before = this.#entries.get(id);
    const document = this.#source.get(id);
    // Parsed before anything is changed: a parser that throws must not make the spec look deleted.
    const entry = document && this.#read(document, before);
    if (before) this.#remove(id, before);
    if (!entry) return { keys: before ? [before.key] : [], gone: before?.claim };
    this.#entries.set(id, entry);
    if (entry.claim.source.kind === 'configMap') this.#bySource.set(entry.claim.source.uid, entry.key);
    if (entry.key.kind === 'unknown' && entry.claim.source.kind === 'file') this.#unread.add(id);
    const ids = this.#byKey.get(specText(entry.key)) ?? new Set();
    this.#byKey.set(specText(entry.key), ids.add(id));
    return before ? difference(before, entry) : { keys: [entry.key], gone: undefined };
  }

  /** Any of these may be the file of a spec that seems to be gone: after a start nobody knows which. */
  get hasUnreadFiles(): boolean {
    return this.#unread.size > 0;
  }

  /** Documents as they were read last; one of them may be gone by now. */
  ids(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** What the ConfigMap of this UID defines now; undefined: it is gone. */
  keyOfSource(uid: string): SpecKey | undefined {
    return this.#bySource.get(uid);
  }

  /** UIDs or paths of what the source shows and nobody has taken in yet. */
  untaken(): ReadonlySet<string> {
    const shown = this.#source.ids().flatMap((id) => {
      const source = this.#source.get(id)?.source;
      const known = this.#entries.get(id);
      return source === undefined || (known && identityOf(known.claim) === sourceIdOf(source)) ? [] : [sourceIdOf(source)];
    });
    return new Set(shown);
  }

  /** Whether what is defined is known up to this resourceVersion of a ConfigMap, but for what is `untaken`. */
  hasSeen(resourceVersion: string): boolean {
    return this.#source.hasSeen(resourceVersion);
  }

  /** Every key that has a claim. */
  keys(): readonly SpecKey[] {
    return [...this.#entries.values()].map(({ key }) => key);
  }

  claims(key: SpecKey): readonly Claim[] {
    const ids = this.#byKey.get(specText(key)) ?? [];
    return [...ids].flatMap((id) => this.#entries.get(id)?.claim ?? []);
  }

  /**
   * The data of the document that makes this claim, as it was parsed; undefined where the document has changed since, or
   * is gone: then another round is on its way.
   */
  data(claim: Claim): SpecDocument['data'] | undefined {
    const entry = [...this.#entries].find(([, { claim: held }]) => held === claim);
    const document = entry && this.#source.get(entry[0]);
    if (!entry || !document) return undefined;
    return fingerprintOf(document) === entry[1].fingerprint ? document.data : undefined;
  }

  /**
   * Whether the claim is still made, and by the same text: the API server itself is asked. A view that is seconds old would
   * run a text that has been replaced since, or one that was deleted, whose runs are collected as soon as they are made.
   * `source`: as it is now, with what is written on it.
   */
  async confirm(claim: Claim): Promise<{ readonly kind: 'same'; readonly source: Claim['source'] } | { readonly kind: 'changed' } | { readonly kind: 'unknown'; readonly message: string }> {
    const entry = [...this.#entries].find(([, { claim: held }]) => held === claim);
    if (!entry) return { kind: 'changed' };
    const [id, { fingerprint }] = entry;
    const found = await this.#source.look(id);
    if (found.kind === 'failed') return { kind: 'unknown', message: found.message };
    if (found.kind === 'absent' || fingerprintOf(found.value) !== fingerprint) return { kind: 'changed' };
    const { source } = found.value;
    const isGoing = source.kind === 'configMap' && source.deleting;
    return !isGoing && sourceIdOf(source) === sourceIdOf(claim.source) ? { kind: 'same', source } : { kind: 'changed' };
  }

  #read(document: SpecDocument, before: Entry | undefined): Entry {
    const { source, ...rest } = document;
    const fingerprint = fingerprintOf(document);
    const parsed = before?.fingerprint === fingerprint ? before.claim.parsed : this.#parse(rest);
    return { key: keyOf(parsed, before), claim: { source, parsed }, fingerprint };
  }

  #remove(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#bySource.delete(identityOf(entry.claim));
    this.#unread.delete(id);
    const ids = this.#byKey.get(specText(entry.key));
    ids?.delete(id);
    if (ids?.size === 0) this.#byKey.delete(specText(entry.key));
  }
}

function fingerprintOf({ source: _source, ...rest }: SpecDocument): string {
  return JSON.stringify(rest);
}

/** A text that cannot be read any more still belongs to the spec that it was: a typo must not end Jobs as a deletion does. */
function keyOf(parsed: ParsedSpec, before: Entry | undefined): SpecKey {
  if (parsed.hash === undefined && before) return before.key;
  return { kind: parsed.kind === undefined ? 'unknown' : kindOf(parsed.kind), name: labelValue(parsed.name) };
}

function kindOf(kind: Spec['kind']): SpecKey['kind'] {
  return specKinds[kind];
}

const specKinds = { Queue: 'queue', Workflow: 'workflow', Template: 'template', Run: 'request', Limits: 'limits' } as const satisfies Record<Spec['kind'], SpecKey['kind']>;

/** What tells one claim from another: the ConfigMap's UID, or the file's path. */
export function identityOf({ source }: Claim): string {
  return sourceIdOf(source);
}

function sourceIdOf(source: Claim['source']): string {
  return source.kind === 'configMap' ? source.uid : source.path;
}

function difference(before: Entry, after: Entry): { readonly keys: readonly SpecKey[]; readonly gone: Claim | undefined } {
  const moved = specText(before.key) !== specText(after.key);
  const replaced = identityOf(before.claim) !== identityOf(after.claim);
  return { keys: moved ? [before.key, after.key] : [after.key], gone: replaced ? before.claim : undefined };
}
