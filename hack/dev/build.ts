/**
 * Bundles the program into one file, dist/job-chief.mjs: `node dist/job-chief.mjs controller`. One file because reading
 * a few hundred small ones is most of the start-up time, and because an image then needs nothing else.
 */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { build } from 'esbuild';
import { bundleOptions, onlyAscii, root } from './bundle.ts';

const outfile = `${root}dist/job-chief.mjs`;

const began = performance.now();
const { metafile } = await build({ ...bundleOptions, entryPoints: [`${root}src/cli/main.ts`], outfile, metafile: true });
await writeFile(outfile, onlyAscii(await readFile(outfile, 'utf8')));
await chmod(outfile, 0o755);
await writeFile(`${root}dist/metafile.json`, JSON.stringify(metafile));
console.log(`dist/job-chief.mjs: ${((await stat(outfile)).size / 1024 / 1024).toFixed(2)} MB in ${Math.round(performance.now() - began)} ms`);

if (process.argv.includes('--measure')) {
  for (const args of [['version'], ['lint', '--help'], ['controller', '--help']]) console.log(`${args.join(' ')}: ${fastest(args)} ms to run`);
}

/** Best of seven: on a busy machine the others measure the neighbours. */
function fastest(args: string[]): number {
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [outfile, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr}`);
    return performance.now() - start;
  });
  return Math.round(Math.min(...times));
}
