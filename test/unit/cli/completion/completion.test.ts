import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { candidatesFor, type Ask } from '../../../../src/cli/completion/candidates.ts';
import { linesOf } from '../../../../src/cli/completion.ts';
import { clusterNames, localNames } from '../../../../src/cli/completion/names.ts';
import { shells, scripts } from '../../../../src/cli/completion/scripts.ts';
import { subcommands } from '../../../../src/cli/subcommands.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, step, useWorkflows, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const local: Ask = async (source, given) => (await localNames(source, given)) ?? [];

async function words(...line: string[]): Promise<string[]> {
  const current = line.at(-1) ?? '';
  const lines = linesOf(await candidatesFor(line, local));
  return lines.map((text) => text.split('\t')[0] ?? '').filter((value) => value.startsWith(':') || value.startsWith(current));
}

describe('completion knows', () => {
  it('all commands, and help', async () => {
    expect((await words('')).toSorted()).toEqual([...new Set([...subcommands.map(({ path }) => path[0]), 'help'])].toSorted());
  });

  it.each([
    ['check', ['c'], ['controller', 'convert', 'check', 'cancel', 'completion']],
    ['commands of a group', ['check', ''], ['connection', 'permissions']],
    ['commands behind help', ['help', 'sus'], ['suspend']],
    ['options', ['wait', '--ti'], ['--timeout']],
    ['options behind others and their values', ['wait', 'etl', '--timeout', '5m', '--spec'], ['--spec-hash']],
    ['values of options', ['lint', '-o', 's'], ['sarif']],
    ['that an option has its value already', ['lint', '-o=json', '--def'], ['--defaults']],
    ['options that want a file', ['run', '--parameters-file', ''], [':files']],
    ['commands that want files', ['lint', ''], [':files']],
    ['commands that want nothing', ['version', ''], []],
    ['kinds to explain', ['explain', 'que'], [':nospace', 'queue']],
    ['fields', ['explain', 'queue.drain.p'], [':nospace', 'queue.drain.pods']],
    ['shells', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['that no option follows --', ['run', '--image', 'x', '--', '--'], []],
  ])('%s', async (_what, line, expected) => {
    expect((await words(...line)).toSorted()).toEqual(expected.toSorted());
  });

  it.each(subcommands.map(({ path }) => [path.join(' ')]))('the options of %s', async (path) => {
    expect(await words(...path.split(' '), '--')).toContain('--help');
  });
});

describe('completion asks the cluster for', () => {
  async function asked(scene: WorkflowScene, ...line: string[]): Promise<string[]> {
    const command = new CommandLine(scene.world);
    const found = await command.call((session) => candidatesFor(line, (source, given) => clusterNames(session.runs, source, given)));
    return found.values.map(({ value }) => value);
  }

  it('specs and runs, those that go on first, and what can be run', async () => {
    const scene = stage({ steps: chain('a') });
    scene.world.applyConfigMap('mails', 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: worker:1}\n');
    await scene.finished();
    expect((await asked(scene, 'status', '')).toSorted()).toEqual([scene.run.name, 'queue/mails', 'workflow/etl'].toSorted());
    expect(await asked(scene, 'cancel', '')).toEqual([scene.run.name]);
    expect(await asked(scene, 'run', '-n', 'default', '')).toEqual(['workflow/etl']);
  });

  it('steps, and those that wait for a word', async () => {
    const scene = stage({ steps: [step('a'), step('may-i', { approve: { message: 'go?' } })] });
    await scene.world.runUntil(() => scene.started.includes('a'));
    expect(await asked(scene, 'logs', scene.run.name, '')).toEqual(['a', 'may-i']);
    expect(await asked(scene, 'approve', scene.run.name, '')).toEqual(['may-i']);
  });
});

describe('the scripts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'completion-'));
  const program = join(folder, 'job-chief');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(new URL('../../../../src/cli/main.ts', import.meta.url))}' "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(folder, 'etl.yaml'), '');
  afterAll(() => { rmSync(folder, { recursive: true }); });
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

  it.each(shells)('of %s ask this program', (shell) => {
    expect(scripts[shell]).toContain('completion words -- ');
  });

  it.skipIf(!hasShell('bash')).each([
    [['lin'], ['lint']],
    [['check', 'conn'], ['connection']],
    [['lint', '--out'], ['--output']],
    [['lint', 'et'], ['etl.yaml']],
    [['explain', 'queue.drain.che'], ['queue.drain.checkInterval']],
  ])('of bash complete %j', (line, expected) => {
    const text = `source <(job-chief completion bash); COMP_WORDS=(job-chief ${line.join(' ')}); COMP_CWORD=${line.length}; _job_chief; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', text], { env, cwd: folder, encoding: 'utf8' });
    expect([stdout.trim().split('\n'), stderr]).toEqual([expected, '']);
  });

  it.skipIf(!hasShell('zsh'))('of zsh are read without a complaint', () => {
    const { status, stderr } = spawnSync('zsh', ['-c', 'autoload -U compinit; compinit -u; source <(job-chief completion zsh); (( $+functions[_job_chief] ))'], { env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it.skipIf(!hasShell('fish'))('of fish complete a command', () => {
    const { stdout } = spawnSync('fish', ['-c', "job-chief completion fish | source; complete -C 'job-chief lin'"], { env, encoding: 'utf8' });
    expect(stdout).toContain('lint');
  });
});
