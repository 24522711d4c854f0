/** The demo's requests: one run of a template asked for on the command line, and one over HTTP. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../cluster/paths.ts';
import { namespace, type Controller } from './installation.ts';
import type { Kubectl } from './kubectl.ts';
import { command, headline, say } from './say.ts';

const template = 'greet';
/** Where it is defined, with a workflow whose steps are runs of it. */
const file = 'manifests/examples/workflows/template-step.yaml';

export interface RequestsOptions {
  readonly kubectl: Kubectl;
  readonly controller: Controller;
  /** Throws when it must not go on. */
  readonly check: () => void;
}

export async function showRequests({ kubectl, controller, check }: RequestsOptions): Promise<void> {
  headline('A template, run on request: by the command line, and over HTTP');
  command(`kubectl apply -n ${namespace} -f ${file}`);
  console.log(kubectl.run('apply', '-n', namespace, '-f', join(repository, file)).trim());
  await jobChief(kubectl, 'wait', `template/${template}`, '--timeout', '60s');
  await jobChief(kubectl, 'run', `template/${template}`, '-p', 'whom=command line', '--wait', '--timeout', '2m');
  await byHttp(controller, check);
}

/** What it prints appears as it is printed. Rejects where it fails. */
async function jobChief(kubectl: Kubectl, ...args: string[]): Promise<void> {
  command(`job-chief ${args.map((each) => (each.includes(' ') ? `'${each}'` : each)).join(' ')} -n ${namespace}`);
  const child = spawn(process.execPath, [join(repository, 'src/cli/main.ts'), ...args, '-n', namespace, '--kubeconfig', kubectl.kubeconfig], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`job-chief ${args[0] ?? ''} ended with exit code ${String(code)}`);
}

interface SeenRun {
  readonly name: string;
  readonly phase: string;
  readonly callbackUrl: string;
  readonly outputs: object | null;
}

async function byHttp({ api }: Controller, check: () => void): Promise<void> {
  const body = JSON.stringify({ template, parameters: { whom: 'web' } });
  command(`curl -X POST ${api.url}/api/v1/runs -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '${body}'`);
  const accepted = await ask(api, '/api/v1/runs', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  console.log(JSON.stringify(accepted, null, 2));
  command(`curl ${api.url}${accepted.callbackUrl} -H "Authorization: Bearer $TOKEN"`);
  const end = performance.now() + 120_000;
  for (;;) {
    check();
    const { name, phase, outputs } = await ask(api, accepted.callbackUrl, {});
    if (['Succeeded', 'Failed', 'Cancelled'].includes(phase)) {
      console.log(JSON.stringify({ name, phase, outputs }));
      return;
    }
    if (performance.now() > end) throw new Error(`after two minutes the run is ${phase}`);
    say(`run ${name} is ${phase}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function ask({ url, token }: Controller['api'], path: string, request: { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }): Promise<SeenRun> {
  const answer = await fetch(`${url}${path}`, { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${text}`);
  return JSON.parse(text) as SeenRun;
}
