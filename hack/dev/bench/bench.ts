/** hack/bench: see options.ts for what it measures, and docs/performance.md for what came of it. */
import { messageOf, toStderr } from '../cluster/progress.ts';
import { measureJobsPerMessage } from './jobs-per-message.ts';
import { measureLatency } from './latency.ts';
import { thisMachine } from './machine.ts';
import { measureMemory } from './memory.ts';
import { measureMessages, type MessagesResult } from './messages.ts';
import { readOptions, usage, withoutCluster, type BenchOptions } from './options.ts';
import { measureRate } from './rate.ts';
import { table, type Results } from './report.ts';
import { measurePlan } from './plan-speed.ts';
import { measureSubmit } from './submit.ts';
import { measureChain, measureFanOut, measureRuns, type WorkflowResult } from './workflows.ts';
import { startWorld, withDefaultManager, type World } from './world.ts';

async function measure(world: World, results: Results): Promise<void> {
  const { scenarios } = world.options;
  if (scenarios.includes('latency')) results.latency = await measureLatency(world);
  if (scenarios.includes('rate')) results.rate = await measureRate(world);
  if (scenarios.includes('messages')) {
    const messages: MessagesResult[] = [];
    results.messages = messages;
    for (const kind of world.options.queues) messages.push(await measureMessages(world, kind));
  }
  if (scenarios.includes('memory') || scenarios.includes('idle')) {
    const { memory, idle } = await measureMemory(world);
    results.memory = memory;
    if (idle) results.idle = idle;
  }
  await measureWorkflows(world, results);
  if (scenarios.includes('submit')) results.submit = await measureSubmit(world);
}

async function measureWorkflows(world: World, results: Results): Promise<void> {
  const { scenarios } = world.options;
  const found: WorkflowResult[] = [];
  results.workflows = found;
  if (scenarios.includes('chain')) found.push(await measureChain(world));
  if (scenarios.includes('fan-out')) found.push(...(await measureFanOut(world)));
  if (!scenarios.includes('runs')) return;
  found.push(await measureRuns(world));
  found.push(await withDefaultManager(world, measureRuns));
}

async function main(options: BenchOptions): Promise<void> {
  const machine = thisMachine();
  const results: Results = { machine, kubernetes: undefined, options };
  if (options.scenarios.includes('plan')) results.plan = measurePlan(toStderr);
  if (options.scenarios.includes('jobs-per-message')) results.jobsPerMessage = await measureJobsPerMessage();
  if (options.scenarios.some((scenario) => !withoutCluster.some((one) => one === scenario))) await inWorld(results);
  process.stdout.write(`${options.json ? JSON.stringify(results, null, 2) : table(results)}\n`);
}

async function inWorld(results: Results): Promise<void> {
  const world = await startWorld(results.options, toStderr);
  results.kubernetes = world.cluster.version;
  // The cluster ends with this process by itself; databases and folders are ours to end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void world.stop().finally(() => process.exit(130)));
  try {
    await measure(world, results);
  } finally {
    await world.stop();
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options) await main(options);
  else process.stdout.write(usage);
} catch (error) {
  toStderr(`hack/bench: ${messageOf(error)}`);
  process.exitCode = 1;
}
