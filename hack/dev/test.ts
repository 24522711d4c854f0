/**
 * `hack/test`: every check and every suite, one after the other, each with its own progress. What failed is named once more
 * at the end, so that the tail of a long log tells it. The last line counts what really ran: `N passed, N failed`. A suite
 * that could not even be loaded counts as one failure.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countOf, type Count, type Report } from './test-report.ts';

interface Step {
  readonly name: string;
  readonly run: () => Promise<Count>;
}

const usage = `usage: hack/test [--only SUITE,…]

  Every check and every suite, one after the other; what they need they start themselves and stop again.

  --only unit,e2e   some of them: lint, types, generated, unit, architecture, component, component-long, contract, integration, e2e
`;

/** Stormy days of the whole-controller simulation, and the effort of all tests that draw their cases: some ten minutes of two cores. */
const manySeeds = '800';

const checks: Readonly<Record<string, readonly string[]>> = {
  lint: ['eslint', '.'],
  types: ['tsc', '--noEmit'],
  generated: ['node', 'hack/dev/generate/generate.ts', '--check'],
};
const suites = ['unit', 'architecture', 'component', 'component-long', 'contract', 'integration', 'e2e'];

const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const wanted = values.only?.split(',');
const folder = await mkdtemp(join(tmpdir(), 'job-chief-test-'));
const steps: Step[] = [
  ...Object.entries(checks).map(([name, command]) => ({ name, run: () => check(command) })),
  ...suites.map((name) => ({ name, run: () => suite(name) })),
].filter(({ name }) => wanted?.includes(name) ?? true);

let passed = 0;
let failed = 0;
const summary: string[] = [];
const failures: string[] = [];
for (const step of steps) {
  console.log(`\n=== ${step.name}`);
  const began = performance.now();
  const count = await step.run();
  passed += count.passed;
  failed += count.failed;
  failures.push(...count.failures.map((one) => `${step.name}: ${one}`));
  summary.push(`${step.name.padEnd(14)}${String(count.passed).padStart(6)} passed${String(count.failed).padStart(6)} failed  ${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s`);
}
await rm(folder, { recursive: true, force: true });
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((one) => `  ${one}`).join('\n')}`);
console.log(`\n${summary.join('\n')}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function check(command: readonly string[]): Promise<Count> {
  return (await run(command)) === 0 ? { passed: 1, failed: 0, failures: [] } : { passed: 0, failed: 1, failures: [command.join(' ')] };
}

async function suite(name: string): Promise<Count> {
  const report = join(folder, `${name}.json`);
  const command = ['vitest', 'run', '--project', name, '--passWithNoTests=false', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(command, { JOB_CHIEF_SEEDS: process.env['JOB_CHIEF_SEEDS'] ?? manySeeds });
  const count = await readCount(report);
  // A crash of the runner itself, or an error outside any test, must not look like success.
  return code !== 0 && count.failed === 0 ? { ...count, failed: 1, failures: [`the suite ended with code ${code}, and no test of it failed`] } : count;
}

async function readCount(report: string): Promise<Count> {
  try {
    return countOf(JSON.parse(await readFile(report, 'utf8')) as Report, process.cwd());
  } catch {
    return { passed: 0, failed: 1, failures: ['the suite wrote no report'] };
  }
}

function run([program = '', ...args]: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('exit', (code) => { resolve(code ?? 1); });
  });
}
