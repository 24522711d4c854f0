/**
 * A kubelet without containers, for machines where none can run: each pod is a process of this machine that runs its
 * command, or the demo's worker, with the pod's own env. Only what the demo needs: one container, env by value and by
 * secretKeyRef, the termination message.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputEnv } from '../../../src/spec/keys.ts';
import type { Kubectl } from './kubectl.ts';

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
}
interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly Container[] };
  readonly status?: { readonly phase?: string };
}

export interface ProcessKubeletOptions {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  /** What every image without a command is taken for, but those that do not exist. */
  readonly worker: string;
}

export class ProcessKubelet {
  readonly #options: ProcessKubeletOptions;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'job-chief-demo-pods-'));
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProcessKubeletOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => { this.#look(); }, 300);
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const child of this.#processes.values()) {
      // Nobody wants to hear of its end any more.
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
    }
    rmSync(this.#folder, { recursive: true, force: true });
    return Promise.resolve();
  }

  #look(): void {
    const { kubectl, namespace } = this.#options;
    const { items } = JSON.parse(kubectl.run('get', 'pods', '-n', namespace, '-o', 'json')) as { items: Pod[] };
    for (const pod of items) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#remove(pod);
      else if ((pod.status?.phase ?? 'Pending') === 'Pending' && !this.#processes.has(pod.metadata.name)) this.#run(pod);
    }
  }

  #run(pod: Pod): void {
    const [container] = pod.spec.containers;
    if (!container) return;
    if (container.image.includes('does-not-exist')) {
      const waiting = { reason: 'ImagePullBackOff', message: `Back-off pulling image "${container.image}"` };
      this.#status(pod, { phase: 'Pending', containerStatuses: [{ ...blank(container), state: { waiting } }] });
      return;
    }
    const startedAt = new Date().toISOString();
    const env = Object.fromEntries((container.env ?? []).map((one) => [one.name, this.#value(one)]));
    const said = join(this.#folder, pod.metadata.name);
    writeFileSync(said, '');
    const [program = process.execPath, ...args] = container.command ? [...container.command, ...(container.args ?? [])] : [process.execPath, this.#options.worker];
    const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env, ...(outputEnv in env && { [outputEnv]: said }) }, stdio: 'ignore' });
    this.#processes.set(pod.metadata.name, child);
    this.#status(pod, { phase: 'Running', startTime: startedAt, containerStatuses: [{ ...blank(container), ready: true, started: true, state: { running: { startedAt } } }] });
    child.on('exit', (code) => {
      const message = readFileSync(said, 'utf8');
      const terminated = { exitCode: code ?? 137, reason: code === 0 ? 'Completed' : 'Error', ...(message !== '' && { message }), startedAt, finishedAt: new Date().toISOString() };
      this.#status(pod, { phase: code === 0 ? 'Succeeded' : 'Failed', containerStatuses: [{ ...blank(container), state: { terminated } }] });
    });
  }

  #remove(pod: Pod): void {
    this.#processes.get(pod.metadata.name)?.kill('SIGKILL');
    this.#options.kubectl.show('delete', 'pod', pod.metadata.name, '-n', this.#options.namespace, '--force', '--grace-period=0');
  }

  #value({ value, valueFrom }: EnvVar): string {
    const ref = valueFrom?.secretKeyRef;
    if (!ref) return value ?? '';
    const encoded = this.#options.kubectl.run('get', 'secret', ref.name, '-n', this.#options.namespace, '-o', `jsonpath={.data.${ref.key.replaceAll('.', '\\.')}}`);
    return Buffer.from(encoded, 'base64').toString('utf8');
  }

  #status(pod: Pod, status: object): void {
    this.#options.kubectl.show('patch', 'pod', pod.metadata.name, '-n', this.#options.namespace, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
  }
}

function blank({ name, image }: Container): object {
  return { name, image, imageID: '', ready: false, restartCount: 0 };
}
