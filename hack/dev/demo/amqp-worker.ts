/**
 * A worker of RabbitMQ as teams write them: it takes the messages of QUEUE_NAME one after the other, and exits with 0 when
 * none is left. Where the server is, it learns from AMQP_* (`injectConnection: true`).
 *
 *   WORK_MS   how long one message takes (200)
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from 'rabbitmq-client';

const env = (name: string, otherwise?: string): string => {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const queue = env('QUEUE_NAME');
const connection = new Connection({
  hostname: env('AMQP_HOST'),
  port: Number(env('AMQP_PORT', '5672')),
  username: env('AMQP_USERNAME'),
  password: env('AMQP_PASSWORD'),
  vhost: env('AMQP_VHOST', '/'),
});
connection.on('error', (error) => { console.error(error); });

const stop = new AbortController();
process.once('SIGTERM', () => { stop.abort(); });

const channel = await connection.acquire();
let done = 0;
while (!stop.signal.aborted) {
  const message = await channel.basicGet(queue);
  if (!message) break;
  await sleep(Number(env('WORK_MS', '200')));
  channel.basicAck({ deliveryTag: message.deliveryTag });
  done += 1;
}
// Closing tells the server of all acknowledgements before.
await channel.close();
await connection.close();
console.log(`${queue}: ${stop.signal.aborted ? 'told to stop' : 'nothing left'} after ${done} messages`);
