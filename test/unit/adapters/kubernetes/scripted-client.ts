/** A client whose lists and watches are in memory: for what stands on a reflector. */
import { objectAt, stringAt, type Json, type JsonObject } from '../../../../src/lib/json.ts';
import type { ListQuery, ListResult, WatchQuery, WatchResult } from '../../../../src/adapters/kubernetes/client.ts';
import type { Resource } from '../../../../src/adapters/kubernetes/resources.ts';
import type { Log, ReadResult } from '../../../../src/reconcile/ports.ts';

export const silentLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class ScriptedClient {
  readonly namespace = 'test';
  readonly selectors: (string | undefined)[] = [];
  readonly #lists: Readonly<Record<string, JsonObject[]>>;
  readonly #streams = new Map<string, Stream>();

  constructor(lists: Readonly<Record<string, JsonObject[]>>) {
    this.#lists = lists;
  }

  get(resource: Resource, name: string): Promise<ReadResult<JsonObject>> {
    const value = (this.#lists[resource.plural] ?? []).find((item) => stringAt(objectAt(item, 'metadata'), 'name') === name);
    return Promise.resolve(value ? { kind: 'found', value } : { kind: 'absent' });
  }

  list(resource: Resource, query: ListQuery = {}): Promise<ListResult> {
    this.selectors.push(query.labelSelector);
    return Promise.resolve({ kind: 'page', page: { items: this.#lists[resource.plural] ?? [], resourceVersion: '100', continue: undefined } });
  }

  watch(resource: Resource, query: WatchQuery): Promise<WatchResult> {
    this.selectors.push(query.labelSelector);
    const stream = new Stream();
    this.#streams.set(resource.plural, stream);
    return Promise.resolve({ kind: 'stream', stream: { status: 200, headers: {}, lines: stream, close: () => { stream.close(); } } });
  }

  send(plural: string, type: string, object: JsonObject): void {
    this.#streams.get(plural)?.push({ type, object });
  }
}

class Stream implements AsyncIterable<Json> {
  readonly #lines: Json[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  push(line: Json): void {
    this.#lines.push(line);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Json> {
    for (;;) {
      while (this.#lines.length > 0) yield this.#lines.shift()!;
      if (this.#closed) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
