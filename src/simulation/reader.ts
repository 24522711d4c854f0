/** GET, LIST and WATCH: consistent pages, selectors, metadata only, history that can be too old. */
import { type Json, type JsonObject } from '../lib/json.ts';
import type { VirtualClock } from './clock.ts';
import { badRequest, expired, notAcceptable, notFound } from './failure.ts';
import { apiVersionOf, type KubeObject, type Resource } from './objects.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';
import type { Route } from './route.ts';
import { all, fieldMatcher, labelMatcher, type Matcher } from './selectors.ts';
import type { Store } from './store.ts';
import { Watch } from './watch.ts';

export interface ReaderDeps {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly registry: Registry;
  readonly latency: (random: Random) => number;
}

type Texts = Readonly<Record<string, string | undefined>>;
type View = (object: KubeObject) => JsonObject;

/** The rest of a paginated list, as it was when the first page was read. */
interface Snapshot {
  readonly version: number;
  readonly rest: readonly KubeObject[];
}

export class Reader {
  readonly #deps: ReaderDeps;
  readonly #store: Store;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #watches = new Set<Watch>();
  #pages = 0;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
    this.#store = deps.registry.store;
    this.#store.subscribe((change) => {
      for (const watch of this.#watches) if (watch.resource === change.resource) watch.offer(change);
    });
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  breakWatches(error: Error): void {
    for (const watch of [...this.#watches]) watch.end(error);
  }

  read(route: Route, query: Texts, headers: Texts): JsonObject {
    if (route.name === undefined) return this.#list(route.resource, query, headers);
    const view = viewFor(headers);
    const object = this.#store.get(route.resource, route.name);
    if (!object) throw notFound({ resource: route.resource, name: route.name });
    if (asked(headers) === `${partial.kind}List`) throw notAcceptable(`you requested ${partial.kind}List, but the requested object is not a list (*core.${route.resource.kind})`);
    return view(object);
  }

  /**
   * From a version that is no longer kept, the stream is opened with 200 and says 410 in an ERROR event, as the watch
   * cache of a real API server does.
   */
  watch(route: Route, query: Texts, headers: Texts): Watch {
    const { clock, random, latency } = this.#deps;
    const { resource } = route;
    const matches = matcherFor(route, query);
    const seconds = Number(query['timeoutSeconds'] ?? random.int(1800, 3599));
    const options = { resource, matches, view: viewFor(headers), shown: isMetadataOnly(headers) ? partial : { kind: resource.kind, apiVersion: apiVersionOf(resource) }, bookmarks: query['allowWatchBookmarks'] === 'true', timeout: seconds * 1000 };
    const deps = { clock, latency: () => latency(random), version: () => this.#store.version, onEnd: (ended: Watch) => { this.#watches.delete(ended); } };
    const watch = new Watch(deps, options);
    this.#replay(watch, query, options);
    this.#watches.add(watch);
    return watch;
  }

  #replay(watch: Watch, query: Texts, options: { resource: Resource; matches: Matcher; view: View }): void {
    const asked = query['resourceVersion'];
    const wantsInitial = query['sendInitialEvents'] === 'true';
    if (asked === undefined || asked === '' || asked === '0' || wantsInitial) {
      for (const object of this.#store.list(options.resource)) if (options.matches(object)) watch.send({ type: 'ADDED', object: options.view(object) });
      if (wantsInitial) watch.sendBookmark({ 'k8s.io/initial-events-end': 'true' });
      return;
    }
    const version = Number(asked);
    if (!Number.isInteger(version)) throw badRequest(`Invalid value: "${asked}": strconv.ParseUint: parsing "${asked}": invalid syntax`);
    if (version < this.#store.compactedTo) {
      watch.send({ type: 'ERROR', object: expired(`too old resource version: ${version} (${this.#store.compactedTo})`).status });
      this.#deps.clock.timer(50, () => { watch.end(); });
      return;
    }
    for (const change of this.#store.since(options.resource, version)) watch.offer(change);
  }

  #list(resource: Resource, query: Texts, headers: Texts): JsonObject {
    if (asked(headers) === partial.kind) throw notAcceptable(`you requested ${partial.kind}, but the requested object is a list (*core.${resource.kind}List)`);
    const view = viewFor(headers);
    const { version, rest } = query['continue'] === undefined ? this.#fresh(resource, query) : this.#continued(query['continue']);
    const limit = Number(query['limit'] ?? 0);
    const page = limit > 0 ? rest.slice(0, limit) : rest;
    const left = rest.slice(page.length);
    const metadata: JsonObject = { resourceVersion: String(version) };
    if (left.length > 0) metadata['continue'] = this.#remember({ version, rest: left });
    if (isMetadataOnly(headers)) return { kind: `${partial.kind}List`, apiVersion: partial.apiVersion, metadata, items: page.map((object) => view(object)) };
    return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items: page.map(asItem) };
  }

  #fresh(resource: Resource, query: Texts): Snapshot {
    const matches = matcherFor({ resource, name: undefined }, query);
    return { version: this.#store.version, rest: this.#store.list(resource).filter(matches) };
  }

  #remember(snapshot: Snapshot): string {
    this.#pages += 1;
    const token = Buffer.from(JSON.stringify({ rv: snapshot.version, page: this.#pages })).toString('base64url');
    this.#snapshots.set(token, snapshot);
    return token;
  }

  #continued(token: string): Snapshot {
    const snapshot = this.#snapshots.get(token);
    for (const [old, { version }] of this.#snapshots) if (version < this.#store.compactedTo) this.#snapshots.delete(old);
    if (!snapshot || !this.#snapshots.has(token)) {
      throw expired('The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results.');
    }
    return snapshot;
  }
}

function matcherFor(route: { resource: Resource; name: string | undefined }, query: Texts): Matcher {
  const named: Matcher[] = route.name === undefined ? [] : [(object) => object.metadata.name === route.name];
  return all([labelMatcher(query['labelSelector']), fieldMatcher(query['fieldSelector']), ...named]);
}

const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };

/** The kind that the first choice of Accept asks for. */
function asked(headers: Texts): string | undefined {
  return /^[^,]*;as=(?<kind>\w+)/u.exec(headers['accept'] ?? headers['Accept'] ?? '')?.groups?.['kind'];
}

function isMetadataOnly(headers: Texts): boolean {
  return asked(headers)?.startsWith(partial.kind) ?? false;
}

function viewFor(headers: Texts): View {
  return isMetadataOnly(headers) ? asMetadata : (object) => object;
}

function asMetadata({ metadata }: KubeObject): JsonObject {
  return { ...partial, metadata };
}

/** Items of a list come without kind and apiVersion. */
function asItem(object: KubeObject): Json {
  const { kind: _kind, apiVersion: _apiVersion, ...item } = object;
  return item;
}
