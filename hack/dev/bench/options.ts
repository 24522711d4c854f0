import { parseArgs } from 'node:util';
import { queueKinds, type QueueKind } from './message-queues.ts';

export const scenarios = ['latency', 'rate', 'messages', 'memory', 'idle', 'chain', 'fan-out', 'runs', 'submit', 'plan', 'jobs-per-message'] as const;
/** They need nothing but this process. */
export const withoutCluster = ['plan', 'jobs-per-message'] as const satisfies readonly (typeof scenarios)[number][];
export type Scenario = (typeof scenarios)[number];

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** In latency and messages. */
  readonly queues: readonly QueueKind[];
  /** Pairs of controller and bare client. */
  readonly runs: number;
  /** Queues, and Jobs created in one run. */
  readonly count: number;
  /** Requests under way at once, of the controller and of the bare client. */
  readonly concurrency: number;
  readonly messages: number;
  /** Pairs of controller and bare script in `chain`. */
  readonly chains: number;
  /** Sizes in `fan-out`. */
  readonly items: readonly number[];
  /** Finished Jobs in the cluster for `memory` and `idle`. */
  readonly jobs: number;
  /** The controller manager goes on making pods while creates are measured. */
  readonly withPods: boolean;
  readonly durable: boolean;
  readonly keep: boolean;
  /** Folder for CPU profiles of the controller's processes; undefined: none are made. */
  readonly profile: string | undefined;
  readonly json: boolean;
}

export const usage = `usage: hack/bench [--scenario NAME,NAME...]

  Starts a control plane, a PostgreSQL and a RabbitMQ of its own, measures, and stops them. Prints a table; progress goes to stderr.

  latency   one message into an idle queue, until its Job is there: pg-boss queues with notify, polled ones, and one
            of each kind with perMessage
  rate      one message into each of --count queues at once; beside it a bare client that creates the same Jobs
  messages  --count messages into one queue of each kind with perMessage at once; beside it a bare client that creates the
            same Jobs
  memory    resident memory, and the time until synced, with --count specs and --jobs finished Jobs
  idle      requests to the API server in one minute with the same specs and Jobs

  chain     one run of a workflow of 10 instant steps, one after the other; beside it a bare script that watches pods
  fan-out   one step for --items items, as one Indexed Job and as a Job for each; beside it a bare script
  runs      30 runs of the chain at once, with the controller manager tuned and at its defaults; beside it a bare script
  submit    runs of a template asked for over HTTP: one by one until the Job is there, then --count at once; beside it a bare client
  plan      planning one round of a workflow of 1,000 and of 10,000 steps, and the size of their records; no cluster

  jobs-per-message
            Jobs for each message under four loads in a simulated cluster, beside the formulas of KEDA's ScaledJob; no cluster

  --runs N          pairs of controller and bare client in rate, messages, fan-out, runs and submit, starts in memory (5)
  --count N         queues, and messages in messages (1000)
  --concurrency N   requests at once, of the controller and of the bare client (32)
  --queues KIND,... in latency and messages: pgBoss, amqp (both)
  --messages N      in latency, and submits one by one (100)
  --chains N        pairs in chain (15)
  --items N,N       in fan-out (100,1000)
  --jobs N          finished Jobs in memory and idle (10000)
  --with-pods       in rate and messages, pods are made while creates are measured; else the controller manager is paused then
  --durable         etcd with fsync
  --profile FOLDER  a CPU profile of each controller process, which costs it a tenth of its speed
  --keep            leave the cluster running afterwards
  -o json           everything that was measured
`;

/** Throws with a sentence for whoever typed it; undefined: help was asked for. */
export function readOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: { type: 'string', default: scenarios.join(',') },
      runs: { type: 'string', default: '5' },
      count: { type: 'string', default: '1000' },
      concurrency: { type: 'string', default: '32' },
      queues: { type: 'string', default: queueKinds.join(',') },
      messages: { type: 'string', default: '100' },
      chains: { type: 'string', default: '15' },
      items: { type: 'string', default: '100,1000' },
      jobs: { type: 'string', default: '10000' },
      'with-pods': { type: 'boolean', default: false },
      durable: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      profile: { type: 'string' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return undefined;
  if (values.output !== undefined && values.output !== 'json') throw new Error('-o: use json');
  return {
    scenarios: someOf('scenario', values.scenario, scenarios),
    queues: someOf('queues', values.queues, queueKinds),
    runs: whole('runs', values.runs),
    count: whole('count', values.count),
    concurrency: whole('concurrency', values.concurrency),
    messages: whole('messages', values.messages),
    chains: whole('chains', values.chains),
    items: values.items.split(',').map((text) => whole('items', text)),
    jobs: whole('jobs', values.jobs),
    withPods: values['with-pods'],
    durable: values.durable,
    keep: values.keep,
    profile: values.profile,
    json: values.output === 'json',
  };
}

function someOf<Name extends string>(flag: string, text: string, known: readonly Name[]): Name[] {
  const wanted = text.split(',');
  const unknown = wanted.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`--${flag} ${unknown}: use ${known.join(', ')}`);
  return known.filter((one) => wanted.includes(one));
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${flag} ${text}: a whole number from 1`);
  return value;
}
