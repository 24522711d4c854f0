/**
 * Makes the npm package in dist/package: the program, the library with its types, the schemas. It has no dependencies,
 * since everything is bundled. `npm pack dist/package` then makes the tarball; the checkout itself stays private, so that
 * nobody publishes it by mistake.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { bundleOptions, onlyAscii, root } from './bundle.ts';

const folder = join(root, 'dist', 'package');
/** Entries of `exports` and their files in src/library. */
const entries = { '.': 'types', './spec': 'spec', './plan': 'plan', './client': 'client' } as const;

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await bundleLibrary();
const declarations = await writeDeclarations();
await writeProgram();
for (const file of ['LICENSE', 'CHANGELOG.md']) await cp(join(root, file), join(folder, file));
await cp(join(root, 'docs', 'library.md'), join(folder, 'README.md'));
await cp(join(root, 'schemas'), join(folder, 'schemas'), { recursive: true });
await writeFile(join(folder, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`);
console.log(`dist/package: ${(await readdir(folder)).length} entries, ${declarations} declarations; npm pack ./dist/package`);

/** What the entries share is in files of its own. */
async function bundleLibrary(): Promise<void> {
  const entryPoints = Object.fromEntries(Object.values(entries).map((name) => [name, join(root, 'src', 'library', `${name}.ts`)]));
  // Lines as they were: whoever embeds it reads its stack traces.
  await build({ ...bundleOptions, minifyWhitespace: false, minifySyntax: false, entryPoints, outdir: folder, outExtension: { '.js': '.mjs' }, chunkNames: 'shared-[hash]', splitting: true });
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.mjs'))) {
    await writeFile(join(folder, file), onlyAscii(await readFile(join(folder, file), 'utf8')));
  }
}

async function writeProgram(): Promise<void> {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'hack', 'dev', 'build.ts')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the program cannot be built: ${stderr}`);
  await cp(join(root, 'dist', 'job-chief.mjs'), join(folder, 'job-chief.mjs'));
}

/** Declarations of the entries and of what those name, and no others. */
async function writeDeclarations(): Promise<number> {
  const emitted = emitDeclarations();
  const wanted = new Map<string, string>();
  const visit = (file: string): void => {
    const text = emitted.get(file);
    if (text === undefined) throw new Error(`no declarations of ${file}`);
    if (wanted.has(file)) return;
    wanted.set(file, text.replace(/((?:from|import\()\s*')(\.[^']*)\.ts'/g, "$1$2.js'"));
    for (const specifier of specifiersIn(text)) {
      if (!specifier.startsWith('.')) throw new Error(`${relative(root, file)} speaks of types of the package ${specifier}, which the library does not have`);
      visit(join(dirname(file), specifier.replace(/\.ts$/, '.d.ts')));
    }
  };
  for (const name of Object.values(entries)) visit(join(root, 'src', 'library', `${name}.d.ts`));
  for (const [file, text] of wanted) {
    const target = join(folder, 'types', relative(join(root, 'src'), file));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  return wanted.size;
}

function emitDeclarations(): Map<string, string> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const names = Object.values(entries).map((name) => join(root, 'src', 'library', `${name}.ts`));
  const program = ts.createProgram(names, { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: root, removeComments: false, stripInternal: true });
  const emitted = new Map<string, string>();
  const { diagnostics } = program.emit(undefined, (file, text) => emitted.set(file, text), undefined, true);
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }));
  return emitted;
}

function specifiersIn(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

async function manifest(): Promise<object> {
  const { name, version, description, license, type, engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const exports = Object.fromEntries(Object.entries(entries).map(([path, file]) => [path, { types: `./types/library/${file}.d.ts`, default: `./${file}.mjs` }]));
  const schemas = (await readdir(join(root, 'schemas'))).map((file) => basename(file)).sort();
  return {
    name, version, description, license, type, engines,
    bin: { 'job-chief': 'job-chief.mjs' },
    exports: { ...exports, ...Object.fromEntries(schemas.map((file) => [`./schemas/${file}`, `./schemas/${file}`])), './package.json': './package.json' },
    sideEffects: false,
  };
}
