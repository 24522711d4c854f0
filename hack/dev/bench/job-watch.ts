/** A watch of Jobs apart from everything that is measured: when each is first seen, and when it is finished. */
import { objectAt, stringAt } from '../../../src/lib/json.ts';
import { finishedOf } from '../../../src/adapters/kubernetes/project-job.ts';
import type { ApiStream, Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { ask, jobsPath, nameOf } from './requests.ts';

export class JobWatch implements Disposable {
  /** Date.now() with fractions, by name. */
  readonly added = new Map<string, number>();
  readonly finished = new Set<string>();
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

  static async open(transport: Transport, namespace: string, whole: boolean): Promise<JobWatch> {
    const options = { transport, path: jobsPath(namespace), whole };
    const version = versionOf(await ask(transport, { method: 'GET', path: options.path, query: { limit: '1' } }));
    return new JobWatch(options, version, await openStream(options, version));
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
    const job = objectAt(event, 'object');
    const [type, name] = [stringAt(event, 'type'), nameOf(job)];
    if (type === 'ERROR') throw new Error(`watch of Jobs: ${JSON.stringify(job)}`);
    this.#version = versionOf(job);
    if (type === 'ADDED' && !this.added.has(name)) this.added.set(name, at);
    if (this.#options.whole && finishedOf(objectAt(job, 'status'))) this.finished.add(name);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

interface WatchOptions {
  readonly transport: Transport;
  readonly path: string;
  /** Also see Jobs finish; else only metadata is sent, so that watching costs next to nothing. */
  readonly whole: boolean;
}

async function openStream({ transport, path, whole }: WatchOptions, resourceVersion: string): Promise<ApiStream> {
  const headers = whole ? {} : { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' };
  const stream = await transport.stream({ method: 'GET', path, query: { watch: 'true', resourceVersion, timeoutSeconds: '3600' }, headers });
  if (stream.status !== 200) throw new Error(`watch of Jobs: ${stream.status}`);
  return stream;
}

const versionOf = (object: unknown): string => stringAt(objectAt(object, 'metadata'), 'resourceVersion') ?? '';
