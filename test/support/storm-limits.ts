/**
 * Limits on stormy days: in half of them somebody sets maxJobs, changes it, breaks it and suspends the instance, and no
 * Job is ever created beyond what the limits said at any time in the last while.
 */
import { asJob, isFinished } from '../../src/simulation/job-shape.ts';
import { jobs } from '../../src/simulation/objects.ts';
import type { Random } from '../../src/simulation/random.ts';
import { applyLimits, limitsText } from './limits.ts';
import type { Simulation } from './simulation.ts';

const minute = 60_000;
/** A watch that is silent, and the one after it too, show an edit no sooner. */
const untilSeen = 10 * minute;

export interface StormLimitsOptions {
  readonly world: Simulation;
  /** Its own: what else is drawn stays as it is. */
  readonly random: Random;
  /** The largest limit that is ever drawn. */
  readonly most: number;
  /** End of the storm, milliseconds since 1970. */
  readonly until: number;
  /** While two controllers may act, or one that died has requests on their way, nothing is promised. */
  readonly racing: () => boolean;
  readonly tell: (text: string) => void;
  readonly problem: (text: string) => void;
}

/** Sets itself up; `mend` when the storm is over. */
export class StormLimits {
  readonly #options: StormLimitsOptions;
  readonly #live = new Set<string>();
  /** What was set, with when. */
  readonly #set: { readonly at: number; readonly maxJobs: number }[] = [];

  constructor(options: StormLimitsOptions) {
    this.#options = options;
    const { world, random } = options;
    if (!random.chance(0.5)) return;
    world.cluster.store.subscribe(({ type, resource, object }) => {
      if (resource !== jobs) return;
      const { name } = object.metadata;
      if (type === 'DELETED' || isFinished(asJob(object))) this.#live.delete(name);
      else this.#live.add(name);
      if (type === 'ADDED') this.#check(name);
    });
    this.#change();
    this.#later();
  }

  /** Enough for everything to come to its end, and still a limit. */
  mend(): void {
    const { most } = this.#options;
    if (this.#set.length > 0) this.#apply(most, limitsText({ maxJobs: most }));
  }

  #later(): void {
    const { world, random, until } = this.#options;
    world.clock.timer(random.exponential(4 * minute), () => {
      if (world.clock.now() >= until) return;
      this.#change();
      this.#later();
    });
  }

  #change(): void {
    const { random, most } = this.#options;
    const maxJobs = random.int(1, most);
    const kind = random.pick(['bound', 'bound', 'bound', 'suspended', 'broken'] as const);
    if (kind === 'bound') this.#apply(maxJobs, limitsText({ maxJobs }));
    else if (kind === 'suspended') this.#apply(0, limitsText({ maxJobs, suspend: true }));
    else this.#apply(0, 'kind: Limits\n\tmaxJobs: 1\n');
  }

  #apply(maxJobs: number, text: string): void {
    const { world, tell } = this.#options;
    tell(`limits ${text}`);
    this.#set.push({ at: world.clock.now(), maxJobs });
    applyLimits(world, text);
  }

  #check(name: string): void {
    const { world, racing, problem } = this.#options;
    if (racing()) return;
    const since = world.clock.now() - untilSeen;
    const before = this.#set.findLastIndex(({ at }) => at <= since);
    const most = Math.max(...this.#set.slice(Math.max(before, 0)).map(({ maxJobs }) => maxJobs));
    if (this.#live.size > most) problem(`Job "${name}" is the ${this.#live.size}th live one, and no more than ${most} may be`);
  }
}
