/**
 * The engine: caches and queues ask for keys, keys get rounds. Opens only after specs, Jobs and Pods are synced, so that
 * nothing is decided on a half-filled view; closes in the order intake, rounds under way, done.
 */
import { sleep, type Clock } from '../lib/clock.ts';
import { labelValue } from '../lib/label-value.ts';
import type { PlanEnvironment } from '../plan/environment.ts';
import type { Status } from '../plan/action.ts';
import type { MessageNote } from '../plan/messages/message.ts';
import { noCeilings } from '../plan/limits/effective.ts';
import type { Claim, ObservedJob, SpecKey } from '../plan/observed.ts';
import type { PodPolicy } from '../spec/pod-policy/policy.ts';
import type { LimitFields } from '../spec/limits.ts';
import type { QueueSource } from '../spec/queue-source.ts';
import type { QueueStats } from './api-ports.ts';
import { Capacity } from './capacity/capacity.ts';
import { LimitsReader } from './capacity/limits-reader.ts';
import { CreateGate } from './create-gate.ts';
import { DeletionCalls } from './deletion-calls.ts';
import { DepthReader } from './depth-reader.ts';
import { Explainer } from './explainer.ts';
import { documentText, specText } from './key.ts';
import type { Leadership } from './leadership.ts';
import { Memory } from './memory.ts';
import type { MessageSource, PayloadStore } from './message-ports.ts';
import type { HistoryStore } from './messages/history-ports.ts';
import { Messages } from './messages/messages.ts';
import type { MessageMeter, Meter, RunMeter, WorkQueueMeter } from './meter.ts';
import type { ClusterCache, DeletionHook, DepthProbe, EventReader, EventSink, JobApi, Log, SpecSource, StatusSink, WakeSource } from './ports.ts';
import { QueueRounds } from './queue-rounds.ts';
import { Reconciler } from './reconciler.ts';
import type { RecordCache, RecordNews, RecordStore } from './record-ports.ts';
import { Reporter } from './reporter.ts';
import type { OnRound } from './runs/run-rounds.ts';
import { Runs } from './runs/runs.ts';
import { SpecIndex, type ParseSpec } from './spec-index.ts';
import { StatusWriter } from './status-writer.ts';
import { TargetWaits } from './target-waits.ts';
import { TemplateChecker } from './template-checker.ts';
import { WorkQueue, type RoundResult } from './work-queue.ts';

/** Milliseconds for which the news that a Job exists gives way while others are being created. */
const appearedPause = 250;

export interface ControllerDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly parse: ParseSpec;
  /** What the operator lets pods be and use. */
  readonly policy: PodPolicy;
  /** Called before something is deleted, where specs ask for it. */
  readonly hook: DeletionHook;
  readonly specs: SpecSource;
  readonly cache: ClusterCache;
  readonly jobs: JobApi;
  /** Where runs of workflows are written down. Queues never wait for it. */
  readonly records: RecordCache;
  readonly store: RecordStore;
  readonly probe: DepthProbe;
  readonly wakes: WakeSource;
  /** Whence messages are leased, and where their payloads go. */
  readonly messages: MessageSource;
  readonly queueStats?: QueueStats;
  readonly payloads: PayloadStore;
  /** Where it is kept what became of messages; undefined: nowhere. */
  readonly histories?: HistoryStore | undefined;
  readonly events: EventSink;
  readonly eventReader: EventReader;
  /** undefined: status write-back is off. */
  readonly statusSink: StatusSink | undefined;
  readonly meter: Meter;
  readonly runMeter: RunMeter;
  readonly messageMeter: MessageMeter;
  readonly workQueueMeter: WorkQueueMeter;
  readonly log: Log;
  /** Bounds that the operator sets, beside those of Limits; absent: none. */
  readonly ceilings?: LimitFields | undefined;
  /** Rounds under way at once. */
  readonly concurrency: number;
  /** Rounds and readings happen only while it leads. */
  readonly leadership: Leadership;
  /** Brings all caches up to this moment. Where several processes take turns, each begins its turn as one that has just started. */
  readonly refresh?: (() => Promise<void>) | undefined;
  readonly onRound?: OnRound;
}

export class Controller {
  readonly #deps: ControllerDeps;
  readonly #queue: WorkQueue;
  readonly #depths: DepthReader;
  readonly #specs: SpecIndex;
  readonly #reporter: Reporter;
  readonly #memory: Memory;
  /** Who may start how many Jobs. Is to be told which Jobs are live. */
  readonly capacity: Capacity;
  readonly #runs: Runs;
  readonly #targets: TargetWaits;
  readonly #messages: Messages;
  readonly #gate: CreateGate;
  readonly #stop = new AbortController();
  /** Until then changes are not noted: everything that is there is asked for at the opening, documents first. */
  #open = false;
  /** Beginnings and ends of leadership so far. */
  #turns = 0;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { clock, log, meter } = deps;
    const changed = (key: SpecKey): void => { this.jobsChanged(key); };
    this.capacity = new Capacity({ clock, wake: changed, jobs: () => deps.cache.keys().flatMap((key) => deps.cache.jobs(key)) });
    this.#memory = new Memory({ clock, cache: deps.cache, names: this.capacity });
    this.#specs = new SpecIndex(deps.specs, deps.parse);
    this.#depths = new DepthReader({ clock, probe: deps.probe, wakes: deps.wakes, meter, changed });
    const gate = new CreateGate(clock);
    this.#gate = gate;
    const statuses = new StatusWriter({ clock, sink: deps.statusSink, busy: () => gate.busy, forbidden: (message) => { log.warn({ code: 'Forbidden', because: message }, 'status is not written: the right to patch ConfigMaps is missing'); } });
    this.#reporter = new Reporter({ clock, statuses, events: deps.events, meter, messageMeter: deps.messageMeter, log, leadership: deps.leadership });
    const shared = {
      ...deps,
      memory: this.#memory,
      gate,
      capacity: this.capacity,
      specs: this.#specs,
      checker: new TemplateChecker({ clock, jobs: deps.jobs, policy: deps.policy, changed }),
      explainer: new Explainer({ clock, events: deps.eventReader, changed }),
      calls: new DeletionCalls({ clock, hook: deps.hook, meter, log, changed }),
      reporter: this.#reporter,
    };
    this.#targets = new TargetWaits({ ...shared, changed });
    this.#runs = new Runs({ ...shared, targets: this.#targets, inHand: (key, id) => this.#messages.isInHand(key, id), changed });
    this.#messages = new Messages({ ...shared, runs: this.#runs.messages, changed });
    const queue = new QueueRounds({ ...shared, depths: this.#depths, messages: this.#messages, targets: this.#targets });
    const limits = new LimitsReader({ specs: this.#specs, capacity: this.capacity, ceilings: deps.ceilings ?? noCeilings, enqueue: changed });
    const reconciler = new Reconciler({ ...shared, enqueue: changed, taken: (keys) => { limits.taken(keys); }, failed: (key) => { this.capacity.forget(key); }, rounds: { queue, unknown: queue, limits: queue, request: this.#runs.request, workflow: this.#runs.workflow, template: this.#runs.workflow, run: this.#runs.run } });
    this.#queue = new WorkQueue({ clock, concurrency: deps.concurrency, meter: deps.workQueueMeter, run: (key) => this.#round(reconciler, key) });
  }

  /** Waits until everything is synced; from then on rounds start whenever this process leads. Rejects only when it is stopped before. */
  async start(): Promise<void> {
    while (!this.synced) await sleep(this.#deps.clock, 20, this.#stop.signal);
    this.#deps.leadership.onChange(() => { this.#turn(); });
    this.#turn();
  }

  #turn(): void {
    const { leading } = this.#deps.leadership;
    this.#turns += 1;
    if (leading === this.#open || this.#stop.signal.aborted) return;
    if (leading) void this.#takeOver(this.#turns);
    else this.#standBy();
  }

  /** Watches may be behind, and what the process before has done in the meantime must not be done again. */
  async #takeOver(turn: number): Promise<void> {
    await this.#deps.refresh?.();
    if (turn !== this.#turns || this.#stop.signal.aborted) return;
    this.#open = true;
    this.#begin();
  }

  #begin(): void {
    this.#memory.startAnew();
    this.#reporter.startAnew();
    this.#runs.startAnew();
    this.#targets.startAnew();
    this.#messages.startAnew();
    this.capacity.startAnew();
    this.#queue.resume();
    // A round of a key whose document is not read yet would take its spec for deleted.
    // What was read before this process stood by may be gone since.
    for (const id of new Set([...this.#deps.specs.ids(), ...this.#specs.ids()])) this.documentChanged(id);
    for (const key of [...this.#deps.cache.keys(), ...this.#runs.keys()]) this.jobsChanged(key);
    this.#queue.start();
  }

  /** Caches go on, so that the next turn begins at once. Series of specs go: they would stand still here while another process moves on. */
  #standBy(): void {
    this.#open = false;
    this.#queue.pause();
    this.#depths.close();
    this.#messages.standBy();
    this.#runs.startAnew();
    this.capacity.startAnew();
    for (const key of [...this.#specs.keys(), ...this.#deps.cache.keys()]) {
      this.#deps.meter.forget(key);
      this.#deps.messageMeter.forget(key);
    }
    for (const key of [...this.#specs.keys(), ...this.#runs.keys()]) this.#deps.runMeter.forget(key);
  }

  /** The end of leadership may be told later than it is. Everything is asked for anew when the next turn begins. */
  #round(reconciler: Reconciler, key: string): Promise<RoundResult> {
    return this.#deps.leadership.leading ? reconciler.round(key) : Promise.resolve({ kind: 'done', again: undefined });
  }

  get synced(): boolean {
    return this.#deps.specs.synced && this.#deps.cache.synced;
  }

  /** A spec document came, changed or went. */
  documentChanged(id: string): void {
    if (this.#open) this.#queue.add(documentText(id));
  }

  /** A Job or pod of the key came, changed or went, or something else asks for a round. */
  jobsChanged(key: SpecKey, appeared = false): void {
    if (!this.#open) return;
    // That the Job of a queue is there now, which is mostly our own, leaves nothing to do but to say so.
    if (appeared && key.kind === 'queue' && this.#gate.busy) this.#queue.addAfter(specText(key), appearedPause);
    else this.#queue.add(specText(key));
  }

  /** The record of a run came, changed or went. */
  recordChanged({ name, target, record, gone }: RecordNews): void {
    const { request, message } = record;
    const queue: SpecKey | undefined = request?.queue === undefined ? undefined : { kind: 'queue', name: labelValue(request.queue) };
    if (queue && gone && message && !message.settled) this.#messages.jobGone(queue, message.note, name);
    if (queue) this.jobsChanged(queue);
    if (this.#open) this.#runs.recordChanged(name, target);
  }

  /** An unfinished Job is gone. Retention deletes only finished ones, so it was somebody else, or its owner went. */
  jobVanished(key: SpecKey, job: Pick<ObservedJob, 'name' | 'uid' | 'ownerUid'>): void {
    // Whoever leads says it, once.
    // Of a run its plan says it, once it is sure.
    if (!this.#deps.leadership.leading || key.kind === 'run') return;
    this.#memory.jobVanished(key);
    const claims = this.#specs.claims(key);
    const ownerLives = job.ownerUid === undefined || claims.some(({ source }) => source.kind === 'configMap' && source.uid === job.ownerUid && !source.deleting);
    if (ownerLives) this.#reporter.jobVanished(key, job, claims);
  }

  /** A Job is gone whose message nobody had settled: somebody deleted it. */
  messageJobGone(key: SpecKey, note: MessageNote): void {
    this.#messages.jobGone(key, note);
  }

  /** What a claim stands at by the last round; undefined where this process has had none, or does not lead. */
  statusOf(claim: Claim): Status | undefined {
    return this.#reporter.statusOf(claim);
  }

  /** A queue says that a message came. */
  queueWoke(source: QueueSource): void {
    this.#depths.wake(source);
  }

  /** Takes in nothing more, waits for the rounds under way, writes down what they decided about runs, and gives messages back. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    this.#depths.close();
    this.capacity.stop();
    await this.#queue.close();
    await Promise.all([this.#runs.stop(), this.#messages.stop()]);
  }
}
