/** The HTTP API put together over an engine: its own client, since only the one of the controller is bound to the Lease. */
import { ApiServer } from './adapters/http/api/server.ts';
import { apiRoutes } from './adapters/http/api/api.ts';
import type { RateLimitOptions } from './adapters/http/api/rate-limit.ts';
import type { TlsOptions } from './adapters/http/api/tls.ts';
import { Tokens } from './adapters/http/api/tokens.ts';
import { KubernetesClient } from './adapters/kubernetes/client.ts';
import type { ClientMeter } from './adapters/kubernetes/exchange.ts';
import { KubernetesHistories } from './adapters/kubernetes/histories.ts';
import { annotationsOf } from './adapters/kubernetes/labels.ts';
import { projectRecord } from './adapters/kubernetes/project-record.ts';
import { KubernetesRecords } from './adapters/kubernetes/records.ts';
import { configMaps } from './adapters/kubernetes/resources.ts';
import { KubernetesRunLogs } from './adapters/kubernetes/run-logs.ts';
import type { Transport } from './adapters/kubernetes/transport.ts';
import type { Engine } from './engine.ts';
import type { Clock } from './lib/clock.ts';
import { noCeilings } from './plan/limits/effective.ts';
import { LimitsBook } from './reconcile/api/limits-book.ts';
import { messagesOf, noMessages } from './plan/messages/view.ts';
import { RunFeed } from './reconcile/api/run-feed.ts';
import { SpecBook } from './reconcile/api/spec-book.ts';
import type { ApiRuns, QueueStats } from './reconcile/api-ports.ts';
import type { MessageBook } from './reconcile/messages/history-ports.ts';
import type { Log } from './reconcile/ports.ts';
import type { ParseSpec } from './reconcile/spec-index.ts';
import type { LimitFields } from './spec/limits.ts';
import { fieldManager } from './spec/keys.ts';

export interface HttpApiOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A text that nobody else draws. */
  readonly random: () => string;
  readonly engine: Pick<Engine, 'controller' | 'observers' | 'records' | 'specs' | 'cluster'>;
  readonly transport: Transport;
  readonly namespace: string;
  readonly instance: string;
  readonly version: string;
  readonly parse: ParseSpec;
  /** Bounds that the operator sets; absent: none. */
  readonly ceilings?: LimitFields | undefined;
  readonly queues: QueueStats;
  readonly clientMeter: ClientMeter;
  readonly requests: { readonly limits: { readonly qps: number; readonly burst: number } | 'off'; readonly timeout: number };
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsOptions | undefined;
  readonly tokens: string | undefined;
  readonly rateLimit: RateLimitOptions;
  readonly publicUrl: string;
  readonly meter: (route: string, code: number, seconds: number) => void;
}

export interface HttpApi {
  readonly server: ApiServer;
  /** Sends everybody away and ends streams; what is under way is answered. */
  stop(): void;
  /** Ends once everything is answered. */
  close(): Promise<void>;
}

/** Not listening yet. Rejects where a certificate cannot be read. */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const { clock, log, random, engine, transport, namespace, instance } = options;
  const client = new KubernetesClient({ transport, clock, namespace, fieldManager, limits: options.requests.limits, timeout: options.requests.timeout, meter: options.clientMeter });
  const runs = runsOf(client, engine, instance);
  const feed = new RunFeed({ clock, runs, random });
  const specs = new SpecBook({ source: engine.specs, parse: options.parse, statusOf: (claim) => engine.controller.statusOf(claim) });
  const deps = {
    instance, clock, random, runs, feed, specs,
    limits: new LimitsBook({ specs, capacity: engine.controller.capacity, ceilings: options.ceilings ?? noCeilings }),
    logs: new KubernetesRunLogs({ client, clock, instance }),
    queues: options.queues,
    messages: messagesOfQueues(client, engine, instance),
    publicUrl: options.publicUrl,
  };
  const tokens = new Tokens({ path: options.tokens, clock, log });
  await tokens.refresh();
  if (options.tokens !== undefined && tokens.count === 0) log.warn({ code: 'TokenUnusable' }, 'the HTTP API has no usable token yet: the files are read again when somebody asks');
  const server = await ApiServer.create({ ...options.listen, tls: options.tls, tokens, rateLimit: options.rateLimit, clock, log, random, routes: apiRoutes(deps, options.version), meter: options.meter });
  return {
    server,
    stop: () => { server.stop(); },
    close: async () => {
      await server.close();
      feed.close();
    },
  };
}

function messagesOfQueues(client: KubernetesClient, { cluster, records }: HttpApiOptions['engine'], instance: string): MessageBook {
  const histories = new KubernetesHistories({ client, instance });
  return {
    get synced() { return cluster.synced; },
    read: async (queue) => ({ history: await histories.read(queue), messages: messagesOf({ jobs: cluster.jobs(queue) }, { ...noMessages, runs: records.ofQueue(queue) }) }),
  };
}

function runsOf(client: KubernetesClient, engine: HttpApiOptions['engine'], instance: string): ApiRuns {
  const records = new KubernetesRecords({ client, instance, readOnly: true });
  return {
    cache: engine.records,
    read: (name) => records.read(name),
    create: (record) => records.create(record),
    annotate: ({ name, uid, resourceVersion }, annotations) => client.mergePatch(configMaps, name, { metadata: { uid, resourceVersion, annotations: { ...annotations } } }),
    annotations: async (name) => {
      const found = await client.get(configMaps, name);
      if (found.kind !== 'found') return found;
      return projectRecord(found.value, instance) ? { kind: 'found', value: annotationsOf(found.value) } : { kind: 'absent' };
    },
    onChange: (listener) => engine.observers.onRecord(listener),
    onPods: (listener) => engine.observers.onPods(listener),
  };
}
