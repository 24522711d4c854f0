/**
 * Plays scheduler and kubelet for a cluster without containers: binds every pod to a Node object and walks it through
 * the stages that its annotations ask for (fake-pod.ts).
 *
 *   node hack/dev/cluster/fake-kubelet.ts --kubeconfig FILE [--phase-delay 1s] [--fast] [--unbound] [--nodes 1] [--connections 64]
 *
 * --phase-delay: from the containers' end to the pod's phase (a real kubelet takes about 1 s; default 0, one write)
 * --fast: no Running in between for containers that end at once: one status write per pod instead of two
 * --unbound: pods are not bound to a node: one request per pod less, for measurements where nobody reads spec.nodeName
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connectApi, type Api } from './api.ts';
import { milliseconds, scriptOf, statusOf, unschedulable, type Moments, type Pod, type Script, type Stage } from './fake-pod.ts';
import { messageOf, sleep } from './progress.ts';

export interface FakeKubeletOptions {
  server: string;
  token: string;
  ca: string;
  phaseDelayMs?: number;
  fast?: boolean;
  unbound?: boolean;
  nodes?: number;
  connections?: number;
}

/** A pod that is being played. `timers` die with it. */
interface Play {
  pod: Pod;
  script: Script;
  at: Moments;
  timers: Set<NodeJS.Timeout>;
  over: boolean;
  leaving: boolean;
}

const stamp = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const pathOf = (pod: Pod): string => `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;

export class FakeKubelet {
  readonly #api: Api;
  readonly #phaseDelayMs: number;
  readonly #fast: boolean;
  readonly #unbound: boolean;
  readonly #nodes: string[];
  readonly #plays = new Map<string, Play>();
  readonly #stop = new AbortController();
  #next = 0;

  constructor(options: FakeKubeletOptions) {
    this.#api = connectApi({ ...options, connections: options.connections ?? 64 });
    this.#phaseDelayMs = options.phaseDelayMs ?? 0;
    this.#fast = options.fast ?? false;
    this.#unbound = options.unbound ?? false;
    this.#nodes = Array.from({ length: options.nodes ?? 1 }, (_, i) => `fake-node-${i + 1}`);
  }

  /** Lists and watches until stopped; a cut watch or a lost API server only means listing again. */
  async run(): Promise<void> {
    while (!this.#stopped()) {
      try {
        await this.#makeNodes();
        await this.#follow();
      } catch (error) {
        if (this.#stopped()) return;
        process.stderr.write(`fake-kubelet: ${messageOf(error)}\n`);
        await sleep(200);
      }
    }
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #follow(): Promise<void> {
    let version: string | undefined = await this.#list();
    for (let begun = Date.now(); version !== undefined; begun = Date.now()) {
      version = await this.#watch(version);
      // A server that answers but cuts at once must not be hammered.
      if (Date.now() - begun < 100) await sleep(100);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const play of this.#plays.values()) this.#forget(play);
    await this.#api.close();
  }

  async #makeNodes(): Promise<void> {
    for (const name of this.#nodes) {
      const resources = { cpu: '1000', memory: '1000Gi', pods: '1000000', 'ephemeral-storage': '1000Gi' };
      const made = await this.#api.request('POST', '/api/v1/nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
      });
      if (made.status !== 201 && made.status !== 409) throw new Error(`node ${name}: ${made.status} ${made.body}`);
      const status = {
        capacity: resources,
        allocatable: resources,
        conditions: [{ type: 'Ready', status: 'True', reason: 'FakeKubelet', lastHeartbeatTime: stamp(), lastTransitionTime: stamp() }],
        addresses: [{ type: 'InternalIP', address: '192.0.2.10' }],
        nodeInfo: { kubeletVersion: 'fake' },
      };
      await this.#api.request('PATCH', `/api/v1/nodes/${name}/status`, { status }, 'application/merge-patch+json');
      // Admission taints new nodes until a lifecycle controller sees them ready; none runs here.
      await this.#api.request('PATCH', `/api/v1/nodes/${name}`, { spec: { taints: null } }, 'application/merge-patch+json');
    }
  }

  async #list(): Promise<string> {
    const answer = await this.#api.request('GET', '/api/v1/pods');
    if (answer.status !== 200) throw new Error(`list pods: ${answer.status} ${answer.body}`);
    const list = JSON.parse(answer.body) as { metadata: { resourceVersion: string }; items: Pod[] };
    const present = new Set(list.items.map((pod) => pod.metadata.uid));
    for (const [uid, play] of this.#plays) if (!present.has(uid)) this.#forget(play);
    for (const pod of list.items) this.#see(pod);
    return list.metadata.resourceVersion;
  }

  /** Returns where to go on, or undefined when only a new list helps (410). */
  async #watch(from: string): Promise<string | undefined> {
    let version = from;
    const path = `/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=${from}`;
    for await (const line of this.#api.stream(path, this.#stop.signal)) {
      const event = JSON.parse(line) as { type: string; object: Pod & { metadata: { resourceVersion: string } } };
      if (event.type === 'ERROR') return undefined;
      version = event.object.metadata.resourceVersion;
      if (event.type === 'DELETED') {
        const play = this.#plays.get(event.object.metadata.uid);
        if (play !== undefined) this.#forget(play);
      } else if (event.type !== 'BOOKMARK') {
        this.#see(event.object);
      }
    }
    return version;
  }

  #see(pod: Pod): void {
    const known = this.#plays.get(pod.metadata.uid);
    if (known !== undefined) known.pod = pod;
    // A gated pod waits for whoever gated it.
    else if (pod.spec.schedulingGates !== undefined && pod.spec.schedulingGates.length > 0) return;
    const play = known ?? this.#begin(pod);
    if (pod.metadata.deletionTimestamp !== undefined && !play.leaving) {
      play.leaving = true;
      this.#do(play, () => this.#leave(play));
    }
  }

  #begin(pod: Pod): Play {
    const now = stamp();
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    const play: Play = { pod, script: scriptOf(pod), at: { scheduled: now, started: now, ended: now }, timers: new Set(), over, leaving: false };
    this.#plays.set(pod.metadata.uid, play);
    if (!over && pod.metadata.deletionTimestamp === undefined) this.#do(play, () => this.#schedule(play));
    return play;
  }

  #forget(play: Play): void {
    this.#plays.delete(play.pod.metadata.uid);
    play.over = true;
    for (const timer of play.timers) clearTimeout(timer);
    play.timers.clear();
  }

  /** Runs a step now; while the API server is away it is tried again, for as long as the pod is known. */
  #do(play: Play, step: () => Promise<void>): void {
    step().catch((error: unknown) => {
      if (this.#stopped() || !this.#plays.has(play.pod.metadata.uid)) return;
      process.stderr.write(`fake-kubelet: ${play.pod.metadata.name}: ${messageOf(error)}\n`);
      this.#later(play, 200, step);
    });
  }

  #later(play: Play, ms: number, step: () => Promise<void>): void {
    const timer = setTimeout(() => {
      play.timers.delete(timer);
      this.#do(play, step);
    }, ms);
    play.timers.add(timer);
  }

  async #schedule(play: Play): Promise<void> {
    const { pod, script } = play;
    if (script.neverSchedule) {
      await this.#patch(play, unschedulable(stamp()));
      return;
    }
    if (pod.spec.nodeName === undefined && !this.#unbound) {
      const { name, namespace, uid } = pod.metadata;
      const target = { apiVersion: 'v1', kind: 'Node', name: this.#nodes[this.#next++ % this.#nodes.length] };
      const bound = await this.#api.request('POST', `${pathOf(pod)}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target });
      // 409 after a lost answer: it is bound already, or another pod has the name now, and then the patch says so.
      if (![201, 404, 409].includes(bound.status)) throw new Error(`bind: ${bound.status} ${bound.body}`);
    }
    play.at.scheduled = stamp();
    if (script.evictAfterMs !== undefined) this.#later(play, script.evictAfterMs, () => this.#end(play, 'evicted'));
    if (script.waiting !== undefined) {
      await this.#show(play, 'waiting');
      return;
    }
    if (script.startAfterMs === 0) {
      await this.#start(play);
      return;
    }
    this.#later(play, script.startAfterMs, () => this.#start(play));
    await this.#show(play, 'creating');
  }

  async #start(play: Play): Promise<void> {
    if (play.over || play.leaving) return;
    play.at.started = stamp();
    const ends = play.script.evictAfterMs === undefined;
    if (!(this.#fast && play.script.runForMs === 0 && ends)) await this.#show(play, 'running');
    if (play.script.runForMs > 0) this.#later(play, play.script.runForMs, () => this.#exit(play));
    else if (ends) await this.#exit(play);
  }

  async #exit(play: Play): Promise<void> {
    if (play.over || play.leaving) return;
    play.at.ended = stamp();
    if (this.#phaseDelayMs === 0) {
      await this.#end(play, 'finished');
      return;
    }
    this.#later(play, this.#phaseDelayMs, () => this.#end(play, 'finished'));
    await this.#show(play, 'ended');
  }

  async #end(play: Play, stage: 'finished' | 'evicted' | 'killed'): Promise<void> {
    if (play.over) return;
    if (stage !== 'finished') play.at.ended = stamp();
    await this.#show(play, stage);
    play.over = true;
  }

  /** As a kubelet: the containers get their grace, the end is reported, and only then the object goes. */
  async #leave(play: Play): Promise<void> {
    for (const timer of play.timers) clearTimeout(timer);
    play.timers.clear();
    const go = async (): Promise<void> => {
      if (!play.script.neverSchedule) await this.#end(play, 'killed');
      const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: play.pod.metadata.uid } };
      const gone = await this.#api.request('DELETE', pathOf(play.pod), options);
      if (![200, 202, 404, 409].includes(gone.status)) throw new Error(`delete: ${gone.status} ${gone.body}`);
    };
    if (play.over || play.script.graceMs === 0) {
      await go();
      return;
    }
    this.#later(play, play.script.graceMs, go);
  }

  #show(play: Play, stage: Stage): Promise<void> {
    return this.#patch(play, statusOf(play.pod, play.script, stage, play.at));
  }

  async #patch(play: Play, status: object): Promise<void> {
    const body = { metadata: { uid: play.pod.metadata.uid }, status };
    const answer = await this.#api.request('PATCH', `${pathOf(play.pod)}/status`, body, 'application/merge-patch+json');
    // Gone, or another pod of the same name: the watch tells.
    if (![200, 404, 409, 422].includes(answer.status)) throw new Error(`status: ${answer.status} ${answer.body}`);
    if (answer.status === 422) process.stderr.write(`fake-kubelet: ${play.pod.metadata.name}: ${answer.body}\n`);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      'phase-delay': { type: 'string' },
      fast: { type: 'boolean' },
      unbound: { type: 'boolean' },
      nodes: { type: 'string' },
      connections: { type: 'string' },
    },
  });
  // Written by credentials.ts, so JSON with one of each.
  const config = JSON.parse(readFileSync(values.kubeconfig ?? '', 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { token: string } }];
  };
  await new FakeKubelet({
    server: config.clusters[0].cluster.server,
    ca: Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString(),
    token: config.users[0].user.token,
    phaseDelayMs: milliseconds(values['phase-delay']) ?? 0,
    fast: values.fast ?? false,
    unbound: values.unbound ?? false,
    nodes: Number(values.nodes ?? 1),
    connections: Number(values.connections ?? 64),
  }).run();
}
