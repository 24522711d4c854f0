/** The API against its own document: requests that fit and requests that do not, thousands of them, every answer checked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runSchemathesis } from '../../../hack/dev/schemathesis.ts';
import { tokens } from '../../support/http-scene.ts';
import { serveInRealTime } from '../../support/http-real-time.ts';

/** It never ends by itself; the component suite reads it. */
const endless = 'watchRuns';

it('answers whatever schemathesis can think of as its document says', { timeout: 1_200_000 }, async () => {
  const served = await serveInRealTime();
  const folder = mkdtempSync(join(tmpdir(), 'job-chief-schemathesis-'));
  onTestFinished(() => { rmSync(folder, { recursive: true, force: true }); });
  const { code, output } = await runSchemathesis(
    ['run', `http://127.0.0.1:${served.port}/openapi.json`, '--header', `Authorization: Bearer ${tokens.admin}`, '--checks', 'all', '--exclude-operation-id', endless, '--max-examples', '40', '--seed', '1', '--request-timeout', '60', '--generation-database', 'none'],
    folder,
  );
  expect(code, output.slice(-20_000)).toBe(0);
});
