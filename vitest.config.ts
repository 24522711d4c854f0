import { defineConfig } from 'vitest/config';

/** Suites by what they need: nothing (unit, component, architecture), a port's real peer (contract, integration), a cluster (e2e). */
const suite = (name: string, options: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      suite('unit'),
      suite('component', { testTimeout: 30_000 }),
      suite('architecture', { testTimeout: 60_000 }),
      suite('contract', { testTimeout: 120_000, hookTimeout: 600_000, fileParallelism: false }),
      suite('integration', { testTimeout: 120_000, hookTimeout: 600_000, fileParallelism: false }),
      suite('e2e', { globalSetup: ['test/e2e/support/setup.ts'], maxConcurrency: 12, testTimeout: 300_000, hookTimeout: 900_000, fileParallelism: false }),
    ],
  },
});
