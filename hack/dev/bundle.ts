/** How the program and the library are bundled: the plugins and settings that they share. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';

/** The checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

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

/** For Node.js, as ES modules, with all packages inside. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  // Names stay: a stack trace in a bug report should say something.
  keepNames: false,
  legalComments: 'none',
  plugins: [onlyTheVersion, onlyKubeConfig],
  // Optional in their packages, and not used here.
  external: ['pg-native', 'pino-pretty'],
  // Packages in CommonJS call require for Node's own modules; an ES module has none unless it makes one.
  banner: { js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);" },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * esbuild escapes all but what stands in regular expressions, of which a package has one. A single such character, and
 * Node.js keeps the program's text in two bytes each: four MiB for as long as it runs.
 */
export function onlyAscii(text: string): string {
  return text.replace(/[^\0-\x7F]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
