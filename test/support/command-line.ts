/**
 * Commands for runs, called as somebody at a terminal would, on a simulated cluster:
 *
 *     const line = new CommandLine(scene.world);
 *     await line.call((session) => cancelRun(session.runs, 'etl-1', { reason: 'enough' }));
 */
import { KubernetesClient } from '../../src/adapters/kubernetes/client.ts';
import { UserError } from '../../src/cli/exit-code.ts';
import { RunClient } from '../../src/cli/runs/run-client.ts';
import type { Session } from '../../src/cli/runs/session.ts';
import type { Screen } from '../../src/cli/runs/table.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import type { Simulation } from './simulation.ts';

export class CommandLine {
  readonly world: Simulation;
  /** Lines of standard output and of standard error, since the last call of `printed`. */
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly session: Session;
  readonly #process: SimulatedProcess;

  constructor(world: Simulation, { instance = 'default', screen = { colours: false, width: undefined } }: { readonly instance?: string; readonly screen?: Screen } = {}) {
    this.world = world;
    this.#process = world.process(() => undefined);
    const { transport, clock } = this.#process;
    const client = new KubernetesClient({ transport, clock, namespace: world.cluster.namespace, fieldManager: 'job-chief-cli' });
    this.session = {
      runs: new RunClient({ client, instance }),
      clock,
      screen,
      out: (text) => { this.out.push(...text.split('\n')); },
      drained: () => Promise.resolve(),
      err: (text) => { this.err.push(...text.split('\n')); },
    };
  }

  /** What the command comes to, while the world goes on. */
  async call<Result>(use: (session: Session) => Promise<Result>, limit = 600_000): Promise<Result> {
    let settled = false;
    const result = use(this.session).finally(() => { settled = true; });
    result.catch(() => undefined);
    const ends = await this.world.runUntil(() => settled, limit);
    if (!ends) throw new Error(`the command does not end; it has printed ${JSON.stringify([this.out, this.err])}`);
    return result;
  }

  /** The message of the error that a command must end with. */
  async complaint(use: (session: Session) => Promise<unknown>): Promise<string> {
    const thrown: unknown = await this.call(use).then((value) => new Error(`no complaint, but ${JSON.stringify(value)}`), (error: unknown) => error);
    if (!(thrown instanceof UserError)) throw thrown;
    return thrown.message;
  }

  /** Standard output so far, and forgets it. */
  printed(): string[] {
    return this.out.splice(0);
  }
}
