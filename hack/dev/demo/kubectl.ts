/** kubectl against one cluster, named explicitly: the user's own context is never touched. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { kubectlPath } from '../cluster/binaries.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string }[];
}

export class Kubectl {
  readonly kubeconfig: string;

  constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
  }

  /** Its standard output; throws with what it said. */
  run(...args: string[]): string {
    return this.#run(args);
  }

  /** For reports: what it prints, also when it fails. */
  show(...args: string[]): string {
    const ran = spawnSync(kubectlPath(), ['--kubeconfig', this.kubeconfig, ...args], { encoding: 'utf8' });
    return `${ran.stdout}${ran.stderr}`;
  }

  apply(manifest: object): void {
    this.#run(['apply', '-f', '-'], JSON.stringify(manifest));
  }

  /** A kubeconfig for the same cluster with another identity. */
  configFor(token: string, namespace: string): string {
    const config = parse(readFileSync(this.kubeconfig, 'utf8')) as Kubeconfig;
    const cluster = config.clusters[0]?.name ?? '';
    return stringify({ ...config, users: [{ name: 'job-chief', user: { token } }], contexts: [{ name: 'job-chief', context: { cluster, user: 'job-chief', namespace } }], 'current-context': 'job-chief' });
  }

  #run(args: readonly string[], input?: string): string {
    const ran = spawnSync(kubectlPath(), ['--kubeconfig', this.kubeconfig, ...args], { encoding: 'utf8', ...(input === undefined ? {} : { input }) });
    if (ran.error) throw ran.error;
    if (ran.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ran.stderr.trim()}`);
    return ran.stdout;
  }
}
