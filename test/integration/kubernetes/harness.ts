/** Transport, client and reflector against an API double, on a fake clock. */
import type { JsonObject } from '../../../src/lib/json.ts';
import type { ClusterAccess } from '../../../src/adapters/kubernetes/access.ts';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import type { ClientOptions } from '../../../src/adapters/kubernetes/client.ts';
import { Reflector } from '../../../src/adapters/kubernetes/reflector.ts';
import type { ReflectorOptions } from '../../../src/adapters/kubernetes/reflector.ts';
import { jobs } from '../../../src/adapters/kubernetes/resources.ts';
import type { Change } from '../../../src/adapters/kubernetes/store.ts';
import { UndiciTransport } from '../../../src/adapters/kubernetes/undici-transport.ts';
import type { Log } from '../../../src/reconcile/ports.ts';
import { ApiDouble } from '../../support/api-double.ts';
import { FakeClock } from '../../support/fake-clock.ts';

export interface Kept {
  readonly name: string;
  readonly uid: string;
  readonly value: string;
}

/** Log lines, kept. */
export class MemoryLog implements Log {
  readonly lines: { level: string; fields: object; message: string }[] = [];
  debug = (fields: object, message: string): void => void this.lines.push({ level: 'debug', fields, message });
  info = (fields: object, message: string): void => void this.lines.push({ level: 'info', fields, message });
  warn = (fields: object, message: string): void => void this.lines.push({ level: 'warn', fields, message });
  error = (fields: object, message: string): void => void this.lines.push({ level: 'error', fields, message });
  at(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}

export function plainAccess(server: string, headers: Record<string, string> = {}): ClusterAccess {
  return { server, namespace: 'test', credentials: () => Promise.resolve({ headers, tls: {} }), forget: () => undefined };
}

export interface Harness extends AsyncDisposable {
  readonly double: ApiDouble;
  readonly clock: FakeClock;
  readonly client: KubernetesClient;
  readonly transport: UndiciTransport;
  readonly log: MemoryLog;
  /** What the reflector's handler was told: `added job-1/uid-1`. */
  readonly told: string[];
  reflector(options?: Partial<ReflectorOptions<Kept>>): Reflector<Kept>;
}

export async function startHarness(options: Partial<ClientOptions> = {}): Promise<Harness> {
  const double = await ApiDouble.start();
  const clock = new FakeClock();
  const transport = new UndiciTransport({ access: plainAccess(double.url), userAgent: 'job-chief/test' });
  const client = new KubernetesClient({ transport, clock, namespace: 'test', fieldManager: 'job-chief', limits: 'off', ...options });
  const log = new MemoryLog();
  const told: string[] = [];
  const made: Reflector<Kept>[] = [];
  return {
    double, clock, client, transport, log, told,
    reflector(more = {}) {
      const reflector = new Reflector<Kept>({
        client, clock, log,
        random: () => 0.5,
        resource: jobs,
        labelSelector: 'app=x',
        project: keep,
        onChange: (change) => told.push(describe(change)),
        ...more,
      });
      made.push(reflector);
      return reflector;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(made.map((each) => each.stop()));
      await transport.close();
      await double.stop();
    },
  };
}

function keep(raw: JsonObject): Kept {
  if (raw['poison'] === true) throw new Error('poison');
  const { name, uid } = raw['metadata'] as { name: string; uid: string };
  return { name, uid, value: JSON.stringify(raw['value']) };
}

export function describe(change: Change<Kept>): string {
  const { name, uid } = change.kind === 'deleted' ? change.before : change.after;
  return `${change.kind} ${name}/${uid}`;
}

export function object(name: string, uid: string, resourceVersion: string, more: JsonObject = {}): JsonObject {
  return { metadata: { name, uid, resourceVersion }, value: '', ...more };
}
