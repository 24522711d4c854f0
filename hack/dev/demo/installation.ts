/** job-chief as a user installs it: Roles and ServiceAccount from manifests/base, a Secret for the database, a configuration. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../cluster/ports.ts';
import { repository } from '../cluster/paths.ts';
import type { Kubectl } from './kubectl.ts';

export const namespace = 'demo';

export interface Database {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Controller {
  readonly port: number;
  /** The HTTP API, and a token that may submit runs. */
  readonly api: { readonly url: string; readonly token: string };
  /** Where its log goes. */
  readonly log: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Namespace, ServiceAccount, Roles, and the Secret that workers get their connection from. */
export function install(kubectl: Kubectl, workers: Database): void {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' };
  kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  for (const file of ['service-account', 'role', 'role-specs', 'role-status', 'role-records', 'role-events']) {
    kubectl.run('apply', '-n', namespace, '-f', join(repository, 'manifests/base', `${file}.yaml`));
  }
  // Secrets for the content of messages, and what became of them.
  for (const file of ['role-payloads', 'role-history']) kubectl.run('apply', '-n', namespace, '-f', join(repository, `manifests/components/messages/${file}.yaml`));
  const stringData = { ...workers, port: String(workers.port) };
  kubectl.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'main-database', namespace }, stringData });
}

/** The controller on this machine, with the rights of its ServiceAccount and no others. */
export async function startController(kubectl: Kubectl, folder: string, database: Database): Promise<Controller> {
  const token = kubectl.run('create', 'token', 'job-chief', '-n', namespace, '--duration', '24h').trim();
  const kubeconfig = join(folder, 'job-chief.kubeconfig');
  await writeFile(kubeconfig, kubectl.configFor(token, namespace), { mode: 0o600 });
  const connection = join(folder, 'connections', 'main');
  await mkdir(connection, { recursive: true });
  for (const [key, value] of Object.entries(database)) await writeFile(join(connection, key), String(value), { mode: 0o600 });
  const [port = 8080, apiPort = 8443] = await freePorts(2);
  const api = { url: `http://127.0.0.1:${apiPort}`, token: randomBytes(24).toString('base64url') };
  const tokens = join(folder, 'tokens');
  await mkdir(tokens);
  await writeFile(join(tokens, 'submit.demo'), api.token, { mode: 0o600 });
  const config = {
    namespace,
    kubeconfig,
    connections: { main: { type: 'pgBoss', folder: connection, secretName: 'main-database', injectable: true } },
    // The examples name images without a registry.
    jobDefaults: { imageRegistry: 'job-chief.local' },
    listen: `127.0.0.1:${port}`,
    httpApi: { enabled: true, listen: `127.0.0.1:${apiPort}`, tokens },
  };
  const file = join(folder, 'config.yaml');
  await writeFile(file, JSON.stringify(config, null, 2));
  return { ...(await launch(file, join(folder, 'job-chief.log'))), port, api };
}

async function launch(config: string, log: string): Promise<Pick<Controller, 'log' | 'process' | 'stop'>> {
  const { open } = await import('node:fs/promises');
  const output = await open(log, 'w');
  const child = spawn(process.execPath, [join(repository, 'src/cli/main.ts'), 'controller', '--config', config], { stdio: ['ignore', output.fd, output.fd] });
  await output.close();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  return { log, process: child, stop };
}
