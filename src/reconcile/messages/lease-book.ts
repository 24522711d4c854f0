/**
 * The messages in hand, and the subscriptions through which they came: one for each queue that a spec's plan wishes
 * leases of, open until a plan wishes none. Events are noted at once and ask for a round; what follows from them is decided
 * there.
 */
import type { Clock } from '../../lib/clock.ts';
import { canonicalJson } from '../../lib/digest.ts';
import type { LeaseDemand } from '../../plan/messages/action.ts';
import type { Lease, SourceState } from '../../plan/messages/message.ts';
import type { LeaseInHand } from '../../plan/messages/observed.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { sourceText, type QueueSource } from '../../spec/queue-source.ts';
import { specText } from '../key.ts';
import type { MessageSource, Subscription } from '../message-ports.ts';

export interface LeaseBookDeps {
  readonly clock: Clock;
  readonly source: MessageSource;
  /** A message came into hand. */
  readonly leased: (key: SpecKey, lease: LeaseInHand) => void;
  /** A lease ended, and nobody here ended it. */
  readonly lost: (key: SpecKey, lease: LeaseInHand, why: string) => void;
  /** The plan of the key may differ now. */
  readonly changed: (key: SpecKey) => void;
}

interface Standing {
  readonly key: SpecKey;
  readonly source: QueueSource;
  readonly text: string;
  readonly subscription: Subscription;
  /** In the order in which they came. */
  readonly leases: Map<string, LeaseInHand>;
  /** Receipts that were asked to be taken over, as texts. */
  readonly asked: Set<string>;
  state: SourceState | undefined;
  /** Leased since the opening, those that were taken over not counted. */
  delivered: number;
  /** The total that was last given as credit. */
  credited: number;
  closed: boolean;
}

export class LeaseBook {
  readonly #deps: LeaseBookDeps;
  /** By spec, then by queue. */
  readonly #standing = new Map<string, Map<string, Standing>>();
  /** Subscriptions that are giving back what they had. */
  readonly #closing = new Set<Promise<void>>();

  constructor(deps: LeaseBookDeps) {
    this.#deps = deps;
  }

  /** What the newest plan of the key wishes; to be called before anything is awaited, so that what came since counts against it. */
  wish(key: SpecKey, demands: readonly LeaseDemand[]): void {
    const wanted = new Map(demands.map((demand) => [sourceText(demand.source), demand]));
    for (const standing of [...(this.#standing.get(specText(key))?.values() ?? [])]) {
      const demand = wanted.get(standing.text);
      if (!demand || !isSame(demand.source, standing.source)) this.#close(standing);
    }
    for (const [text, demand] of wanted) this.#apply(this.#standing.get(specText(key))?.get(text) ?? this.#open(key, text, demand.source), demand);
  }

  /** Oldest first. */
  leases(key: SpecKey): readonly LeaseInHand[] {
    return [...this.#of(key)].flatMap(({ leases }) => [...leases.values()]).sort((left, right) => left.since - right.since);
  }

  states(key: SpecKey): ReadonlyMap<string, SourceState> {
    return new Map([...this.#of(key)].flatMap(({ text, state }) => (state ? [[text, state] as const] : [])));
  }

  get(key: SpecKey, token: string | undefined): LeaseInHand | undefined {
    if (token === undefined) return undefined;
    for (const { leases } of this.#of(key)) {
      const lease = leases.get(token);
      if (lease) return lease;
    }
    return undefined;
  }

  /** Whether some delivery of the message is in hand. */
  holds(key: SpecKey, id: string): boolean {
    return [...this.#of(key)].some(({ leases }) => leases.values().some((lease) => lease.id === id));
  }

  /** Whether the key has subscriptions. */
  has(key: SpecKey): boolean {
    return this.#standing.has(specText(key));
  }

  count(key: SpecKey): number {
    return [...this.#of(key)].reduce((sum, { leases }) => sum + leases.size, 0);
  }

  /** The queue was told what has become of it: it is not in hand any more. */
  settled(key: SpecKey, token: string): void {
    for (const { leases } of this.#of(key)) leases.delete(token);
  }

  /** The queue says that it is not ours any more. */
  drop(key: SpecKey, token: string, why: string): void {
    for (const standing of this.#of(key)) this.#lost(standing, token, why);
  }

  /** Gives back all that is in hand, but for the messages that are to be `kept` for the next process, where the queue can. */
  async close(kept: (key: SpecKey) => ReadonlySet<string> = noneKept): Promise<void> {
    for (const standing of [...this.#standing.values()].flatMap((standings) => [...standings.values()])) {
      const ids = kept(standing.key);
      for (const { token, id } of standing.leases.values()) if (ids.has(id)) standing.subscription.abandon(token);
      this.#close(standing);
    }
    await Promise.all(this.#closing);
  }

  #of(key: SpecKey): Iterable<Standing> {
    return this.#standing.get(specText(key))?.values() ?? [];
  }

  #open(key: SpecKey, text: string, source: QueueSource): Standing {
    const early: Early = { heard: [], standing: undefined };
    const tell = (event: (standing: Standing) => void): void => {
      if (early.standing) event(early.standing);
      else early.heard.push(event);
    };
    const subscription = this.#deps.source.subscribe(source, {
      leased: (lease) => { tell((standing) => { this.#leased(standing, lease); }); },
      lost: (token, why) => { tell((standing) => { this.#lost(standing, token, why); }); },
      state: (state) => { tell((standing) => { this.#stateChanged(standing, state); }); },
    });
    const standing: Standing = { key, source, text, subscription, leases: new Map(), asked: new Set(), state: undefined, delivered: 0, credited: 0, closed: false };
    const standings = this.#standing.get(specText(key)) ?? new Map<string, Standing>();
    this.#standing.set(specText(key), standings.set(text, standing));
    early.standing = standing;
    for (const event of early.heard) event(standing);
    return standing;
  }

  #apply(standing: Standing, { free, adopt }: LeaseDemand): void {
    this.#credit(standing, free);
    this.#adopt(standing, adopt);
  }

  /** Credit that was given and not used is taken back by a pause: the plan of now has less room than that of before. */
  #credit(standing: Standing, free: number): void {
    const { subscription, delivered } = standing;
    const total = delivered + free;
    if (total < standing.credited) {
      subscription.pause();
      standing.credited = delivered;
    }
    if (total === standing.credited || free === 0) return;
    subscription.credit(total);
    standing.credited = total;
  }

  /** Each receipt once, as long as plans wish for it: what the queue does not give at once comes by itself, or never. */
  #adopt({ asked, subscription }: Standing, wanted: LeaseDemand['adopt']): void {
    const texts = new Map(wanted.map((delivery) => [JSON.stringify([delivery.id, delivery.receipt]), delivery]));
    for (const text of asked) if (!texts.has(text)) asked.delete(text);
    for (const [text, { id, receipt }] of texts) {
      if (asked.has(text)) continue;
      asked.add(text);
      subscription.adopt(id, receipt);
    }
  }

  #leased(standing: Standing, lease: Lease): void {
    if (standing.closed || standing.leases.has(lease.token)) return;
    if (lease.adopted !== true && lease.message !== undefined) standing.delivered += 1;
    // By the clock of all other times that plans look at.
    const inHand = { ...lease, since: this.#deps.clock.now(), source: standing.text };
    standing.leases.set(lease.token, inHand);
    this.#deps.leased(standing.key, inHand);
    this.#deps.changed(standing.key);
  }

  #lost(standing: Standing, token: string, why: string): void {
    const lease = standing.leases.get(token);
    if (!lease) return;
    standing.leases.delete(token);
    this.#deps.lost(standing.key, lease, why);
    this.#deps.changed(standing.key);
  }

  #stateChanged(standing: Standing, state: SourceState): void {
    if (standing.closed || isSame(standing.state, state)) return;
    // What was asked while nobody could hear it is asked again.
    if (state.kind === 'open') standing.asked.clear();
    standing.state = state;
    this.#deps.changed(standing.key);
  }

  #close(standing: Standing): void {
    const { key, text, subscription } = standing;
    standing.closed = true;
    standing.leases.clear();
    const standings = this.#standing.get(specText(key));
    standings?.delete(text);
    if (standings?.size === 0) this.#standing.delete(specText(key));
    const closing = subscription.close().catch(() => undefined).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

const noneKept = (): ReadonlySet<string> => new Set();

/** A source may tell of itself before the subscription is in hand. */
interface Early {
  readonly heard: ((standing: Standing) => void)[];
  standing: Standing | undefined;
}

/** In whatever order their parts stand: one of them may have been written down and read again. */
function isSame<Value extends QueueSource | SourceState>(left: Value | undefined, right: Value): boolean {
  return left === right || (left !== undefined && canonicalJson(left) === canonicalJson(right));
}
