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

  async sendBodies(queue: string, bodies: readonly object[]): Promise<void> {
    await this.#boss.insert(queue, bodies.map((data) => ({ data })));
  }

  /** One line for each message of the queues: what it was, and what came of it. */
  async results(queues: readonly string[]): Promise<readonly string[]> {
    const answer: unknown = await this.#boss.getDb().executeSql('SELECT name, state::text, data::text, COALESCE(output, source_output)::text AS output FROM pgboss.job WHERE name = ANY ($1::text[]) ORDER BY name, created_on, data::text', [queues]);
    const { rows } = answer as { rows: { name: string; state: string; data: string; output: string | null }[] };
    return rows.map(({ name, state, data, output }) => [name.padEnd(14), state.padEnd(10), data.padEnd(24), output ?? ''].join(' ').trimEnd());
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
