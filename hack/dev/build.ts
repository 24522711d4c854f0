/**
 * Bundles the program into one file, dist/job-chief.mjs: `node dist/job-chief.mjs controller`. One file because reading
 * a few hundred small ones is most of the start-up time, and because an image then needs nothing else.
 */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { build, type Plugin } from 'esbuild';

const root = new URL('../../', import.meta.url).pathname;
const outfile = `${root}dist/job-chief.mjs`;

/** Of package.json the program needs the version; the rest would only tell what we build with. */
const onlyTheVersion: Plugin = {
  name: 'only-the-version',
  setup: (context) => {
    context.onLoad({ filter: /\/package\.json$/ }, async ({ path }) => {
      if (path !== `${root}package.json`) return undefined;
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/**
 * Of client-node we use KubeConfig. Its two index files pull in 5 MB of generated API clients, and an `import()` keeps
 * all that it names; in the bundle each stands for what is really used of it.
 */
const onlyKubeConfig: Plugin = {
  name: 'only-kube-config',
  setup: (context) => {
    const resolveDir = `${root}node_modules/@kubernetes/client-node`;
    const instead = (filter: RegExp, contents: string): void => {
      const namespace = `instead-of-${String(filter)}`;
      context.onResolve({ filter }, ({ path, importer }) => (path.startsWith('.') && !importer.startsWith(resolveDir) ? undefined : { path, namespace }));
      context.onLoad({ filter: /.*/, namespace }, () => ({ contents, resolveDir }));
    };
    instead(/^@kubernetes\/client-node$/, "export { KubeConfig } from './dist/config.js';");
    instead(/\/gen\/index\.js$/, "export * from './dist/gen/configuration.js'; export * from './dist/gen/servers.js';");
  },
};

const began = performance.now();
const { metafile } = await build({
  entryPoints: [`${root}src/cli/main.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  // Names stay: a stack trace in a bug report should say something.
  keepNames: false,
  legalComments: 'none',
  metafile: true,
  plugins: [onlyTheVersion, onlyKubeConfig],
  // Optional in their packages, and not used here.
  external: ['pg-native', 'pino-pretty'],
  // Packages in CommonJS call require for Node's own modules; an ES module has none unless it makes one.
  banner: { js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);" },
  logLevel: 'warning',
});
await writeFile(outfile, onlyAscii(await readFile(outfile, 'utf8')));
await chmod(outfile, 0o755);
await writeFile(`${root}dist/metafile.json`, JSON.stringify(metafile));
console.log(`dist/job-chief.mjs: ${((await stat(outfile)).size / 1024 / 1024).toFixed(2)} MB in ${Math.round(performance.now() - began)} ms`);

if (process.argv.includes('--measure')) {
  for (const args of [['version'], ['lint', '--help'], ['controller', '--help']]) console.log(`${args.join(' ')}: ${fastest(args)} ms to run`);
}

/**
 * esbuild escapes all but what stands in regular expressions, of which a package has one. A single such character, and
 * Node.js keeps the program's text in two bytes each: four MiB for as long as it runs.
 */
function onlyAscii(text: string): string {
  return text.replace(/[^\0-\x7F]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
