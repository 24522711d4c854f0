/**
 * `hack/demo`: an empty machine to a running result. Brings up Kubernetes and PostgreSQL, runs job-chief with the rights
 * of its own ServiceAccount, applies manifests/examples/queues, puts real messages into pg-boss queues, shows how Jobs
 * start and the queues empty, and how each message of another queue gets a Job and its result, runs some of
 * manifests/examples/workflows, asks for runs of a template by command line and HTTP, prints what a user would look at,
 * and cleans up. `--keep` leaves everything running until Ctrl-C.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { downKind, kindAnswers, upKind } from '../cluster/existing.ts';
import { loadImage } from '../cluster/image.ts';
import { down, up } from '../cluster/lifecycle.ts';
import { repository } from '../cluster/paths.ts';
import { processRef } from '../cluster/process.ts';
import type { ClusterState } from '../cluster/state.ts';
import { whyNoRealPods } from '../cluster/tools.ts';
import { startPostgres, type Postgres } from '../postgres.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import { stepImage, workerImage } from './images.ts';
import { install, namespace, startController, type Controller } from './installation.ts';
import { invoiceQueues, showInvoices } from './invoices.ts';
import { Kubectl } from './kubectl.ts';
import { Producer } from './messages.ts';
import { ProcessKubelet } from './process-kubelet.ts';
import { showRequests } from './requests.ts';
import { showStatus, watchRuns } from './runs.ts';
import { command, headline, say, step } from './say.ts';
import { watchUntilEmpty } from './watch.ts';

const clusterName = 'demo';
const examples = join(repository, 'manifests/examples/queues');
const broken = join(repository, 'hack/dev/demo/broken.yaml');
const messages = 12;
/** Of manifests/examples/workflows: those that soon come to an end by themselves. */
const workflows = ['chain', 'diamond', 'phases', 'revert'];

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } });
if (values.help) {
  console.log('usage: hack/demo [--keep]\n\n  --keep   leave everything running until Ctrl-C, and say how to reach it');
  process.exit(0);
}

/** Undone in reverse order, however the demo ends. */
const undo: (() => Promise<void> | void)[] = [];
let ending: Promise<void> | undefined;
const cleanUp = (): Promise<void> => (ending ??= (async () => {
  for (const one of undo.reverse()) await Promise.resolve(one()).catch((error: unknown) => { console.error(error); });
})());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => { void step('cleaning up', cleanUp).finally(() => process.exit(130)); });
}

try {
  await demo();
  if (values.keep) await new Promise<never>(() => setInterval(() => undefined, 60_000));
  await step('cleaning up', cleanUp);
  headline('Done: job-chief started workers until the queues were empty, the steps of workflows in their order, and templates on request; nothing is left on this machine.');
} catch (error) {
  await cleanUp();
  if (ending === undefined) throw error;
  console.error(`\nhack/demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function demo(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'job-chief-demo-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  headline('A real Kubernetes and a real PostgreSQL');
  const [cluster, postgres] = await Promise.all([bringUpCluster(), bringUpPostgres()]);
  const kubectl = new Kubectl(cluster.kubeconfig);
  if (cluster.pods === 'real') await step('putting the worker images together', async () => { for (const image of [await workerImage(), stepImage()]) loadImage(clusterName, image); });
  else undo.push(startProcessKubelet(cluster));

  headline('job-chief, with the rights of its own ServiceAccount');
  const database = { host: '127.0.0.1', port: postgres.port, user: postgres.user, password: postgres.password, database: 'postgres' };
  install(kubectl, { ...database, host: hostFor(cluster) });
  const specs = specsOf(examples);
  const producer = new Producer(postgres.url);
  await step('pg-boss makes its schema and queues', () => producer.start([...specs.map(({ queue }) => queue), 'misspelt', 'no-such-image', ...invoiceQueues]));
  undo.push(() => producer.stop());
  const controller = await startController(kubectl, folder, database);
  undo.push(() => controller.stop());
  command(`kubectl apply -n ${namespace} -f manifests/examples/queues`);
  console.log(kubectl.run('apply', '-n', namespace, '-f', examples).trim());
  await waitUntilReady(controller);

  headline(`${messages} messages into each of ${specs.length} queues`);
  for (const { queue } of specs) await producer.send(queue, messages);
  await watchUntilEmpty({ kubectl, producer, examples: specs.filter(({ held }) => !held), check: () => { checkAlive(controller); } }, 180_000);

  // Processes have no mounts.
  if (cluster.pods === 'real') await showInvoices({ kubectl, producer, check: () => { checkAlive(controller); } });

  headline('When something is wrong');
  await producer.send('no-such-image', 1);
  command(`kubectl apply -n ${namespace} -f hack/dev/demo/broken.yaml`);
  console.log(kubectl.run('apply', '-n', namespace, '-f', broken).trim());
  say('the Job with the image that does not exist is given up on after 20 s; meanwhile:');
  const runs = await showWorkflows(kubectl, controller);
  await showRequests({ kubectl, controller, check: () => { checkAlive(controller); } });
  await step('the Job with the image that does not exist is given up on', () => untilStates(kubectl, { misspelt: ['Rejected'], 'no-such-image': ['Waiting', 'Blocked'] }));
  await report(kubectl, controller);
  for (const name of ['diamond', 'revert']) showStatus(kubectl, runs.get(name) ?? name);
  if (values.keep) explainKeep(kubectl, controller, postgres);
}

/** Names of the runs, by workflow. */
async function showWorkflows(kubectl: Kubectl, controller: Controller): Promise<ReadonlyMap<string, string>> {
  headline(`${workflows.length} workflows, each of which runs since it is new`);
  const files = workflows.map((name) => join('manifests/examples/workflows', `${name}.yaml`));
  command(`kubectl apply -n ${namespace} ${files.map((file) => `-f ${file}`).join(' ')}`);
  console.log(kubectl.run('apply', '-n', namespace, ...files.flatMap((file) => ['-f', join(repository, file)])).trim());
  return await watchRuns({ kubectl, workflows, check: () => { checkAlive(controller); } }, 120_000);
}

async function bringUpCluster(): Promise<ClusterState> {
  const kind = kindAnswers();
  undo.push(async () => {
    if (kind) downKind(clusterName);
    await down(clusterName, () => undefined);
  });
  const options = whyNoRealPods() === undefined ? {} : { pods: 'none' as const };
  // Our own lines have the time already.
  const tell = (line: string): void => { say(line.replace(/^\s*[\d.]+ s: /, '')); };
  const state = kind ? upKind(clusterName, tell) : await up({ name: clusterName, owner: processRef(process.pid), ...options }, tell);
  say(`Kubernetes ${state.version ?? ''} is ready, pods are ${state.pods}`);
  return state;
}

async function bringUpPostgres(): Promise<Postgres> {
  const postgres = await startPostgres({ listenAll: true });
  undo.push(() => postgres[Symbol.asyncDispose]());
  say('PostgreSQL is ready');
  return postgres;
}

/** Without containers the pods are processes of this machine: the same worker, the same env, the same exit codes. */
function startProcessKubelet(cluster: ClusterState): () => Promise<void> {
  say('no containers here: each pod runs as a process of this machine');
  const kubelet = new ProcessKubelet({ kubectl: new Kubectl(cluster.kubeconfig), namespace, worker: join(repository, 'hack/dev/demo/worker.ts') });
  kubelet.start();
  return () => kubelet.stop();
}

/** This machine, as pods see it. */
function hostFor(cluster: ClusterState): string {
  if (cluster.pods !== 'real') return '127.0.0.1';
  if (cluster.hostAddress !== undefined) return cluster.hostAddress;
  const outside = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find((one) => one.family === 'IPv4' && !one.internal);
  return outside?.address ?? '127.0.0.1';
}

/** `held`: it starts nothing on purpose. */
function specsOf(folder: string): { readonly name: string; readonly queue: string; readonly held: boolean }[] {
  const documents = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort().flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => document.toJS() as { metadata: { name: string; labels: Record<string, string> }; data: Record<string, string> }));
  return documents.flatMap(({ metadata, data }) => {
    const { spec } = parseSpec({ file: metadata.name, objectName: metadata.name, label: metadata.labels['job-chief'], data }, {});
    return spec?.kind === 'Queue' ? [{ name: metadata.name, queue: spec.source.queue, held: spec.suspend || spec.observe }] : [];
  });
}

async function waitUntilReady(controller: Controller): Promise<void> {
  await step('job-chief reads what is there', async () => {
    for (;;) {
      checkAlive(controller);
      const answer = await fetch(`http://127.0.0.1:${controller.port}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
}

function checkAlive(controller: Controller): void {
  if (controller.process.exitCode === null && controller.process.signalCode === null) return;
  throw new Error(`job-chief ended unexpectedly; its last words:\n${readFileSync(controller.log, 'utf8').split('\n').slice(-10).join('\n')}`);
}

async function untilStates(kubectl: Kubectl, wanted: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const began = performance.now();
  for (;;) {
    const states = Object.keys(wanted).map((name) => [name, kubectl.run('get', 'configmap', name, '-n', namespace, '-o', 'jsonpath={.metadata.labels.job-chief/state}')] as const);
    if (states.every(([name, state]) => wanted[name]?.includes(state))) return;
    if (performance.now() - began > 120_000) throw new Error(`after two minutes the states are ${JSON.stringify(states)}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function report(kubectl: Kubectl, controller: Controller): Promise<void> {
  headline('What a user looks at');
  command(`kubectl get configmap -n ${namespace} -l job-chief -L job-chief/state`);
  console.log(kubectl.show('get', 'configmap', '-n', namespace, '-l', 'job-chief', '-L', 'job-chief/state').trim());
  command(`kubectl get jobs -n ${namespace} -L job-chief/name,job-chief/run`);
  console.log(kubectl.show('get', 'jobs', '-n', namespace, '-L', 'job-chief/name,job-chief/run').trim());
  for (const name of ['misspelt', 'no-such-image']) {
    command(`kubectl describe configmap ${name} -n ${namespace}`);
    console.log(describe(kubectl.show('describe', 'configmap', name, '-n', namespace)));
  }
  command(`curl -s localhost:${controller.port}/metrics | grep -E 'job_chief_(jobs_|queue_ready|spec_state)'`);
  const metrics = await (await fetch(`http://127.0.0.1:${controller.port}/metrics`)).text();
  console.log(metrics.split('\n').filter((line) => /^job_chief_(jobs_|queue_ready|spec_state)/.test(line) && !line.endsWith(' 0')).slice(0, 24).join('\n'));
}

/** Without the spec itself, which stands in the file that was applied. */
function describe(text: string): string {
  const [head = '', tail = ''] = text.split(/^Data\n====\n[\s\S]*?(?=^Events:)/m);
  return `${head.trimEnd()}\n${tail.trimEnd()}`;
}

function explainKeep(kubectl: Kubectl, controller: Controller, postgres: Postgres): void {
  headline('Everything keeps running until Ctrl-C');
  console.log(`  export KUBECONFIG=${kubectl.kubeconfig}
  kubectl get configmap -n ${namespace} -l job-chief -L job-chief/state
  curl localhost:${controller.port}/metrics
  curl -H 'Authorization: Bearer ${controller.api.token}' ${controller.api.url}/api/v1/runs
  tail -f ${controller.log}
  psql ${postgres.url}`);
}
