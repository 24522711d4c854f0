/** What checks of connections of all types share: results, the runner, and the first steps, which only know addresses. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { Socket, isIP } from 'node:net';
import { asError, type Clock } from '../../lib/clock.ts';
import type { ConnectionDefinition, ConnectionType } from '../../spec/connection.ts';
import type { ConnectionSettings } from './connection-files.ts';
import { readConnection } from './connections.ts';

/** What one step came to. `warning`: it does not work, and job-chief can do without. */
export interface CheckResult {
  readonly step: string;
  readonly result: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What was found, or what is wrong; never a secret. */
  readonly detail: string;
  /** What to do about it, such as a GRANT. */
  readonly remedy?: string;
  readonly milliseconds: number;
}

export interface CheckOptions {
  readonly definition: ConnectionDefinition;
  /** Of pg-boss: in place of the connection's own. */
  readonly schema: string | undefined;
  /** Of RabbitMQ and SQS: a queue to look at; undefined: none. */
  readonly queue: string | undefined;
  readonly clock: Clock;
  /** Called when a step begins. */
  readonly onStep: (step: string) => void;
}

/** A step throws when it fails; `warning` and `skipped` let the next one go on. */
export type Outcome = string | { readonly result: 'warning' | 'skipped'; readonly detail: string; readonly remedy?: string };

/** A failure with advice. */
export class Failure extends Error {
  readonly remedy: string | undefined;
  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

export type Steps<Context> = readonly (readonly [step: string, run: (context: Context, options: CheckOptions) => Promise<Outcome>])[];

/** Runs the steps in order and yields each result; stops after the first failure. */
export async function* runSteps<Context>(steps: Steps<Context>, context: Context, options: CheckOptions): AsyncGenerator<CheckResult> {
  for (const [step, run] of steps) {
    options.onStep(step);
    const began = options.clock.monotonic();
    const result = await outcomeOf(() => run(context, options));
    yield { step, ...result, milliseconds: Math.round(options.clock.monotonic() - began) };
    if (result.result === 'failed') return;
  }
}

async function outcomeOf(step: () => Promise<Outcome>): Promise<Omit<CheckResult, 'step' | 'milliseconds'>> {
  try {
    const outcome = await step();
    return typeof outcome === 'string' ? { result: 'ok', detail: outcome } : outcome;
  } catch (error) {
    const remedy = error instanceof Failure ? error.remedy : undefined;
    return { result: 'failed', detail: asError(error).message, ...(remedy !== undefined && { remedy }) };
  }
}

/** Reads the folder; throws where it is no connection of that type. */
export async function readFolder<Type extends ConnectionType>(definition: ConnectionDefinition, type: Type): Promise<{ settings: Extract<ConnectionSettings, { type: Type }>; outcome: Outcome }> {
  const reading = await readConnection(definition);
  if (reading.kind === 'broken') throw new Failure(reading.message);
  if (!isOf(reading.settings, type)) throw new Failure(`connections of type ${reading.settings.type} cannot be checked as ${type}`);
  const has = `${definition.folder} has ${[...reading.files.values()].join(', ')}`;
  return { settings: reading.settings, outcome: reading.unknownFiles.length === 0 ? has : { result: 'warning', detail: `${has}; not used: ${reading.unknownFiles.join(', ')}` } };
}

function isOf<Type extends ConnectionType>(settings: ConnectionSettings, type: Type): settings is Extract<ConnectionSettings, { type: Type }> {
  return settings.type === type;
}

/** Looks a name up; rejects as Node does. */
export async function addressesOf(host: string): Promise<Outcome> {
  if (isIP(host) !== 0) return { result: 'skipped', detail: `${host} is an address` };
  const addresses = await lookup(host, { all: true });
  return `${host} is ${addresses.map(({ address }) => address).join(', ')}`;
}

/** Whether somebody accepts connections; rejects as Node does. */
export async function reach({ host, port }: { readonly host: string; readonly port: number }, clock: Clock): Promise<string> {
  const socket = new Socket();
  const timer = clock.timer(5_000, () => void socket.destroy(new Error('timeout')));
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    return `${host}:${port} accepts connections`;
  } finally {
    timer.cancel();
    socket.destroy();
  }
}
