/** A watch apart from everything that is measured, which notes when it sees what. */
import { objectAt, stringAt } from '../../../src/lib/json.ts';
import type { ApiStream, Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { ask } from './requests.ts';

export interface WatchOptions {
  readonly transport: Transport;
  readonly path: string;
  /** Such as a label selector. */
  readonly query?: Readonly<Record<string, string>>;
  /** Only metadata is sent, so that watching costs next to nothing. */
  readonly metadataOnly?: boolean;
  /** `at`: Date.now() with fractions. */
  readonly take: (type: string, object: unknown, at: number) => void;
}

export class Watch implements Disposable {
  readonly #options: WatchOptions;
  #version: string;
  #stream: ApiStream;
  #closed = false;
  #waiting: (() => void)[] = [];
  #broken: Error | undefined;

  private constructor(options: WatchOptions, version: string, stream: ApiStream) {
    this.#options = options;
    this.#version = version;
    this.#stream = stream;
    void this.#follow();
  }

  /** From now on: what is there already is not shown. */
  static async open(options: WatchOptions): Promise<Watch> {
    const version = versionOf(await ask(options.transport, { method: 'GET', path: options.path, query: { ...options.query, limit: '1' } }));
    return new Watch(options, version, await openStream(options, version));
  }

  /** Resolves when the condition holds, looked at after each event; rejects after `timeout` milliseconds. */
  async until(what: string, holds: () => boolean, timeout = 120_000): Promise<void> {
    const deadline = performance.now() + timeout;
    while (!holds()) {
      if (this.#broken) throw this.#broken;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${what}: not within ${timeout / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#stream.close();
  }

  /** The API server may end a watch at any time: it goes on where it was. */
  async #follow(): Promise<void> {
    try {
      for (;;) {
        for await (const event of this.#stream.lines) this.#take(event);
        if (this.#closed) return;
        this.#stream = await openStream(this.#options, this.#version);
      }
    } catch (error) {
      if (this.#closed) return;
      this.#broken = error instanceof Error ? error : new Error(String(error));
    }
    this.#wake();
  }

  #take(event: unknown): void {
    const at = performance.timeOrigin + performance.now();
    const object = objectAt(event, 'object');
    const type = stringAt(event, 'type') ?? '';
    if (type === 'ERROR') throw new Error(`watch of ${this.#options.path}: ${JSON.stringify(object)}`);
    this.#version = versionOf(object);
    this.#options.take(type, object, at);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

async function openStream({ transport, path, query, metadataOnly = false }: WatchOptions, resourceVersion: string): Promise<ApiStream> {
  const headers = metadataOnly ? { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' } : {};
  const stream = await transport.stream({ method: 'GET', path, query: { ...query, watch: 'true', resourceVersion, timeoutSeconds: '3600' }, headers });
  if (stream.status !== 200) throw new Error(`watch of ${path}: ${stream.status}`);
  return stream;
}

const versionOf = (object: unknown): string => stringAt(objectAt(object, 'metadata'), 'resourceVersion') ?? '';
