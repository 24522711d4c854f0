/**
 * A worker as teams write them: a pg-boss client that fetches the messages of QUEUE_NAME for itself, and exits with 0
 * when none is left. Where the database is, it learns from DB_* (`injectConnection: true`).
 *
 *   WORK_MS      how long one message takes (200)
 *   BATCH_SIZE   messages fetched at once (1)
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';

const env = (name: string, otherwise?: string): string => {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const queue = env('QUEUE_NAME');
const boss = new PgBoss({
  host: env('DB_HOST'),
  port: Number(env('DB_PORT', '5432')),
  user: env('DB_USERNAME'),
  password: env('DB_PASSWORD'),
  database: env('DB_NAME'),
  schema: env('DB_SCHEMA', 'pgboss'),
  max: 2,
  // The owner of the database does these; a worker only works.
  migrate: false,
  supervise: false,
  schedule: false,
});
boss.on('error', (error) => { console.error(error.message); });

const stop = new AbortController();
process.once('SIGTERM', () => { stop.abort(); });

await boss.start();
let done = 0;
for (;;) {
  const messages = stop.signal.aborted ? [] : await boss.fetch(queue, { batchSize: Number(env('BATCH_SIZE', '1')) });
  if (messages.length === 0) break;
  for (const { id, data } of messages) {
    await sleep(Number(env('WORK_MS', '200')));
    await boss.complete(queue, id);
    done += 1;
    console.log(`${queue}: ${id} ${JSON.stringify(data)} done`);
  }
}
await boss.stop({ graceful: false });
console.log(`${queue}: ${stop.signal.aborted ? 'told to stop' : 'nothing left'} after ${done} messages`);
