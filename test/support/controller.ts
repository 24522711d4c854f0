/** The real engine in a simulated process, for component tests and the seeded simulation. */
import { Engine, type EngineOptions, type HighAvailability } from '../../src/engine.ts';
import { asError } from '../../src/lib/clock.ts';
import type { Meter, RunMeter, WorkQueueMeter } from '../../src/reconcile/meter.ts';
import type { Log } from '../../src/reconcile/ports.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import type { ProcessViews, Simulation, StartOptions } from './simulation.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import { pgBossSource } from './sources.ts';

const nothing = (): void => undefined;
export const silentMeter: Meter = { round: nothing, action: nothing, finished: nothing, spec: nothing, depth: nothing, created: nothing, forget: nothing };
export const silentRunMeter: RunMeter = { active: nothing, finished: nothing, step: nothing, edge: nothing, missed: nothing, recordWrite: nothing, forget: nothing };
export const silentWorkQueueMeter: WorkQueueMeter = { depth: nothing, added: nothing, retried: nothing, waited: nothing, worked: nothing, unfinished: nothing };
const silentClientMeter = { request: nothing, watch: nothing, retry: nothing };
const silentWatchMeter = { contact: nothing, event: nothing, relist: nothing, poison: nothing, size: nothing };

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** Collects lines, so that a failing test can show what the controller thought. */
export function recordingLog(lines: LogLine[]): Log {
  const write = (level: LogLine['level']) => (fields: object, message: string): void => { lines.push({ level, fields: fields as Record<string, unknown>, message }); };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

export interface ControllerOptions extends StartOptions {
  readonly instance?: string;
  readonly lines?: LogLine[];
  /** Queues wake the controller when something is sent, as LISTEN/NOTIFY does. Default true. */
  readonly wakes?: boolean;
  readonly engine?: Partial<EngineOptions>;
  /** Gets the engine before it starts: to stop it in order, or to look into it. */
  readonly made?: (engine: Engine) => void;
}

/** As the configuration has it by default. */
export const highAvailability: HighAvailability = { lease: 'job-chief', leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000, meter: nothing };

/** Starts a controller in a process of its own; kill the process to kill it at whatever await it is in. */
export function startController(world: Simulation, options: ControllerOptions = {}): SimulatedProcess {
  const { instance = 'default', lines = [], wakes = true, made = nothing, engine = {} } = options;
  return world.process((views) => run(views, { instance, lines, wakes, made, engine }), options);
}

async function run({ clock, transport, depth, messages, random, namespace, onSend }: ProcessViews, { instance, lines, wakes, made, engine: overrides }: Required<Pick<ControllerOptions, 'instance' | 'lines' | 'wakes' | 'made' | 'engine'>>): Promise<void> {
  const engine = new Engine({
    clock,
    random: () => random.next(),
    log: recordingLog(lines),
    transport,
    environment: { instance, namespace, injection: () => undefined },
    parse: (input) => parseSpec(input, {}),
    specs: { kind: 'configMaps' },
    probe: depth,
    messages,
    wakes: { interest: () => nothing },
    meter: silentMeter,
    runMeter: silentRunMeter,
    workQueueMeter: silentWorkQueueMeter,
    clientMeter: silentClientMeter,
    watchMeter: () => silentWatchMeter,
    status: true,
    records: true,
    events: true,
    identity: 'controller',
    api: { limits: 'off', timeout: 15_000 },
    concurrency: 8,
    ...overrides,
  });
  if (wakes) onSend((queue) => { engine.controller.queueWoke(pgBossSource(queue)); });
  made(engine);
  await engine.start().catch((thrown: unknown) => { if (asError(thrown).message !== 'stopped') throw thrown; });
}

/** A drain Queue as text; `extra` is YAML at the top level of the spec. */
export function queueSpec(queue: string, extra = '', drain = '{}', job = 'image: registry.example/worker:1'): string {
  const block = extra === '' ? '' : `${extra.trim()}\n`;
  return `apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: ${queue}}}\ndrain: ${drain}\n${block}job: {${job}}\n`;
}
