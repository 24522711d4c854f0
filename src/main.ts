/** The service: configuration in, adapters built and handed inward, started; drained on SIGTERM. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { checkPermissions } from './adapters/kubernetes/permissions.ts';
import { KubernetesClient } from './adapters/kubernetes/client.ts';
import { features, wantedFeatures } from './adapters/kubernetes/features.ts';
import { ownSecrets } from './adapters/kubernetes/own-account.ts';
import { openCluster, type Cluster } from './adapters/kubernetes/open-cluster.ts';
import { createHttpServer, type HttpServer } from './adapters/http/server.ts';
import { HttpHook } from './adapters/hooks/http-hook.ts';
import { createLog } from './adapters/log/logger.ts';
import { createMetrics, type Metrics } from './adapters/metrics/metrics.ts';
import { Connections } from './adapters/queues/connections.ts';
import { openSources, type QueueSources, type SourcesDeps } from './adapters/queues/sources.ts';
import type { Config } from './config/config.ts';
import { Engine } from './engine.ts';
import { healthChecks } from './health-checks.ts';
import type { HttpApi } from './http-api.ts';
import { asError, sleep, systemClock, type Clock } from './lib/clock.ts';
import type { Log } from './reconcile/ports.ts';
import { injectionOf } from './spec/connection.ts';
import { fieldManager } from './spec/keys.ts';
import { parseSpec } from './spec/parse.ts';
import type { PodPolicy } from './spec/pod-policy/policy.ts';
import { version } from './version.ts';

export interface ServiceOptions {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** KUBERNETES_SERVICE_HOST and _PORT, and what kubeconfig loading needs. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs until `stop` aborts, then drains; rejects when it cannot start. */
export async function runService(options: ServiceOptions, stop: AbortSignal): Promise<void> {
  const { config } = options;
  const clock = systemClock;
  const cluster = await openCluster({ clock, env: options.env, kubeconfig: config.kubeconfig, context: config.context, connections: config.api.concurrency, version });
  const namespace = config.namespace ?? cluster.namespace ?? 'default';
  const log = await createLog({ level: config.log.level, pretty: config.log.pretty, instance: config.instance, namespace });
  for (const warning of options.warnings) log.warn({ because: warning }, 'configuration');
  const metrics = createMetrics({ clock, version, apiServer: cluster.host, process: true });
  const denied = [...config.podPolicy.deniedSecrets];
  const policy = policyOf(config, ownName(cluster, namespace), denied);
  const queues = await openQueues(config, { clock, log, onWake: (source) => { engine.controller.queueWoke(source); } });
  const engine: Engine = new Engine(engineOptions({ config, clock, log, cluster, namespace, metrics, queues, policy }));
  metrics.capacity(engine.controller.capacity);
  const http = createHttpServer({ ...config.listen, log, metrics: (accept) => metrics.expose(accept), ...healthChecks(engine, clock, () => stop.aborted) });
  let api: HttpApi | undefined;
  try {
    // Before the first list: a start that takes long is "alive, not ready", not a refused connection.
    const port = await http.listen();
    log.info({ version, server: cluster.host, port, specs: config.specs }, 'starting');
    if (config.httpApi.enabled) api = await openApi({ config, clock, log, cluster, namespace, metrics, queues, policy }, engine);
    void reportPermissions({ cluster, clock, namespace, log, metrics, config });
    const started = denyOwnSecrets({ cluster, clock, namespace, log }, denied, stop).then(() => engine.start()).then(() => { log.info({}, config.highAvailability.enabled ? 'synced; acts when it leads' : 'synced'); }, (error: unknown) => { if (!stop.aborted) log.error({ err: asError(error) }, 'the start failed'); });
    await Promise.race([aborted(stop), started.then(() => aborted(stop))]);
  } finally {
    await drain({ engine, http, api, queues, cluster, clock, log, config });
  }
}

interface Queues {
  readonly connections: Connections;
  readonly sources: QueueSources;
}

async function openQueues(config: Config, { clock, log, onWake }: Pick<SourcesDeps, 'clock' | 'log' | 'onWake'>): Promise<Queues> {
  const connections = new Connections({ definitions: config.connections, clock, log });
  await connections.load();
  return { connections, sources: openSources({ connections, clock, log, onWake }) };
}

interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly metrics: Metrics;
  readonly queues: Queues;
  readonly policy: PodPolicy;
}

function engineOptions({ config, clock, log, cluster, namespace, metrics, queues, policy }: Parts): ConstructorParameters<typeof Engine>[0] {
  const { connections, sources } = queues;
  const defaults = config.jobDefaults === undefined ? {} : { jobDefaults: config.jobDefaults };
  return {
    clock,
    random: () => Math.random(),
    log,
    transport: cluster.transport,
    environment: { instance: config.instance, namespace, injection: (source) => injectionOf(connections.facts().get(source.connection), source) },
    parse: (input) => parseSpec(input, { ...defaults, connections: connections.facts(), urlPrefixes: config.beforeDelete.urlPrefixes }),
    policy,
    hook: new HttpHook({ ...config.beforeDelete, version }),
    specs: config.specs,
    probe: sources.probe,
    wakes: sources.wakes,
    messages: sources.messages,
    queueStats: sources.stats,
    meter: metrics.meter,
    messageMeter: metrics.messages,
    runMeter: metrics.runs,
    workQueueMeter: metrics.workQueue,
    clientMeter: metrics.client,
    watchMeter: metrics.watch,
    status: config.status.writeBack,
    records: config.records.enabled,
    messageHistory: config.messageHistory,
    events: config.events,
    identity: hostname(),
    api: { limits: config.api.limits, timeout: config.api.timeout },
    concurrency: config.reconcile.concurrency,
    ceilings: config.limits,
    highAvailability: config.highAvailability.enabled ? { ...config.highAvailability, meter: metrics.leader(config.highAvailability.lease) } : undefined,
  };
}

/** Listens at once: until caches are filled it says so. Loaded only where it is wanted. */
async function openApi(parts: Parts, engine: Engine): Promise<HttpApi> {
  const { config, clock, log, cluster, namespace, metrics, queues } = parts;
  const { createHttpApi } = await import('./http-api.ts');
  const { parse, clientMeter, api: requests, ceilings } = engineOptions(parts);
  const { instance, httpApi } = config;
  const api = await createHttpApi({
    ...httpApi, clock, log, engine, namespace, instance, version, parse, clientMeter, requests, ceilings,
    random: randomUUID,
    transport: cluster.transport,
    queues: queues.sources.stats,
    meter: metrics.http,
  });
  const port = await api.server.listen();
  log.info({ port, tls: httpApi.tls !== undefined }, 'the HTTP API is served');
  if (httpApi.tls === undefined) log.warn({ code: 'PlainHttp' }, 'the HTTP API is plain HTTP: tokens can be read on the way, unless something in front of it speaks TLS');
  return api;
}

/** The ServiceAccount of this process, where it works in its own namespace. */
function ownName({ account }: Cluster, namespace: string): string | undefined {
  return account?.namespace === namespace ? account.name : undefined;
}

/** No pod may run under the ServiceAccount of this process. `deniedSecrets` grows before anything is created. */
function policyOf({ podPolicy }: Config, own: string | undefined, deniedSecrets: readonly string[]): PodPolicy {
  return { ...podPolicy, ownServiceAccount: podPolicy.ownServiceAccount ?? own, deniedSecrets };
}

/** Nobody else may use what this pod has of Secrets. Without an API server nothing could be created, so its answer is waited for. */
async function denyOwnSecrets({ cluster, clock, namespace, log }: Pick<Parts, 'cluster' | 'clock' | 'namespace' | 'log'>, denied: string[], stop: AbortSignal): Promise<void> {
  const account = ownName(cluster, namespace);
  if (account === undefined) return;
  const client = new KubernetesClient({ transport: cluster.transport, clock, namespace, fieldManager });
  let found = await ownSecrets(client, hostname(), account);
  for (; found.kind === 'unanswered'; found = await ownSecrets(client, hostname(), account)) await sleep(clock, 1000, stop);
  if (found.kind === 'known') denied.push(...found.names);
  else log.warn({ account, pod: hostname() }, 'the Secrets of this pod are not known: only those that the configuration names are denied to others');
}

async function reportPermissions({ cluster, clock, namespace, log, metrics, config }: Pick<Parts, 'cluster' | 'clock' | 'namespace' | 'log' | 'metrics' | 'config'>): Promise<void> {
  const client = new KubernetesClient({ transport: cluster.transport, clock, namespace, fieldManager });
  for (const { name, state, optional, missing, message } of await checkPermissions(client, features(wantedFeatures(config)))) {
    metrics.feature(name, state);
    if (state === 'off') log[optional ? 'info' : 'warn']({ feature: name, missing }, 'a feature is off for want of rights');
    else if (state === 'unknown') log.info({ feature: name, because: message }, 'whether a feature has its rights is not known; it is tried');
    else log.debug({ feature: name, state }, 'feature');
  }
}

async function drain(parts: { engine: Engine; http: HttpServer; api: HttpApi | undefined; queues: Queues; cluster: Cluster; clock: Clock; log: Log; config: Config }): Promise<void> {
  const { engine, http, api, queues, cluster, clock, log, config } = parts;
  log.info({}, 'stopping');
  api?.stop();
  const deadline = new AbortController();
  const late = sleep(clock, config.shutdown.gracePeriod, deadline.signal).then(() => { log.warn({}, 'rounds under way are abandoned'); }, () => undefined);
  await Promise.race([Promise.all([engine.stop(), api?.close()]), late]);
  deadline.abort(new Error('drained'));
  await Promise.allSettled([http.close(), queues.sources.close(), cluster.close()]);
  log.info({}, 'stopped');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => { resolve(); }, { once: true });
  });
}

