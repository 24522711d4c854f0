import { defineConfig } from 'vitest/config';

/** What takes long is left out of `npm run verify`. */
const long = 'test/component/**/*.long.test.ts';

/** Suites by what they need: nothing (unit, component, architecture), a port's real peer (contract, integration), a cluster (e2e). */
const suite = (name: string, options: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

/** A worker that lives through hundreds of stormy days holds more than Node.js gives by default. */
const roomy = { execArgv: ['--max-old-space-size=6144'] };

/** Without a module graph of its own for each file, which costs two thirds of the time: nothing keeps state in modules. */
const shared = { isolate: false };

export default defineConfig({
  test: {
    projects: [
      suite('unit', { ...shared, testTimeout: 30_000 }),
      suite('component', { ...shared, ...roomy, testTimeout: 30_000, exclude: [long] }),
      suite('component-long', { ...shared, ...roomy, testTimeout: 60_000, include: [long] }),
      suite('architecture', { ...shared, testTimeout: 60_000 }),
      suite('contract', { testTimeout: 120_000, hookTimeout: 600_000, fileParallelism: false }),
      suite('integration', { testTimeout: 120_000, hookTimeout: 600_000, fileParallelism: false }),
      suite('e2e', { globalSetup: ['test/e2e/support/setup.ts'], maxConcurrency: 12, testTimeout: 300_000, hookTimeout: 900_000, fileParallelism: false }),
    ],
  },
});
