/**
 * One open watch. Changes are turned into events by the selector (leaving it is a DELETED, entering it an ADDED), and
 * delivered in order some virtual milliseconds later. Bookmarks come each minute where they were asked for.
 */
import type { Json, JsonObject } from '../lib/json.ts';
import type { Timer } from '../lib/clock.ts';
import type { VirtualClock } from './clock.ts';
import { LineQueue } from './line-queue.ts';
import type { KubeObject, Resource } from './objects.ts';
import type { Matcher } from './selectors.ts';
import type { Change } from './store.ts';

export const bookmarkInterval = 60_000;

export interface WatchOptions {
  readonly resource: Resource;
  readonly matches: Matcher;
  /** How an object is shown: whole, or as metadata only. */
  readonly view: (object: KubeObject) => JsonObject;
  /** Kind and version that the view gives objects: bookmarks have them too. */
  readonly shown: { readonly kind: string; readonly apiVersion: string };
  readonly bookmarks: boolean;
  readonly timeout: number;
}

export interface WatchDeps {
  readonly clock: VirtualClock;
  /** Milliseconds between a change and its arrival at the client. */
  readonly latency: () => number;
  readonly version: () => number;
  readonly onEnd: (watch: Watch) => void;
}

export class Watch {
  readonly resource: Resource;
  readonly lines = new LineQueue();
  readonly #deps: WatchDeps;
  readonly #options: WatchOptions;
  #outbox: Json[] = [];
  #delivery: Timer | undefined;
  #bookmark: Timer | undefined;
  readonly #timeout: Timer;
  #ended = false;

  constructor(deps: WatchDeps, options: WatchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.resource = options.resource;
    this.#timeout = deps.clock.timer(options.timeout, () => { this.end(); });
    if (options.bookmarks) this.#scheduleBookmark();
  }

  /** Called for every change of the watched type. */
  offer(change: Change): void {
    if (this.#ended) return;
    const { matches, view } = this.#options;
    const before = change.previous !== undefined && matches(change.previous);
    const after = change.type !== 'DELETED' && matches(change.object);
    if (!before && !after) return;
    const type = after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
    this.send({ type, object: view(type === 'DELETED' ? lastSeen(change) : change.object) });
  }

  /** Puts a document on its way. */
  send(document: Json): void {
    this.#outbox.push(document);
    this.#delivery ??= this.#deps.clock.timer(this.#deps.latency(), () => { this.#deliver(); });
  }

  /** The server closes the stream in an orderly way, or the connection breaks. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timeout.cancel();
    this.#bookmark?.cancel();
    if (error) this.#delivery?.cancel();
    else this.#deliver();
    this.lines.end(error);
    this.#deps.onEnd(this);
  }

  sendBookmark(annotations?: Record<string, string>): void {
    const metadata = { resourceVersion: String(this.#deps.version()), creationTimestamp: null, ...(annotations ? { annotations } : {}) };
    this.send({ type: 'BOOKMARK', object: { ...this.#options.shown, metadata } });
  }

  #deliver(): void {
    this.#delivery = undefined;
    const documents = this.#outbox;
    this.#outbox = [];
    for (const document of documents) this.lines.push(document);
  }

  #scheduleBookmark(): void {
    this.#bookmark = this.#deps.clock.quietTimer(bookmarkInterval, () => {
      this.sendBookmark();
      this.#scheduleBookmark();
    });
  }
}

/** An object that left the selector is shown as it was before, with the version of the change. */
function lastSeen({ object, previous }: Change): KubeObject {
  if (!previous) return object;
  return { ...previous, metadata: { ...previous.metadata, resourceVersion: object.metadata.resourceVersion } };
}
