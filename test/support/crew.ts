/**
 * The controllers of a stormy day, drawn from a seed: they start, die at any await, come back as their Deployment would
 * bring them, are replaced in order as by a rollout, have wrong clocks that also jump, are cut off, and have faults between
 * them and the API server.
 */
import type { Engine } from '../../src/engine.ts';
import type { ApiRequest, ApiResponse, Transport } from '../../src/adapters/kubernetes/transport.ts';
import { stringAt } from '../../src/lib/json.ts';
import { connectionError } from '../../src/simulation/api-server.ts';
import { randomFaults, type FaultRates } from '../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../src/simulation/faults.ts';
import { leases } from '../../src/simulation/objects.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import type { Random } from '../../src/simulation/random.ts';
import { highAvailability, startController, type LogLine } from './controller.ts';
import type { Simulation } from './simulation.ts';

const minute = 60_000;
/** As kubectl has it: who has not stopped by then is killed. */
const gracePeriod = 30_000;

export interface CrewOptions {
  readonly world: Simulation;
  readonly random: Random;
  readonly highAvailability: boolean;
  readonly tell: (text: string) => void;
  readonly problem: (text: string) => void;
  /** No faults from then on (milliseconds since 1970). */
  readonly until: number;
}

/** What the network is like on this day. */
export function drawRates(random: Random): FaultRates {
  return random.pick<FaultRates>([
    {},
    { refused: 0.05, answerLost: 0.05, slow: 0.05, watch: 0.1 },
    { refused: 0.2, answerLost: 0.2, slow: 0.1, watch: 0.3 },
    { answerLost: 0.4 },
    { watch: 0.8, slow: 0.2 },
  ]);
}

/** Errors have no fields of their own that JSON would show. */
function withErrors(_name: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}

export class Crew {
  readonly #options: CrewOptions;
  readonly #rates: FaultRates;
  readonly #processes: SimulatedProcess[] = [];
  /** Until when the controller of that number is cut off. */
  readonly #cutOff = new Map<number, number>();
  readonly #doomed = new Set<SimulatedProcess>();
  readonly #engines = new Map<SimulatedProcess, Engine>();
  /** Milliseconds by which the time of day of the controller of that number is wrong. */
  readonly #skews: number[] = [];
  #started = 0;
  #lastDeath = 0;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#rates = drawRates(options.random);
  }

  get living(): number {
    return this.#processes.filter((process) => process.alive).length;
  }

  /** Two live controllers that may act, or the late requests of one that died. */
  get racing(): boolean {
    const several = !this.#options.highAvailability && this.living > 1;
    return several || this.#options.world.clock.now() < this.#lastDeath + minute;
  }

  start(): void {
    const { world, random, tell, until } = this.#options;
    this.#started += 1;
    const id = this.#started;
    tell(`controller ${id} starts`);
    const lines: LogLine[] = [];
    lines.push = (...added: LogLine[]) => {
      for (const line of added) if (line.level !== 'debug') tell(`controller ${id}: ${line.level} ${line.message} ${JSON.stringify(line.fields, withErrors)}`);
      return 0;
    };
    const faults = random.split(`faults-${id}`);
    this.#skews[id] = this.#drawSkew();
    const process: SimulatedProcess = startController(world, {
      lines,
      wakes: random.chance(0.7),
      engine: this.#options.highAvailability ? { highAvailability, identity: `controller-${id}` } : {},
      skew: () => this.#skews[id] ?? 0,
      made: (engine) => { this.#engines.set(process, engine); },
      wrap: (transport, clock) => this.#watched(id, new FaultyTransport(transport, clock, randomFaults({ random: faults, clock, rates: this.#rates, until }))),
    });
    process.onDeath(() => { this.#lastDeath = world.clock.now(); });
    this.#processes.push(process);
  }

  #drawSkew(): number {
    const { random, highAvailability: several } = this.#options;
    return random.chance(several ? 0.6 : 0.2) ? random.int(-120_000, 120_000) : 0;
  }

  /** The time of day of one machine is set anew. */
  jump(): void {
    const { random, tell } = this.#options;
    const id = random.int(Math.max(1, this.#started - 1), this.#started);
    this.#skews[id] = this.#drawSkew();
    tell(`the clock of controller ${id} is wrong by ${(this.#skews[id] ?? 0) / 1000} s`);
  }

  /** A rollout: a new controller, and one is told to stop. With high availability the new one comes first. */
  replace(): void {
    const { world, random, tell, highAvailability: several } = this.#options;
    const process = random.pick(this.#processes);
    const engine = this.#engines.get(process);
    if (!process.alive || this.#doomed.has(process) || !engine) return;
    this.#doomed.add(process);
    tell('a controller is told to stop');
    if (several) this.start();
    else process.onDeath(() => { world.clock.timer(random.int(500, 5000), () => { this.start(); }); });
    const end = (): void => { process.kill(); };
    world.clock.timer(gracePeriod, end);
    engine.stop().then(end, end);
  }

  /** A controller dies, now or at one of its next requests, and comes back. */
  kill(): void {
    const { world, random, tell } = this.#options;
    const process = random.pick(this.#processes);
    if (!process.alive || this.#doomed.has(process)) return;
    this.#doomed.add(process);
    process.onDeath(() => { world.clock.timer(random.int(500, 30_000), () => { this.start(); }); });
    if (random.chance(0.5)) {
      tell('kill a controller');
      process.kill();
      return;
    }
    const request = process.writes + random.int(1, 6);
    const when = random.pick(['before', 'after'] as const);
    tell(`a controller will die ${when} its write ${request}`);
    process.killAt({ request, when, writesOnly: true });
  }

  /** One controller reaches the API server no more, while its watches go on: so long that another may take over. */
  cut(): void {
    const { world, random, tell, until } = this.#options;
    const id = random.int(Math.max(1, this.#started - 1), this.#started);
    const lasting = random.int(5, 60) * 1000;
    tell(`controller ${id} is cut off for ${lasting / 1000} s`);
    this.#cutOff.set(id, Math.min(world.clock.now() + lasting, until));
  }

  /** For good. */
  dismiss(): void {
    for (const process of this.#processes) process.kill();
  }

  /** With high availability whoever sends a change holds the Lease at that moment. */
  #watched(id: number, transport: Transport): Transport {
    const { world, problem } = this.#options;
    if (!this.#options.highAvailability) return transport;
    const request = (sent: ApiRequest): Promise<ApiResponse> => {
      const lease = world.cluster.store.get(leases, highAvailability.lease);
      const holder = stringAt(lease?.['spec'], 'holderIdentity') ?? '';
      const changes = sent.method !== 'GET' && sent.query?.['dryRun'] === undefined && /\/(jobs|configmaps)\b/u.test(sent.path);
      if (changes && !holder.startsWith(`controller-${id}_`)) problem(`controller ${id} sends ${sent.method} ${sent.path} while "${holder}" holds the Lease`);
      return world.clock.now() < (this.#cutOff.get(id) ?? 0) ? Promise.reject(connectionError('ECONNREFUSED')) : transport.request(sent);
    };
    return { request, stream: (sent) => transport.stream(sent) };
  }
}
