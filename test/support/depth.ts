/** The whole chain from connection folders to depth, as main builds it. */
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { Connections } from '../../src/adapters/queues/connections.ts';
import { Databases } from '../../src/adapters/queues/databases.ts';
import { PgBossDepth } from '../../src/adapters/queues/pg-boss.ts';
import type { DepthAnswer, Log } from '../../src/reconcile/ports.ts';
import type { ConnectionDefinition } from '../../src/spec/connection.ts';
import { pgBossSource } from './sources.ts';

export interface DepthChain {
  readonly connections: Connections;
  readonly databases: Databases;
  readonly probe: PgBossDepth;
  /** Everything that was logged, as JSON lines. */
  readonly lines: string[];
  ask(queue: string, options?: { schema?: string; connection?: string; upTo?: number }): Promise<DepthAnswer>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function aDefinition(folder: string, changes: Partial<ConnectionDefinition> = {}): ConnectionDefinition {
  return { type: 'pgBoss', folder, secretName: undefined, injectable: false, keys: {}, ...changes };
}

export function collectingLog(lines: string[]): Log {
  const write = (fields: object, message: string): void => void lines.push(JSON.stringify({ ...fields, message }));
  return { debug: write, info: write, warn: write, error: write };
}

/** `folders` by connection name. */
export function depthChain(folders: Readonly<Record<string, string>>, clock: Clock = systemClock): DepthChain {
  const lines: string[] = [];
  const log = collectingLog(lines);
  const connections = new Connections({ definitions: new Map(Object.entries(folders).map(([name, folder]) => [name, aDefinition(folder)])), clock, log });
  const databases = new Databases({ connections, clock });
  const probe = new PgBossDepth({ databases, clock, log });
  const never = new AbortController().signal;
  return {
    connections,
    databases,
    probe,
    lines,
    ask: (queue, { schema, connection = 'main', upTo = 1_000 } = {}) => probe.depth({ source: pgBossSource(queue, { connection, schema }), upTo }, never),
    [Symbol.asyncDispose]: () => databases.close(),
  };
}
