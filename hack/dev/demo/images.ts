/** The images of demo and end-to-end tests, put together without Docker; each function returns the path of an OCI archive. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { busyboxImage, nodeImage } from '../cluster/image.ts';
import { repository } from '../cluster/paths.ts';
import { run } from '../cluster/process.ts';
import { imageSettings } from '../image-settings.ts';

export const controllerImageName = 'job-chief.local/job-chief:dev';
export const workerImageName = 'job-chief.local/acme/pg-boss-worker:1';
export const amqpWorkerImageName = 'job-chief.local/acme/amqp-worker:1';

/** What `busybox:1.37` of manifests/examples/workflows is where the operator puts our registry before it. */
export const stepImage = (): string => busyboxImage('job-chief.local/busybox:1.37');

/** job-chief as the Dockerfile makes it. */
export function controllerImage(name: string = controllerImageName): Promise<string> {
  run(process.execPath, [join(repository, 'hack/dev/build.ts')]);
  const node = '/usr/local/bin/node';
  const { flags, env } = imageSettings();
  return Promise.resolve(nodeImage({
    name,
    env,
    entrypoint: [node, ...flags, '/app/job-chief.mjs'],
    command: ['controller'],
    files: [
      { path: '/app/job-chief.mjs', source: join(repository, 'dist/job-chief.mjs') },
      { path: '/usr/local/bin/job-chief', content: `#!${node}\nimport "/app/job-chief.mjs";\n`, mode: 0o755 },
    ],
  }));
}

/** A program of hack/dev/demo in one file. */
export async function workerImage(name: string = workerImageName, program = 'worker.ts'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'job-chief-worker-'));
  const outfile = join(folder, 'worker.mjs');
  try {
    await build({
      entryPoints: [join(repository, 'hack/dev/demo', program)],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      legalComments: 'none',
      external: ['pg-native'],
      banner: { js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);" },
      logLevel: 'warning',
    });
    return nodeImage({ name, entrypoint: ['/usr/local/bin/node', '/app/worker.mjs'], files: [{ path: '/app/worker.mjs', source: outfile }] });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
