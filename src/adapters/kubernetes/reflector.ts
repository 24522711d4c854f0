/**
 * Keeps projections of a kind in step with the API server: one consistent list, then watches that go on where the last
 * ended. Modes: listing (no resourceVersion) → watching → pausing after an error → watching or listing again; stopped
 * is final. There is no periodic relist: bookmarks keep the version fresh, and a watch that is silent for three minutes
 * is taken for dead.
 *
 * client-node's informer is not used because it ends for good on ECONNRESET, 403, 429 and 500, asks for no bookmarks,
 * and cannot tell an object from its namesake.
 */
import { sleep } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../reconcile/ports.ts';
import { isExpired, noAnswer } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { listAll } from './list-all.ts';
import type { Resource } from './resources.ts';
import { Store } from './store.ts';
import type { Change, Projection, Stored } from './store.ts';
import { followWatch } from './watch-stream.ts';
import type { ReceivedEvent, WatchEnd } from './watch-stream.ts';

export type RelistReason = 'start' | 'expired' | 'stale' | 'error';

/** Hooks for what operators see of one watch. */
export interface ReflectorMeter {
  /** The API server was heard. */
  contact(): void;
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, `ERROR`; counts as contact. */
  event(type: string): void;
  /** A list was begun: `start`, `expired` (410), `stale` (silent for too long), `error`. */
  relist(reason: RelistReason): void;
  poison(): void;
  size(objects: number): void;
}

export interface ReflectorOptions<T> {
  readonly client: Pick<KubernetesClient, 'list' | 'watch'>;
  readonly clock: Clock;
  /** Uniform in [0, 1): so that a hundred controllers do not come back in the same moment. */
  readonly random: () => number;
  readonly resource: Resource;
  readonly labelSelector: string;
  readonly metadataOnly?: boolean;
  readonly pageSize?: number;
  readonly project: Projection<T>;
  readonly same?: (before: T, after: T) => boolean;
  /** Told after the cache has changed. May throw: that is logged and nothing else. */
  readonly onChange: (change: Change<T>) => void;
  /** `synced` or `failure` is different now. May throw, as onChange may. */
  readonly onState?: () => void;
  readonly meter?: ReflectorMeter | undefined;
  readonly log: Log;
}

const shortestPause = 800;
const longestPause = 30_000;
/** Bookmarks come about once a minute: three missing ones mean a connection that only looks alive. */
export const silenceLimit = 180_000;
/** A watch that ends sooner than this did not really begin. */
const shortWatch = 1_000;
/** After so many failures in a row that are no matter of rights or load, the version itself is under suspicion. */
const failuresBeforeRelist = 3;

export class Reflector<T extends Stored> {
  readonly #options: ReflectorOptions<T>;
  readonly #store: Store<T>;
  readonly #stopping = new AbortController();
  readonly #listed = Promise.withResolvers<undefined>();
  readonly #poisoned = new Set<string>();
  #running: Promise<void> | undefined;
  /** Who waits for a list that begins from now on. */
  #refreshing: (() => void)[] = [];
  /** Ends the watch or the pause that goes on, for a list to come sooner. */
  #hurry = new AbortController();
  #version: string | undefined;
  #relist: RelistReason = 'start';
  #failures = 0;
  #synced = false;
  #lastContact: number;
  #complained = false;
  #failure: ApiFailure | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#lastContact = options.clock.monotonic();
    this.#store = new Store<T>({
      project: options.project,
      same: options.same,
      onChange: (change) => {
        this.#tell(change);
      },
      onPoison: (name, error) => {
        this.#poison(name, error);
      },
    });
  }

  /** True from the first complete list on, for good: later failures leave the cache as it was. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Resolves with the first complete list; never, if it is stopped before. */
  get whenSynced(): Promise<undefined> {
    return this.#listed.promise;
  }

  /** Everything up to here has been taken in: of the last list, event or bookmark. */
  get resourceVersion(): string | undefined {
    return this.#version;
  }

  /** Monotonic time of the last list or watch attempt, or line received: a liveness probe's question. */
  get lastContact(): number {
    return this.#lastContact;
  }

  /** Why the last list or watch came to nothing; undefined while all goes well. */
  get failure(): ApiFailure | undefined {
    return this.#failure;
  }

  get size(): number {
    return this.#store.size;
  }

  get(name: string): T | undefined {
    return this.#store.get(name);
  }

  values(): IterableIterator<T> {
    return this.#store.values();
  }

  /** Once; a second call changes nothing. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Lists anew, and resolves when all that is there this moment has been taken in; never, if it is stopped before. */
  refresh(): Promise<void> {
    return new Promise((resolve) => {
      this.#refreshing.push(resolve);
      this.#listNext('stale');
      this.#hurry.abort(new Error('listing again'));
    });
  }

  /** Final. Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#hurry.signal.aborted) this.#hurry = new AbortController();
      const pause = this.#version === undefined ? await this.#list() : await this.#watch(this.#version);
      if (pause === 0) continue;
      // The only ways out of a sleep are stop() and refresh().
      await sleep(this.#options.clock, pause, AbortSignal.any([this.#stopping.signal, this.#hurry.signal])).catch(() => undefined);
    }
  }

  /** Answers how long to wait before what comes next, as does #watch. */
  async #list(): Promise<number> {
    const { meter } = this.#options;
    this.#touch();
    meter?.relist(this.#relist);
    const refreshed = this.#refreshing.splice(0);
    const result = await listAll(this.#options, this.#stopping.signal, (raw) => this.#keep(raw), () => {
      this.#touch();
      meter?.contact();
    });
    if (this.#stopping.signal.aborted) return 0;
    if (result.kind === 'failed') {
      this.#refreshing.push(...refreshed);
      return this.#failed(result.failure, 'list');
    }
    // A list that the watches made necessary proves nothing about them: their back-off must go on growing.
    if (this.#relist === 'start' || this.#relist === 'stale') this.#recovered();
    // Asked for once more while it was under way: it may have been answered before that.
    this.#version = this.#refreshing.length > 0 ? undefined : result.resourceVersion;
    this.#store.replace(result.objects);
    for (const resolve of refreshed) resolve();
    const first = !this.#synced;
    this.#synced = true;
    this.#listed.resolve(undefined);
    this.#goes(undefined, first);
    meter?.size(this.#store.size);
    return 0;
  }

  /** What a list says of one object; a poison one stays as it was known, if it is the same. */
  #keep(raw: unknown): T | undefined {
    const projected = this.#store.project(raw);
    if (projected !== 'poison') return projected;
    const metadata = (raw as { metadata?: { name?: string; uid?: string } } | null)?.metadata;
    const known = metadata?.name === undefined ? undefined : this.#store.get(metadata.name);
    return known?.uid === metadata?.uid ? known : undefined;
  }

  async #watch(resourceVersion: string): Promise<number> {
    const { clock, random } = this.#options;
    this.#touch();
    const started = clock.monotonic();
    const end = await followWatch({
      ...this.#options,
      resourceVersion,
      timeoutSeconds: 300 + Math.floor(random() * 300),
      silenceLimit,
      signal: AbortSignal.any([this.#stopping.signal, this.#hurry.signal]),
      touch: () => {
        this.#touch();
      },
      receive: (event) => {
        this.#receive(event);
      },
    });
    return this.#stopping.signal.aborted || this.#hurry.signal.aborted ? 0 : this.#ended(end, clock.monotonic() - started);
  }

  #receive(event: ReceivedEvent): void {
    const { meter } = this.#options;
    // The list that comes next knows it.
    if (this.#hurry.signal.aborted) return;
    if (event.kind === 'garbage') {
      this.#poison(undefined, new Error('watch event of no known form'));
      return;
    }
    meter?.event(event.type);
    this.#recovered();
    if (event.resourceVersion !== undefined) this.#version = event.resourceVersion;
    if (event.kind === 'set') this.#store.set(event.object);
    else if (event.kind === 'remove') this.#store.remove(event.object);
    meter?.size(this.#store.size);
  }

  #ended(end: WatchEnd, lasted: number): number {
    switch (end.kind) {
      case 'closed':
        if (lasted >= shortWatch) {
          this.#recovered();
          return 0;
        }
        return this.#failed(noAnswer('the watch ended as soon as it began'), 'watch');
      case 'silent':
        this.#options.log.warn({ resource: this.#options.resource.plural }, 'watch is silent, listing again');
        this.#listNext('stale');
        return 0;
      case 'failed':
        if (end.event === true) this.#options.meter?.event('ERROR');
        if (!isExpired(end.failure)) return this.#failed(end.failure, 'watch');
        this.#listNext('expired');
        // A server that answers every new version with 410 must not be asked in a tight loop.
        this.#failures += 1;
        return this.#failures > 1 ? this.#pause(end.failure) : 0;
    }
  }

  #failed(failure: ApiFailure, doing: 'list' | 'watch'): number {
    const { log, resource } = this.#options;
    this.#failures += 1;
    const matterOfRights = failure.status === 401 || failure.status === 403;
    if (doing === 'watch' && this.#failures % failuresBeforeRelist === 0 && failure.status !== 429 && !matterOfRights) this.#listNext('error');
    const fields = { resource: resource.plural, doing, status: failure.status, error: failure.message, failures: this.#failures };
    // The first of a series, and the moment it stops looking like a hiccup.
    if (!this.#complained && (matterOfRights || this.#failures >= failuresBeforeRelist)) {
      this.#complained = true;
      log.warn(fields, 'cannot follow the cluster, trying on');
    } else log.debug(fields, 'cannot follow the cluster, trying again');
    this.#goes(failure);
    return this.#pause(failure);
  }

  #pause(failure: ApiFailure): number {
    const { random } = this.#options;
    const grown = Math.min(longestPause, shortestPause * 2 ** Math.min(this.#failures - 1, 10));
    // Half fixed, half random; never sooner than the server asked for.
    return Math.max(failure.retryAfter ?? 0, shortestPause, grown * (0.5 + random() / 2));
  }

  #listNext(reason: RelistReason): void {
    this.#version = undefined;
    this.#relist = reason;
  }

  #recovered(): void {
    this.#failures = 0;
    this.#goes(undefined);
    if (!this.#complained) return;
    this.#complained = false;
    this.#options.log.info({ resource: this.#options.resource.plural }, 'following the cluster again');
  }

  /** Tells whoever asked of another state; the same failure again is none. */
  #goes(failure: ApiFailure | undefined, synced = false): void {
    const before = this.#failure;
    this.#failure = failure;
    if (!synced && before?.status === failure?.status && before?.message === failure?.message) return;
    this.#guarded(() => this.#options.onState?.());
  }

  #tell(change: Change<T>): void {
    this.#guarded(() => { this.#options.onChange(change); });
  }

  #guarded(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#options.log.error({ resource: this.#options.resource.plural, error }, 'handler of a change threw');
    }
  }

  /** Reported once per object, counted each time. */
  #poison(name: string | undefined, error: unknown): void {
    const { resource, meter, log } = this.#options;
    meter?.poison();
    const known = name ?? '';
    if (this.#poisoned.has(known) || this.#poisoned.size >= 1000) return;
    this.#poisoned.add(known);
    log.warn({ resource: resource.plural, name, error }, 'object cannot be read, skipping it');
  }

  #touch(): void {
    this.#lastContact = this.#options.clock.monotonic();
  }
}
