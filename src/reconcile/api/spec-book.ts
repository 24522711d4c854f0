/** Specs for whoever looks at them, on every replica: rounds, which know them too, happen on the one that leads. */
import { isObject, type JsonObject } from '../../lib/json.ts';
import type { Status } from '../../plan/action.ts';
import type { Claim } from '../../plan/observed.ts';
import { winningClaim } from '../../plan/winner.ts';
import type { ParsedSpec } from '../../spec/parsed.ts';
import type { ApiSpecs, SpecEntry } from '../api-ports.ts';
import type { SpecDocument, SpecSource } from '../ports.ts';
import type { ParseSpec } from '../spec-index.ts';

export interface SpecBookDeps {
  readonly source: SpecSource;
  readonly parse: ParseSpec;
  /** What the controller of this process said about a claim; undefined where it has said nothing, as one that stands by. */
  readonly statusOf: (claim: Claim) => Status | undefined;
}

interface Page {
  readonly document: SpecDocument;
  /** Everything that parsing depends on: a status write of ours does not parse it again. */
  readonly fingerprint: string;
  readonly parsed: ParsedSpec;
}

export class SpecBook implements ApiSpecs {
  readonly #deps: SpecBookDeps;
  readonly #pages = new Map<string, Page>();

  constructor(deps: SpecBookDeps) {
    this.#deps = deps;
  }

  get synced(): boolean {
    return this.#deps.source.synced;
  }

  all(): readonly SpecEntry[] {
    const groups = Map.groupBy(this.#read(), (page) => keyOf(page));
    return [...groups.values()].flatMap((pages) => this.#entries(pages));
  }

  async find(kind: string, name: string): Promise<SpecEntry | undefined> {
    const named = this.#read().filter((page) => kindOf(page) === kind && page.parsed.name === name);
    const found = this.#entries(named).find(({ wins }) => wins);
    return found ?? this.#look(kind, name);
  }

  /** The watch may be a moment behind what somebody applied just now. By its usual name: that of the ConfigMap. */
  async #look(kind: string, name: string): Promise<SpecEntry | undefined> {
    const { source, parse } = this.#deps;
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || source.get(name) !== undefined) return undefined;
    const found = await source.look(name);
    if (found.kind !== 'found') return undefined;
    const { source: _source, ...input } = found.value;
    const page = { document: found.value, fingerprint: '', parsed: parse(input) };
    return kindOf(page) === kind && page.parsed.name === name ? this.#entries([page])[0] : undefined;
  }

  #entries(pages: readonly Page[]): readonly SpecEntry[] {
    const claims = pages.map(({ document, parsed }): Claim => ({ source: document.source, parsed }));
    const winner = winningClaim(claims)?.index;
    return claims.map((claim, index) => ({
      kind: pages[index] ? kindOf(pages[index]) : '',
      name: claim.parsed.name,
      claim,
      wins: index === winner,
      status: this.#deps.statusOf(claim) ?? writtenStatus(claim),
    }));
  }

  #read(): readonly Page[] {
    const { source } = this.#deps;
    const ids = source.ids();
    for (const id of this.#pages.keys()) if (source.get(id) === undefined) this.#pages.delete(id);
    return ids.flatMap((id) => this.#page(id) ?? []);
  }

  #page(id: string): Page | undefined {
    const document = this.#deps.source.get(id);
    if (!document) return undefined;
    const known = this.#pages.get(id);
    if (known?.document === document) return known;
    const { source: _source, ...input } = document;
    const fingerprint = JSON.stringify(input);
    const page = { document, fingerprint, parsed: known?.fingerprint === fingerprint ? known.parsed : this.#deps.parse(input) };
    this.#pages.set(id, page);
    return page;
  }
}

function kindOf({ document, parsed }: Page): string {
  return parsed.kind?.toLowerCase() ?? document.label ?? 'unknown';
}

function keyOf(page: Page): string {
  return `${kindOf(page)}/${page.parsed.name}`;
}

function writtenStatus({ source }: Claim): JsonObject | undefined {
  if (source.kind !== 'configMap' || source.writtenStatus === undefined) return undefined;
  try {
    const status: unknown = JSON.parse(source.writtenStatus);
    return isObject(status) ? status : undefined;
  } catch {
    return undefined;
  }
}
