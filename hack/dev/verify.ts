/**
 * `npm run verify`: what must be green before a commit, in less than a minute. Two steps run at a time; the first red
 * one ends the run with its output. Nothing here needs a cluster, a database or the network.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}
interface Outcome {
  readonly step: Step;
  readonly code: number | null;
  readonly seconds: number;
  readonly output: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(root);
mkdirSync('node_modules/.cache', { recursive: true });
const bin = (name: string): string => `${root}node_modules/.bin/${name}`;

/** The tests last: they have two workers, where vitest would take one on two cores, for the lane that is free by then. */
const steps: readonly Step[] = [
  // Files that have not changed since they were clean are left out; hack/test looks at all of them.
  { name: 'lint', command: [bin('eslint'), '--cache', '--cache-strategy', 'content', '--cache-location', 'node_modules/.cache/eslint', '.'] },
  { name: 'types', command: [bin('tsc'), '--noEmit', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/verify.tsbuildinfo'] },
  { name: 'generated files', command: [process.execPath, 'hack/dev/generate/generate.ts', '--check'] },
  { name: 'tests', command: [bin('vitest'), 'run', '--project', 'unit', '--project', 'component', '--project', 'architecture', '--maxWorkers', '2', '--reporter', 'dot'] },
];
const lanes = 2;
/** A step that takes this long hangs. */
const patience = 5 * 60_000;

const began = performance.now();
const elapsed = (since: number): number => Math.round((performance.now() - since) / 100) / 10;
const running = new Map<Step, { readonly child: ChildProcess; readonly since: number }>();
const say = (text: string): void => void process.stderr.write(`${text}\n`);

function run(step: Step): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = step.command;
    const since = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CI: '1', NO_COLOR: '1' } });
    running.set(step, { child, since });
    let output = '';
    const tooLong = setTimeout(() => {
      output += `\nended after ${patience / 1000} s`;
      child.kill('SIGKILL');
    }, patience);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject).once('close', (code) => {
      clearTimeout(tooLong);
      running.delete(step);
      resolve({ step, code, seconds: elapsed(since), output });
    });
  });
}

/** The first red outcome, or undefined when all are green. */
async function runAll(): Promise<Outcome | undefined> {
  const waiting = [...steps];
  const reds: Outcome[] = [];
  const isRed = (): boolean => reds.length > 0;
  const lane = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined && !isRed(); step = waiting.shift()) {
      const outcome = await run(step);
      // Killed because another step was red: its own result says nothing.
      if (isRed()) return;
      say(`${outcome.code === 0 ? 'ok ' : 'RED'} ${step.name.padEnd(16)} ${outcome.seconds.toFixed(1)} s`);
      if (outcome.code === 0) continue;
      reds.push(outcome);
      for (const { child } of running.values()) child.kill();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return reds[0];
}

const ticker = setInterval(() => {
  say(`... ${[...running].map(([step, { since }]) => `${step.name} ${elapsed(since).toFixed(0)} s`).join(', ')}`);
}, 10_000);
process.once('SIGINT', () => {
  for (const { child } of running.values()) child.kill();
  process.exit(130);
});
const red = await runAll();
clearInterval(ticker);
if (red) say(`\n${red.step.name} failed:\n\n${red.output.trim()}`);
else say(`verified in ${elapsed(began).toFixed(1)} s`);
process.exitCode = red ? 1 : 0;
