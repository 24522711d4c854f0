/** Messages as the controller sees them: what plans may look at, and what becomes of what they decide. */
import type { Plan } from '../../plan/action.ts';
import type { MessageNote } from '../../plan/messages/message.ts';
import type { MessagesView } from '../../plan/messages/observed.ts';
import { isLive } from '../../plan/job-state.ts';
import { isStored } from '../../plan/messages/stored.ts';
import { carriersOf } from '../../plan/messages/view.ts';
import type { Observed, ObservedJob, SpecKey } from '../../plan/observed.ts';
import type { QueueStats } from '../api-ports.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { CreateDeps } from '../create-named.ts';
import type { QueueSource } from '../../spec/queue-source.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Leadership } from '../leadership.ts';
import type { MessageRuns, MessageSource, PayloadStore } from '../message-ports.ts';
import type { MessageMeter, Meter } from '../meter.ts';
import type { ClusterCache, DepthProbe, Log } from '../ports.ts';
import { HistoryKeeper } from './history-keeper.ts';
import type { HistoryStore } from './history-ports.ts';
import { runKey } from '../key.ts';
import { LeaseBook } from './lease-book.ts';
import { MessageDepths } from './message-depths.ts';
import type { MessageMemory } from './message-memory.ts';
import { MessageReporter } from './message-reporter.ts';
import type { MessageNews } from './message-task.ts';
import { MessageTasks } from './message-tasks.ts';

export interface MessagesDeps extends CreateDeps {
  readonly clock: Clock;
  readonly cache: Pick<ClusterCache, 'hasSeen' | 'jobs' | 'orphans'>;
  readonly messages: MessageSource;
  readonly payloads: PayloadStore;
  /** undefined: no histories are kept. */
  readonly histories?: HistoryStore | undefined;
  readonly runs: MessageRuns;
  readonly probe: DepthProbe;
  readonly queueStats?: QueueStats;
  readonly capacity: Pick<Capacity, 'settled'>;
  readonly leadership: Leadership;
  readonly meter: Meter;
  readonly messageMeter: MessageMeter;
  readonly log: Log;
  /** Asks for a round of a key. */
  readonly changed: (key: SpecKey) => void;
}

export class Messages {
  readonly #deps: MessagesDeps;
  readonly #book: LeaseBook;
  readonly #tasks: MessageTasks;
  readonly #depths: MessageDepths;
  readonly #history: HistoryKeeper | undefined;

  constructor(deps: MessagesDeps) {
    this.#deps = deps;
    const { clock, changed, messages: source } = deps;
    const reporter = new MessageReporter(deps);
    this.#history = deps.histories && new HistoryKeeper({ ...deps, histories: deps.histories });
    const told = (key: SpecKey, news: MessageNews): void => {
      reporter.told(key, news);
      if (news.step === 'settled' && news.action.kind === 'settle') this.#history?.settled(key, news.action);
    };
    this.#book = new LeaseBook({
      clock,
      source,
      changed,
      leased: (key, lease) => {
        this.#tasks.leased(key, lease.id);
        reporter.leased(lease, key);
      },
      lost: (key, lease, why) => { reporter.lost(lease, key, why); },
    });
    this.#tasks = new MessageTasks({ ...deps, source, book: this.#book, told, settled: (name) => { deps.capacity.settled(name); } });
    this.#depths = new MessageDepths(deps);
  }

  /** undefined: there is nothing about messages of the key. `wanted`: its spec leases them. */
  view(key: SpecKey, jobs: readonly ObservedJob[], wanted: boolean): MessagesView | undefined {
    const memory = this.#tasks.memory(key);
    const runs = this.#deps.runs.of(key);
    if (!wanted && !memory && !this.#book.has(key) && runs.length === 0 && !jobs.some(({ message, batch }) => message ?? batch)) return undefined;
    memory?.tidy(carriersOf(jobs, { runs }), (id) => this.#book.holds(key, id));
    const { posted, lost, deleted, troubles, refusals } = memory ?? nothing;
    return { leases: this.#book.leases(key), sources: this.#book.states(key), underWay: this.#tasks.underWay(key), namesUnderWay: this.#tasks.namesUnderWay(key), posted, lost, deleted, troubles, refusals, runs, ...this.#lingering(memory) };
  }

  /** Its record is gone at once, its Jobs and their pods follow. */
  #lingering(memory: MessageMemory | undefined): Pick<MessagesView, 'lingering'> {
    const { cache } = this.#deps;
    const ids = (memory?.deletedRuns ?? []).filter(([, run]) => cache.jobs(runKey(run)).some(isLive) || cache.orphans(runKey(run)).length > 0).map(([id]) => id);
    return ids.length === 0 ? {} : { lingering: new Set(ids) };
  }

  /** To be called with a plan before anything is awaited. `source`: the queue that its spec names now. */
  carryOut(key: SpecKey, { leases = [], messages = [] }: Plan, { jobs, source }: { readonly jobs: readonly ObservedJob[]; readonly source: QueueSource | undefined }): void {
    const had = this.#book.has(key);
    this.#book.wish(key, leases);
    this.#depths.watch(key, source);
    this.#tasks.start(key, messages, carriersOf(jobs, { runs: this.#deps.runs.of(key) }));
    // Once more when the last subscription ends: what it had goes back.
    if (had || this.#book.has(key)) this.#deps.messageMeter.inHand(key, this.#book.count(key));
  }

  /** After each round: what has been settled goes into the history. */
  remember(observed: Pick<Observed, 'key' | 'jobs' | 'messages' | 'claims'>): void {
    this.#history?.saw(observed);
  }

  /** Whether the message of that id is in hand, or something is being asked about it. */
  isInHand(key: SpecKey, id: string): boolean {
    return this.#book.holds(key, id) || this.#tasks.underWay(key).has(id);
  }

  /** A Job is gone whose message nobody had settled; or the record of a run, whose name is `run`. */
  jobGone(key: SpecKey, note: MessageNote, run?: string): void {
    // Whoever takes over begins with what it sees.
    if (this.#deps.leadership.leading) this.#tasks.memoryFor(key).jobGone(note, run);
  }

  /** Nothing is left of the key. */
  forget(key: SpecKey): void {
    this.#book.wish(key, []);
    this.#depths.watch(key, undefined);
    this.#tasks.forget(key);
    this.#history?.forget(key);
    this.#deps.messageMeter.forget(key);
  }

  /** Series of a deleted spec must not stay for as long as its finished Jobs are kept. */
  forgetSeries(key: SpecKey): void {
    if (!this.#book.has(key)) this.#deps.messageMeter.forget(key);
  }

  /** Another process led meanwhile, as after a restart. */
  startAnew(): void {
    this.#tasks.startAnew();
    this.#history?.startAnew();
  }

  /** A replica that does not lead holds no lease. */
  standBy(): void {
    this.#depths.close();
    this.#history?.startAnew();
    void this.#book.close((key) => this.#kept(key));
  }

  /** After the last round: what is under way ends, and what is in hand goes back. */
  async stop(): Promise<void> {
    this.#depths.close();
    await this.#tasks.stop();
    await Promise.all([this.#book.close((key) => this.#kept(key)), this.#history?.stop()]);
  }

  /**
   * Whose Job is there with all that it needs: the next process settles the message, and nobody else who leases from the
   * queue is to start another Job beside it.
   */
  #kept(key: SpecKey): ReadonlySet<string> {
    const { posted } = this.#tasks.memory(key) ?? nothing;
    const { cache, runs } = this.#deps;
    return new Set(carriersOf(cache.jobs(key), { runs: runs.of(key) }).flatMap((job) => (!job.message.settled && isStored(job, { posted }) ? [job.message.note.id] : [])));
  }
}

const nothing = { posted: new Set<string>(), lost: new Set<string>(), deleted: new Map<string, never>(), troubles: new Map<string, never>(), refusals: new Map<string, never>() };
