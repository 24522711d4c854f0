/** hack/bench: see options.ts for what it measures, and docs/performance.md for what came of it. */
import { messageOf, toStderr } from '../cluster/progress.ts';
import { measureLatency } from './latency.ts';
import { thisMachine } from './machine.ts';
import { measureMemory } from './memory.ts';
import { readOptions, usage, type BenchOptions } from './options.ts';
import { measureRate } from './rate.ts';
import { table, type Results } from './report.ts';
import { startWorld, type World } from './world.ts';

async function measure(world: World, results: Results): Promise<void> {
  const { scenarios } = world.options;
  if (scenarios.includes('latency')) results.latency = await measureLatency(world);
  if (scenarios.includes('rate')) results.rate = await measureRate(world);
  if (scenarios.includes('memory') || scenarios.includes('idle')) {
    const { memory, idle } = await measureMemory(world);
    results.memory = memory;
    if (idle) results.idle = idle;
  }
}

async function main(options: BenchOptions): Promise<void> {
  const machine = thisMachine();
  const world = await startWorld(options, toStderr);
  const results: Results = { machine, kubernetes: world.cluster.version ?? '?', options };
  // The cluster ends with this process by itself; databases and folders are ours to end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void world.stop().finally(() => process.exit(130)));
  try {
    await measure(world, results);
  } finally {
    await world.stop();
  }
  process.stdout.write(`${options.json ? JSON.stringify(results, null, 2) : table(results)}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options) await main(options);
  else process.stdout.write(usage);
} catch (error) {
  toStderr(`hack/bench: ${messageOf(error)}`);
  process.exitCode = 1;
}
