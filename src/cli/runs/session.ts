/** From the options that all commands for runs share to a client for them. */
import { Option, type Command } from 'commander';
import type { Clock } from '../../lib/clock.ts';
import { defaultInstance } from '../../spec/keys.ts';
import { drained, writeError, writeLine } from '../output.ts';
import { openRuns, type ClusterOptions } from './open-runs.ts';
import type { RunClient } from './run-client.ts';
import type { Screen } from './table.ts';

export type { ClusterOptions } from './open-runs.ts';

/** The process as far as a command uses it. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly screen: Screen;
}

/** All that a command for runs needs from outside. */
export interface Session extends Streams {
  readonly runs: RunClient;
  readonly clock: Clock;
  /** Resolves when the reader of standard output has caught up: for those who write much. */
  readonly drained: () => Promise<void>;
}

/** Who wrote what, in managedFields. */
const fieldManager = 'job-chief-cli';

/** As kubectl has them. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('-n, --namespace <name>', "namespace; default: the context's")
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig to use; default: $KUBECONFIG, else ~/.kube/config')
    .addOption(new Option('--instance <name>', 'instance of job-chief, where a namespace has several').default(defaultInstance));
}

/** Opens the cluster for one command, with the rights of whoever calls it. */
export async function inSession<Result>(options: ClusterOptions, use: (session: Session) => Promise<Result>): Promise<Result> {
  const { runs, clock, close } = await openRuns(options, fieldManager);
  try {
    return await use({ ...processStreams(), drained, clock, runs });
  } finally {
    await close();
  }
}

/** Of a terminal that does not know how wide it is: one without a window says 0. */
const usualWidth = 80;

/** Colours and the width of lines only on a terminal. */
export function processStreams(): Streams {
  const { stdout } = process;
  return { out: writeLine, err: writeError, screen: { colours: stdout.isTTY && stdout.hasColors(), width: stdout.isTTY ? stdout.columns || usualWidth : undefined } };
}
