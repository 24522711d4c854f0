/** Sources of Queues, as specs name them. */
import type { PgBossSource } from '../../src/spec/queue-source.ts';

export function pgBossSource(queue: string, { connection = 'main', schema }: { readonly connection?: string; readonly schema?: string | undefined } = {}): PgBossSource {
  return { type: 'pgBoss', connection, queue, schema };
}
