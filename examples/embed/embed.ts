/**
 * Starts the run of a workflow for one day, waits for its end and prints its outputs. Started again for the same day it
 * finds the same run, whatever became of the first attempt:
 *
 *     node embed.ts etl 2026-01-01
 *
 * It asks the Kubernetes API, or, where JOB_CHIEF_URL and JOB_CHIEF_TOKEN are set, the HTTP API of job-chief.
 */
import { ClientError, httpClient, kubernetesClient, type HttpOptions } from 'job-chief/client';
import type { Run } from 'job-chief';

const [workflow = 'etl', day = '2026-01-01'] = process.argv.slice(2);
const { JOB_CHIEF_URL: url, JOB_CHIEF_TOKEN: token } = process.env;
const options: HttpOptions | undefined = url === undefined ? undefined : { url, ...(token === undefined ? {} : { token }) };
const client = options ? httpClient(options) : await kubernetesClient();
try {
  const { name, notes } = await client.submit({ workflow, parameters: { day }, key: `${workflow}-${day}` });
  for (const note of notes) console.error(`note: ${note}`);
  const run: Run = await client.wait(name, { timeout: 600_000, onChange: ({ phase }) => { console.error(`${name}: ${phase}`); } });
  console.log(JSON.stringify(run.end?.outputs ?? {}));
  process.exitCode = run.phase === 'Succeeded' ? 0 : 1;
} catch (error) {
  if (!(error instanceof ClientError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 2;
} finally {
  await client.close();
}
