/** bare-workflow.ts as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { repository } from '../cluster/paths.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { cpuSeconds } from './controller.ts';
import type { World } from './world.ts';

export interface BareScript extends Disposable {
  /** CPU seconds so far. */
  cpu(): number;
  /** Date.now() with fractions, of the first request and of the last pod's success. */
  run(chains: readonly (readonly JsonObject[])[]): Promise<{ readonly began: number; readonly ended: number }>;
}

export async function startBareScript({ cluster, folder, options }: World, namespace: string): Promise<BareScript> {
  const child = spawn(process.execPath, [join(repository, 'hack/dev/bench/bare-workflow.ts'), cluster.kubeconfig, namespace, String(options.concurrency)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const lines: Interface = createInterface({ input: child.stdout });
  const line = async (): Promise<string> => ((await once(lines, 'line')) as [string])[0];
  await line();
  const file = join(folder, 'chains.json');
  return {
    cpu: () => cpuSeconds(child.pid ?? 0),
    run: async (chains) => {
      writeFileSync(file, JSON.stringify(chains));
      const told = line();
      child.stdin.write(`${file}\n`);
      return JSON.parse(await told) as { began: number; ended: number };
    },
    [Symbol.dispose]: kill,
  };
}
