/** The demo's messages that job-chief owns: a Job for each, settled by its result; one fails for good, one is no invoice at all. */
import { join } from 'node:path';
import { repository } from '../cluster/paths.ts';
import { namespace } from './installation.ts';
import type { Kubectl } from './kubectl.ts';
import type { Producer } from './messages.ts';
import { showStatus } from './runs.ts';
import { command, headline, say } from './say.ts';

export const invoiceQueues = ['invoices', 'invoices-dead'] as const;
const file = 'hack/dev/demo/invoices.yaml';
const bodies = [...Array.from({ length: 6 }, (_, index) => ({ invoice: `f-${index + 1}` })), { invoice: 'wrong' }, { amount: 12 }];
const dead = 2;

export interface InvoicesOptions {
  readonly kubectl: Kubectl;
  readonly producer: Producer;
  /** Throws when it must not go on. */
  readonly check: () => void;
}

export async function showInvoices({ kubectl, producer, check }: InvoicesOptions): Promise<void> {
  headline(`A Job for each of ${bodies.length} messages: the exit code settles it`);
  command(`kubectl apply -n ${namespace} -f ${file}`);
  console.log(kubectl.run('apply', '-n', namespace, '-f', join(repository, file)).trim());
  await producer.sendBodies('invoices', bodies);
  await untilSettled(producer, check);
  command(`kubectl get jobs -n ${namespace} -l job-chief/name=invoices -L job-chief/attempt`);
  console.log(kubectl.show('get', 'jobs', '-n', namespace, '-l', 'job-chief/name=invoices', '-L', 'job-chief/attempt').trim());
  command("psql -c 'SELECT name, state, data, COALESCE(output, source_output) FROM pgboss.job'");
  for (const row of await producer.results(invoiceQueues)) console.log(row);
  showStatus(kubectl, 'invoices', '--messages');
}

async function untilSettled(producer: Producer, check: () => void): Promise<void> {
  const end = performance.now() + 180_000;
  let said = '';
  for (;;) {
    check();
    const [own, buried] = [await producer.depths('invoices'), await producer.depths('invoices-dead')];
    const line = `${own.waiting} wait, ${own.active} in hand, ${own.completed} settled, ${buried.waiting} of them in the dead-letter queue`;
    if (line !== said) say(line);
    said = line;
    if (own.completed === bodies.length && buried.waiting === dead) return;
    if (performance.now() > end) throw new Error(`after three minutes: ${line}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
