/** GET pods/NAME/log: which lines, with which stamps, until when; and the answers of an API server where there are none. */
import { stringAt } from '../lib/json.ts';
import type { VirtualClock } from './clock.ts';
import type { ContainerOutput, WrittenLine } from './container-output.ts';
import { badRequest } from './failure.ts';
import type { PodObject } from './job-shape.ts';
import { LineQueue } from './line-queue.ts';

type Texts = Readonly<Record<string, string | undefined>>;

export interface LogDeps {
  readonly clock: VirtualClock;
  /** Milliseconds between a line and its arrival. */
  readonly latency: () => number;
  readonly output: (container: string, previous: boolean) => ContainerOutput | undefined;
}

/** Throws what an API server refuses. A pod without a node has an empty log, as on a real one. */
export function podLog(deps: LogDeps, pod: PodObject, query: Texts): LogStream {
  const { name } = pod.metadata;
  const container = containerOf(pod, query['container']);
  if (stringAt(pod.spec, 'nodeName') === undefined) return new LogStream(deps, undefined, query);
  const previous = query['previous'] === 'true';
  const output = deps.output(container, previous);
  if (output) return new LogStream(deps, output, query);
  if (previous) throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  const reason = stringAt(statuses.find((status) => status.name === container)?.state.waiting, 'reason') ?? 'ContainerCreating';
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${reason}`);
}

function containerOf({ metadata, spec }: PodObject, asked: string | undefined): string {
  const names = [...(spec.initContainers ?? []), ...spec.containers].map((container) => container.name);
  const [only] = spec.containers;
  if (asked === undefined && names.length > 1) throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(' ')}]`);
  const name = asked ?? only?.name ?? '';
  if (!names.includes(name)) throw badRequest(`container ${name} is not valid for pod ${metadata.name}`);
  return name;
}


/** One open request. */
export class LogStream {
  readonly pieces = new LineQueue();
  readonly #deps: LogDeps;
  readonly #output: ContainerOutput | undefined;
  readonly #query: Texts;
  #sent: number;
  #unsubscribe: () => void = () => undefined;

  constructor(deps: LogDeps, output: ContainerOutput | undefined, query: Texts) {
    this.#deps = deps;
    this.#output = output;
    this.#query = query;
    this.#sent = Math.max(0, (output?.lines.length ?? 0) - Number(query['tailLines'] ?? Number.POSITIVE_INFINITY));
    this.#send(from(query, deps.clock.now()));
    if (output && query['follow'] === 'true' && !output.over) this.#unsubscribe = output.subscribe(() => { this.#more(); });
    else this.pieces.end();
  }

  end(error?: Error): void {
    this.#unsubscribe();
    this.pieces.end(error);
  }

  #more(): void {
    this.#deps.clock.timer(this.#deps.latency(), () => {
      this.#send(0);
      if (this.#output?.over === true) this.end();
    });
  }

  #send(since: number): void {
    const lines = this.#output?.lines.slice(this.#sent) ?? [];
    this.#sent += lines.length;
    const text = lines.filter(({ at }) => at >= since).map((line) => this.#rendered(line)).join('');
    if (text !== '') this.pieces.push(text);
  }

  #rendered({ at, text }: WrittenLine): string {
    return `${this.#query['timestamps'] === 'true' ? `${new Date(at).toISOString().replace('Z', '000000Z')} ` : ''}${text}\n`;
  }
}

/** Milliseconds since 1970; the kubelet gets a time in whole seconds. */
function from(query: Texts, now: number): number {
  const { sinceTime, sinceSeconds } = query;
  if (sinceTime !== undefined) return Math.floor(Date.parse(sinceTime) / 1000) * 1000;
  return sinceSeconds === undefined ? 0 : now - Number(sinceSeconds) * 1000;
}
