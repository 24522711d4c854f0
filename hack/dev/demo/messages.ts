/** The producer's side: real pg-boss queues and messages, and what has become of them. */
import { PgBoss } from 'pg-boss';

export interface Depths {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
}

export class Producer {
  readonly #boss: PgBoss;

  constructor(url: string) {
    this.#boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
    this.#boss.on('error', (error) => { console.error(`pg-boss: ${error.message}`); });
  }

  async start(queues: readonly string[]): Promise<void> {
    await this.#boss.start();
    // notify: job-chief hears of a message within milliseconds instead of at its next look.
    for (const queue of queues) await this.#boss.createQueue(queue, { notify: true });
  }

  async send(queue: string, count: number): Promise<void> {
    await this.#boss.insert(queue, Array.from({ length: count }, (_, index) => ({ data: { number: index + 1 } })));
  }

  async depths(queue: string): Promise<Depths> {
    const answer: unknown = await this.#boss.getDb().executeSql('SELECT state::text, count(*)::int FROM pgboss.job WHERE name = $1 GROUP BY state', [queue]);
    const { rows } = answer as { rows: { state: string; count: number }[] };
    const count = (...states: string[]): number => rows.filter((row) => states.includes(row.state)).reduce((sum, row) => sum + row.count, 0);
    return { waiting: count('created', 'retry'), active: count('active'), completed: count('completed') };
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false });
  }
}
