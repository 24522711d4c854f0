/**
 * The npm package as others get it: made, packed, installed into a folder of its own without the network, type-checked as
 * both ways to resolve modules have it, and run beside a controller on a simulated cluster.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBridge, runAlong } from '../../support/api-bridge.ts';
import { httpApi, tokens } from '../../support/http-scene.ts';
import { step, useWorkflows } from '../../support/workflow-scene.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const stage = useWorkflows();
let folder = '';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program in the example's folder. */
function run(program: string, args: readonly string[], { cwd = folder, env = {} }: { readonly cwd?: string; readonly env?: Record<string, string> } = {}): Promise<Ended> {
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: '1', npm_config_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', ...env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject).once('close', (code) => { resolve({ code, out, err }); });
  });
}

async function succeed(program: string, args: readonly string[], options?: Parameters<typeof run>[2]): Promise<string> {
  const { code, out, err } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${out}\n${err}`);
  return out;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'job-chief-embed-'));
  await succeed(process.execPath, [join(root, 'hack', 'dev', 'package.ts')], { cwd: root });
  const [packed] = JSON.parse(await succeed('npm', ['pack', '--json', '--pack-destination', folder, join(root, 'dist', 'package')], { cwd: root })) as [{ filename: string }];
  await cp(join(root, 'examples', 'embed'), folder, { recursive: true, filter: (source) => !source.includes('node_modules') });
  // What the example would get from a registry: our tarball, and nothing else.
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, dependencies: { 'job-chief': `file:${packed.filename}` }, devDependencies: {} }));
  await succeed('npm', ['install', '--no-package-lock']);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the package', () => {
  it('has no dependencies, and exports that its documentation names', async () => {
    const manifest = JSON.parse(await readFile(join(folder, 'node_modules/job-chief/package.json'), 'utf8')) as { dependencies?: object; private?: boolean; exports: Record<string, unknown>; version: string };
    const page = await readFile(join(root, 'docs/library.md'), 'utf8');
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.private).toBeUndefined();
    for (const path of Object.keys(manifest.exports).filter((one) => !one.includes('package.json') && !one.includes('schemas'))) expect(page).toContain(`\`${path.replace(/^\./, 'job-chief')}\``);
    const example = JSON.parse(await readFile(join(root, 'examples/embed/package.json'), 'utf8')) as { dependencies: Record<string, string> };
    expect(example.dependencies).toEqual({ 'job-chief': manifest.version });
  });

  it.each([
    ['nodenext', []],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])('has types that resolve with %s, checked to the last declaration', async (_name, more) => {
    const out = await run(join(root, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder, '--typeRoots', join(root, 'node_modules/@types'), ...more]);
    expect([out.code, out.out]).toEqual([0, '']);
  });

  it('reads, checks and plans specs', async () => {
    const out = await succeed(process.execPath, ['check.ts']);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^job-chief \d/),
      expect.stringMatching(/^mails\.yaml:5:\d+: .*"imagee".*did you mean "image"/),
      'Checking (SpecChecking), 0 actions',
      '',
    ]);
  });

  it('has the program in it', async () => {
    expect(await succeed('npx', ['--no-install', 'job-chief', 'version'])).toMatch(/^job-chief \d/);
  });
});

describe('the example', () => {
  const spec = { trigger: { onRequest: true }, parameters: { day: { type: 'string' } }, steps: [step('load', { outputs: { rows: { type: 'integer' } } })], outputs: { rows: '$(steps.load.outputs.rows)' } };
  const pods = { load: { runs: 2_000, exit: { code: 0, message: 'rows=3' } } };

  it('starts one run for one day, waits for it and prints its outputs', async () => {
    const scene = stage({ spec, pods });
    const bridge = await openBridge(scene.world);
    try {
      const kubeconfig = join(folder, 'kubeconfig');
      await writeFile(kubeconfig, bridge.kubeconfig);
      const env = { KUBECONFIG: kubeconfig, KUBERNETES_SERVICE_HOST: '' };
      const first = await run(process.execPath, ['embed.ts', 'etl', 'monday'], { env });
      expect([first.code, first.out], first.err).toEqual([0, '{"rows":3}\n']);
      expect(first.err).toMatch(/etl-\w+: Succeeded\n$/);
      const again = await run(process.execPath, ['embed.ts', 'etl', 'monday'], { env });
      expect([again.code, again.out], again.err).toEqual([0, '{"rows":3}\n']);
      expect(again.err).toContain('this key was used before');
      const wrong = await run(process.execPath, ['embed.ts', 'etll', 'monday'], { env });
      expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/^Refused: there is no workflow .*"etll"/)]);
    } finally {
      await bridge.close();
    }
    expect(scene.world.jobs()).toHaveLength(1);
  });

  it('does the same over HTTP', async () => {
    const scene = stage({ spec, pods, controller: 'none' });
    const { api } = await httpApi(scene);
    const port = await api.server.listen();
    const stop = runAlong(scene.world);
    try {
      const env = { JOB_CHIEF_URL: `http://127.0.0.1:${port}`, JOB_CHIEF_TOKEN: tokens.submit };
      const first = await run(process.execPath, ['embed.ts', 'etl', 'monday'], { env });
      expect([first.code, first.out], first.err).toEqual([0, '{"rows":3}\n']);
      const stranger = await run(process.execPath, ['embed.ts', 'etl', 'monday'], { env: { ...env, JOB_CHIEF_TOKEN: 'a-token-of-nobody' } });
      expect([stranger.code, stranger.err]).toEqual([2, expect.stringMatching(/^Refused: /)]);
      const nobody = await run(process.execPath, ['embed.ts', 'etl', 'monday'], { env: { JOB_CHIEF_URL: 'http://127.0.0.1:9' } });
      expect([nobody.code, nobody.err]).toEqual([2, expect.stringMatching(/^NoAnswer: /)]);
    } finally {
      await stop();
    }
    expect(scene.world.jobs()).toHaveLength(1);
  });
});
