/**
 * What all stormy days share, whatever they are about: a simulated cluster, the controllers on it, bad weather for a drawn
 * while, and then calm, in which everything must come to its end. All of it is drawn from one number, so that a day is the
 * same each time.
 */
import { scheduleOutages } from '../../src/simulation/fault-plans.ts';
import type { PodObject } from '../../src/simulation/job-shape.ts';
import { type KubeObject, pods } from '../../src/simulation/objects.ts';
import { Random } from '../../src/simulation/random.ts';
import { Crew } from './crew.ts';
import { deleteSomeJob, loseSomePod, type Mischief } from './mischief.ts';
import { type SentRequest, simulate, type Simulation } from './simulation.ts';
import { StormLimits } from './storm-limits.ts';

export interface StormOptions {
  /** Two controllers run all the time, and only the holder of the Lease may act. */
  readonly highAvailability?: boolean;
}

export interface StormResult {
  readonly seed: number;
  /** What was wrong; empty: the seed passes. */
  readonly problems: readonly string[];
  /** What happened, for replay: events of the storm, changes of the cluster, lines of the controllers. */
  readonly story: readonly string[];
}

export const minute = 60_000;
export const hour = 60 * minute;
/** What is being deleted in the foreground has to go before it can be applied again. */
const untilDeleted = 10_000;

/** The parts that draw from the seed when they are made are fields of each storm, in the order in which they draw. */
export abstract class Storm {
  readonly problems: string[] = [];
  readonly story: string[] = [];
  protected readonly random: Random;
  protected readonly world: Simulation;
  protected readonly highAvailability: boolean;
  /** When the storm ends, milliseconds since 1970: `lasts`. */
  protected abstract readonly end: number;
  /** `hire`. */
  protected abstract readonly crew: Crew;
  /** Mean milliseconds between two things that happen. */
  protected abstract readonly pace: number;
  /** The storm is over. */
  protected calm = false;
  readonly #seed: number;

  /** `of`: names what is drawn; another name gives other days. */
  constructor(of: string, seed: number, { highAvailability = false }: StormOptions) {
    this.#seed = seed;
    this.highAvailability = highAvailability;
    this.random = new Random(`${of}-${seed}`);
    this.world = simulate({ seed, historyWindow: this.random.pick([5 * minute, 30_000]) });
  }

  /** The whole day. */
  async day(): Promise<StormResult> {
    await this.#rage();
    await this.#settle();
    return { seed: this.#seed, problems: this.problems, story: this.story };
  }

  /** The first specs, the first controllers. */
  protected abstract begin(): void;
  /** One thing that people, controllers or the weather do. */
  protected abstract something(): void;
  /** What was broken outside of the cluster is whole again. */
  protected heal(): void {}
  /** Specs are mended, and applied for the last time. */
  protected abstract mend(): void;
  /** Until all has come to its end; then what is wrong is told. */
  protected abstract converge(): Promise<void>;

  async #rage(): Promise<void> {
    this.begin();
    while (this.world.clock.now() < this.end) {
      await this.world.run(this.random.exponential(this.pace));
      this.something();
    }
  }

  /** What was broken is mended, and the rest is up to the controller. */
  async #settle(): Promise<void> {
    const { cluster } = this.world;
    this.calm = true;
    this.tell('the storm is over');
    cluster.api.setAvailable(true);
    this.heal();
    await this.world.run(untilDeleted);
    // Pods that somebody orphaned belong to nobody; one that never starts is there until a person removes it.
    for (const pod of this.world.livingPods()) if (!pod.metadata.ownerReferences?.length) cluster.registry.delete(pods, pod.metadata.name);
    cluster.quota.clear();
    this.mend();
    if (this.crew.living === 0) this.crew.start();
    await this.converge();
    this.crew.dismiss();
  }

  // What storms are made of

  /** Draws for how many minutes it goes on. */
  protected lasts(from: number, to: number): number {
    return this.world.clock.now() + this.random.int(from, to) * minute;
  }

  protected hire(until: number): Crew {
    const { world, random, highAvailability } = this;
    return new Crew({ world, random, highAvailability, until, tell: (text) => { this.tell(text); }, problem: (text) => { this.problem(text); } });
  }

  /** `most`: the largest limit that is ever drawn. */
  protected limit(most: number): StormLimits {
    return new StormLimits({ world: this.world, random: this.random.split('limits'), most, until: this.end, racing: () => this.crew.racing, tell: (text) => { this.tell(text); }, problem: (text) => { this.problem(text); } });
  }

  /** One controller, and often a second one. */
  protected start(): void {
    this.crew.start();
    if (this.random.chance(0.35) || this.highAvailability) this.crew.start();
  }

  /** On some days the API server is gone now and then, for one of these times. */
  protected schedule(...lasting: readonly number[]): void {
    if (!this.random.chance(0.4)) return;
    const { world: { cluster, clock }, random, end } = this;
    scheduleOutages(cluster.api, clock, random.split('outages'), { every: 5 * minute, lasting: lasting.length === 1 ? (lasting[0] ?? 0) : random.pick(lasting), until: end });
  }

  protected get nothingLives(): boolean {
    return this.world.unfinishedJobs().length === 0 && this.world.livingPods().length === 0;
  }

  /** For what is left. */
  protected get leftLiving(): string {
    return `${this.world.unfinishedJobs().length} unfinished Jobs, ${this.world.livingPods().length} living pods`;
  }

  /** What is asked for within so long, but for those requests that keep the Lease, which go on for ever. */
  protected async requestsWithin(milliseconds: number): Promise<SentRequest[]> {
    const before = this.world.requests.length;
    await this.world.run(milliseconds);
    return this.world.requests.slice(before).filter(({ path }) => !path.includes('/leases'));
  }

  // What people do

  /** For mischief.ts. */
  protected mischief<Victim>(before?: (victim: Victim) => void): Mischief<Victim> {
    return { world: this.world, random: this.random, tell: (text) => { this.tell(text); }, ...(before && { before }) };
  }

  protected deleteJob(before?: (job: KubeObject) => void): void {
    deleteSomeJob(this.mischief(before));
  }

  protected losePod(before?: (pod: PodObject) => void): void {
    loseSomePod(this.mischief(before));
  }

  /** Nothing of a kind may be created, or few; or everything again. */
  protected changeQuota(...kinds: readonly string[]): void {
    const { quota } = this.world.cluster;
    if (quota.size > 0) quota.clear();
    else quota.set(kinds.length === 1 ? (kinds[0] ?? '') : this.random.pick(kinds), this.random.int(0, 3));
    this.tell(`quota ${JSON.stringify([...quota])}`);
  }

  /** Deleted, and mostly re-created at once or a little later: hook-style, or by hand. `object`: name of the ConfigMap. */
  protected removeSpec(object: string, again: () => void, before: () => void = () => undefined): void {
    if (!this.world.configMap(object)) return;
    const propagation = this.random.pick(['Foreground', 'Background', 'Orphan'] as const);
    this.tell(`delete ${object} (${propagation})`);
    before();
    this.world.deleteConfigMap(object, { propagation });
    this.world.clock.timer(this.random.pick([1, 500, 20_000, 180_000]), () => {
      if (!this.calm && !this.world.configMap(object)) again();
    });
  }

  /** As kustomize's generator hash does: the new object first, then the old one is pruned. `put` makes the new one. */
  protected renameSpec(old: string, base: string, put: (object: string) => void, before: () => void = () => undefined): void {
    const object = `${base}-r${this.random.suffix()}`;
    this.tell(`rename ${old} to ${object}`);
    put(object);
    this.world.clock.timer(this.random.pick([1, 50, 2000, 30_000]), () => {
      if (!this.world.configMap(old)) return;
      before();
      this.world.deleteConfigMap(old, { propagation: this.random.pick(['Foreground', 'Background'] as const) });
    });
  }

  protected problem(text: string): void {
    this.problems.push(`seed ${this.#seed}: ${text}`);
    this.tell(`PROBLEM ${text}`);
  }

  protected tell(text: string): void {
    this.story.push(`${(this.world.clock.monotonic() / 1000).toFixed(3).padStart(10)}  ${text}`);
  }
}
