/**
 * One test's namespace with job-chief in it: a database with pg-boss, the connection's Secret, an overlay of the
 * manifests, and a witness of all that happens to Jobs and Pods.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, beforeEach, expect, inject } from 'vitest';
import { stringify } from 'yaml';
import { repository } from '../../../hack/dev/cluster/paths.ts';
import { controllerImageName } from '../../../hack/dev/demo/images.ts';
import { eventually } from './eventually.ts';
import { hasStarted, Kubernetes, type ConfigMap, type Event, type Job, type Pod } from './kubernetes.ts';
import type { Place } from './setup.ts';
import { Witness } from './witness.ts';

export interface StatusDocument {
  state: string;
  reason: string;
  message: string;
  observedHash: string;
  conditions: { type: string; status: string; reason: string; message: string }[];
  lastRun?: { job: string; outcome: string; reason: string; message: string; finishedAt: string };
  liveJobs: number;
  oldJobs: number;
}

export interface SiteOptions {
  /** Prefix of the namespace's name. */
  readonly name: string;
  /** Level of Pod Security that the namespace enforces. */
  readonly enforce?: 'restricted' | 'baseline';
  /** Only warned about, as the API server does on every request. */
  readonly warn?: 'restricted';
  /** A PostgreSQL of the test's own, in place of the shared one. */
  readonly postgres?: () => Promise<Place['postgres']>;
}

export interface Overlay {
  /** Under manifests/. Default: the base, with the connection `main`. */
  readonly resource?: string;
  readonly components?: readonly string[];
  /** Of the operator, beside the connection `main`. */
  readonly config?: object;
  readonly namePrefix?: string;
  readonly replicas?: number;
  readonly patches?: readonly object[];
  readonly generators?: readonly object[];
  readonly files?: Readonly<Record<string, string>>;
}

export class Site {
  readonly namespace: string;
  readonly place: Place;
  readonly kubernetes: Kubernetes;
  readonly witness: Witness;
  readonly boss: PgBoss;
  readonly database: string;
  readonly postgres: Place['postgres'];
  #sequence = 0;

  private constructor(parts: { namespace: string; place: Place; kubernetes: Kubernetes; database: string; postgres: Place['postgres'] }) {
    this.namespace = parts.namespace;
    this.place = parts.place;
    this.kubernetes = parts.kubernetes;
    this.database = parts.database;
    this.postgres = parts.postgres;
    const { host, port, user, password } = parts.postgres;
    this.boss = new PgBoss({ host, port, user, password, database: parts.database, max: 2, supervise: false, schedule: false });
    this.boss.on('error', () => undefined);
    this.witness = new Witness(this.kubernetes, this.namespace);
  }

  static async open(options: SiteOptions): Promise<Site> {
    const place = inject('place');
    if (place === undefined) throw new Error('there is no cluster with real pods');
    const namespace = `${options.name}-${Math.random().toString(36).slice(2, 6)}`;
    const postgres = (await options.postgres?.()) ?? place.postgres;
    const database = namespace.replaceAll('-', '_');
    const kubernetes = new Kubernetes(place);
    const labels = {
      ...(options.enforce && { 'pod-security.kubernetes.io/enforce': options.enforce }),
      ...(options.warn && { 'pod-security.kubernetes.io/warn': options.warn }),
    };
    await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
    await statement(postgres, `CREATE DATABASE ${database}`);
    const site = new Site({ namespace, place, kubernetes, database, postgres });
    await site.boss.start();
    await site.connectionSecret('main-database');
    return site;
  }

  async close(): Promise<void> {
    await this.witness[Symbol.asyncDispose]();
    await this.boss.stop({ graceful: false });
    await this.kubectl('delete', 'namespace', this.namespace, '--wait=false').catch(() => undefined);
    await this.kubernetes.close();
  }

  kubectl(...args: string[]): Promise<string> {
    return this.kubernetes.kubectl(['-n', this.namespace, ...args]);
  }

  async apply(...objects: object[]): Promise<string> {
    return await this.kubernetes.kubectl(['-n', this.namespace, 'apply', '-f', '-'], objects.map((one) => stringify(one)).join('---\n'));
  }

  /** What pods, and so job-chief and the workers, need to reach the database. */
  async connectionSecret(name: string, change: Readonly<Record<string, string>> = {}): Promise<void> {
    const { port, user, password } = this.postgres;
    const stringData = { host: this.place.hostAddress, port: String(port), user, password, database: this.database, ...change };
    await this.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData });
  }

  // --- job-chief

  /** Applies an overlay of the manifests by `kubectl apply -k` and waits until the Deployment is ready. */
  async install(overlay: Overlay = {}): Promise<void> {
    await this.applyOverlay(overlay);
    await this.ready(`${overlay.namePrefix ?? ''}job-chief`);
  }

  async applyOverlay(overlay: Overlay): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'job-chief-e2e-'));
    try {
      const above = relative(folder, join(repository, 'manifests'));
      const [newName, newTag] = controllerImageName.split(':');
      const { config = {}, replicas } = overlay;
      const kustomization = {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        namespace: this.namespace,
        ...(overlay.namePrefix !== undefined && { namePrefix: overlay.namePrefix }),
        resources: [join(above, overlay.resource ?? 'base')],
        components: (overlay.components ?? []).map((one) => join(above, 'components', one)),
        images: [{ name: 'job-chief', newName, newTag }],
        ...(replicas !== undefined && { replicas: [{ name: 'job-chief', count: replicas }] }),
        configMapGenerator: overlay.generators ?? [],
        generatorOptions: { disableNameSuffixHash: true },
        patches: [
          ...(overlay.resource === undefined ? connected(config) : []),
          ...(overlay.patches ?? []),
        ].map((patch) => ({ patch: stringify(patch) })),
      };
      await mkdir(folder, { recursive: true });
      for (const [name, text] of Object.entries({ ...overlay.files, 'kustomization.yaml': stringify(kustomization) })) await writeFile(join(folder, name), text);
      return await this.kubernetes.kubectl(['apply', '-k', folder]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async ready(deployment = 'job-chief'): Promise<void> {
    await this.kubectl('rollout', 'status', `deployment/${deployment}`, '--timeout=180s');
  }

  async controllers(deployment = 'job-chief'): Promise<Pod[]> {
    const { items } = await this.kubernetes.list('pods', this.namespace, 'app.kubernetes.io/name=job-chief');
    return items.filter(({ metadata }) => metadata.name.startsWith(`${deployment}-`) && metadata.deletionTimestamp === undefined);
  }

  /** The kubelet looks at mounted Secrets and ConfigMaps about once a minute, and whenever the pod itself changes. */
  async refreshMounts(): Promise<void> {
    this.#sequence += 1;
    for (const { metadata } of await this.controllers()) await this.kubectl('annotate', 'pod', metadata.name, '--overwrite', `looked-at=${this.#sequence}`);
  }

  /** GET from job-chief's own port. */
  async ask(path: string): Promise<{ status: number; body: string }> {
    const [pod] = await this.controllers();
    return await this.kubernetes.ask(this.namespace, pod?.metadata.name ?? '', path);
  }

  async metric(series: string): Promise<number | undefined> {
    const { body } = await this.ask('/metrics');
    const line = body.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  async logs(): Promise<string> {
    return await this.kubectl('logs', '-l', 'app.kubernetes.io/name=job-chief', '--tail=-1', '--prefix=false');
  }

  // --- specs and what became of them

  /** A Queue as a labelled ConfigMap. */
  async queue(name: string, spec: object, metadata: { name?: string; labels?: Record<string, string> } = {}): Promise<void> {
    await this.apply(queueConfigMap(name, spec, metadata));
  }

  async configMap(name: string): Promise<ConfigMap | undefined> {
    const { items } = await this.kubernetes.list('configmaps', this.namespace, 'job-chief');
    return items.find(({ metadata }) => metadata.name === name);
  }

  async status(name: string): Promise<StatusDocument | undefined> {
    const text = (await this.configMap(name))?.metadata.annotations?.['job-chief/status'];
    return text === undefined ? undefined : (JSON.parse(text) as StatusDocument);
  }

  /** Waits for a status in which all of `expected` stands. */
  async statusBecomes(name: string, expected: object, timeout?: number): Promise<StatusDocument> {
    return await eventually(async () => {
      const status = await this.status(name);
      expect(status, `status of ${name}`).toMatchObject(expected);
      return status as StatusDocument;
    }, timeout);
  }

  /** Of one queue, oldest first. */
  async jobs(queue?: string): Promise<Job[]> {
    const { items } = await this.kubernetes.list('jobs', this.namespace, queue === undefined ? 'job-chief/name' : `job-chief/name=${queue}`);
    return items.toSorted((left, right) => Number(left.metadata.labels?.['job-chief/run']) - Number(right.metadata.labels?.['job-chief/run']));
  }

  async pods(queue: string): Promise<Pod[]> {
    return (await this.kubernetes.list('pods', this.namespace, `job-chief/name=${queue}`)).items;
  }

  async events(object: string): Promise<Event[]> {
    const { items } = await this.kubernetes.list('events', this.namespace);
    return items.filter(({ involvedObject }) => involvedObject.name === object);
  }

  /** Waits for an Event about an object: they come a moment after what they tell of. */
  async eventOf(object: string, event: object): Promise<void> {
    await eventually(async () => { expect(await this.events(object), `events of ${object}`).toContainEqual(expect.objectContaining(event)); });
  }

  /** A container of the queue's newest Job runs, or has run: on a busy machine nobody may have looked while it did. */
  async running(queue: string): Promise<Job> {
    return await eventually(async () => {
      const job = (await this.jobs(queue)).at(-1);
      const pods = (await this.pods(queue)).filter(({ metadata }) => metadata.labels?.['job-name'] === job?.metadata.name);
      expect(pods.some(({ status }) => status.containerStatuses?.some(hasStarted) === true), `a running container of ${queue}`).toBe(true);
      return job as Job;
    });
  }

  // --- messages

  /** Creates the queue if need be and sends so many messages. */
  async send(queue: string, count = 1): Promise<void> {
    await this.boss.createQueue(queue, { notify: true, retryLimit: 5, retryDelay: 0 });
    await this.boss.insert(queue, Array.from({ length: count }, (_, i) => ({ data: { number: i } })));
  }

  /** How many messages of a queue are in each state. */
  async messages(queue: string): Promise<Record<string, number>> {
    const rows = await statement(this.postgres, `SELECT state::text, count(*)::int AS n FROM pgboss.job WHERE name = '${queue}' GROUP BY state`, this.database);
    return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]));
  }

  /** The queue is empty and all messages were completed. */
  async drained(queue: string, count: number, timeout?: number): Promise<void> {
    await eventually(async () => { expect(await this.messages(queue), `messages of ${queue}`).toEqual({ completed: count }); }, timeout);
  }

  /** All that helps to understand a failure. */
  async dump(): Promise<string> {
    const show = async (title: string, ...args: string[]): Promise<string> => `--- ${title}\n${await this.kubectl(...args).catch(String)}`;
    return [
      `=== namespace ${this.namespace}`,
      await show('objects', 'get', 'jobs,pods,configmaps,deployments', '-L', 'job-chief/state,job-chief/name', '-o', 'wide'),
      await show('status', 'get', 'configmaps', '-l', 'job-chief', '-o', String.raw`jsonpath={range .items[*]}{.metadata.name}{"\t"}{.metadata.annotations.job-chief/status}{"\n"}{end}`),
      await show('runs', 'get', 'configmaps', '-l', 'job-chief-record=run', '-o', String.raw`jsonpath={range .items[*]}{.metadata.name}{"\t"}{.metadata.labels.job-chief/state}{"\t"}{.data.state\.json}{"\n"}{end}`),
      await show('events', 'get', 'events', '--sort-by=.metadata.creationTimestamp'),
      await show('log', 'logs', '-l', 'app.kubernetes.io/name=job-chief', '--tail=150', '--prefix'),
    ].join('\n');
  }
}

/** A site for the tests of one `describe`; dumped when one fails; at its end no two Jobs for the same work have lived at once. */
export function useSite(options: SiteOptions, prepare: (site: Site) => Promise<void>): () => Site {
  let opened: Site | undefined;
  beforeAll(async () => {
    const site = await Site.open(options);
    opened = site;
    try {
      await prepare(site);
    } catch (error) {
      console.error(await site.dump());
      throw error;
    }
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => { console.error(await opened?.dump()); });
  });
  afterAll(async () => {
    const overlaps = opened?.witness.overlaps();
    await opened?.close();
    expect(overlaps).toEqual([]);
  });
  return () => {
    if (opened === undefined) throw new Error('the site is there only inside tests');
    return opened;
  };
}

async function statement(postgres: Place['postgres'], sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...postgres, database });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** What manifests/examples/one-queue adds to the base, with more configuration. */
function connected(config: object): object[] {
  const whole = { connectionsFolder: '/etc/job-chief/connections', connections: { main: { secretName: 'main-database', injectable: true } }, ...config };
  const container = { name: 'job-chief', volumeMounts: [{ name: 'connection-main', mountPath: '/etc/job-chief/connections/main', readOnly: true }] };
  const volumes = [{ name: 'connection-main', secret: { secretName: 'main-database', defaultMode: 0o440 } }];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'job-chief-config' }, data: { 'config.yaml': stringify(whole) } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'job-chief' }, spec: { template: { spec: { containers: [container], volumes } } } },
  ];
}

export function queueConfigMap(name: string, spec: object, metadata: { name?: string; labels?: Record<string, string> } = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: metadata.name ?? name, labels: { 'job-chief': 'queue', ...metadata.labels } },
    data: { 'spec.yaml': stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', name, source: { pgBoss: { connection: 'main', queue: name } }, drain: {}, ...spec }) },
  };
}
