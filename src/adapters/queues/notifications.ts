/**
 * Wakes by LISTEN: pg-boss 12 sends a NOTIFY when a job is inserted that is runnable at once, for queues made with
 * `notify: true`. A hint and no more: what is missed is found by the next poll, and where nothing is ever sent (older
 * versions, poolers in transaction mode, standbys) nothing is lost but one idle session.
 */
import type { WakeSource } from '../../reconcile/ports.ts';
import type { QueueSource } from '../../spec/queue-source.ts';
import { NotificationLine, type NotificationDeps } from './notification-line.ts';

export class Notifications implements WakeSource {
  readonly #deps: NotificationDeps;
  readonly #lines = new Map<string, NotificationLine>();
  readonly #ending = new Set<Promise<void>>();

  constructor(deps: NotificationDeps) {
    this.#deps = deps;
  }

  /**
   * Wakes come for this queue until the returned function is called; the schema comes back as it was given. A session is
   * held for each connection and schema that somebody is interested in.
   */
  interest(source: QueueSource): () => void {
    if (source.type !== 'pgBoss') return () => undefined;
    const { connection, schema, queue } = source;
    const key = JSON.stringify([connection, schema ?? null]);
    const line = this.#lines.get(key) ?? new NotificationLine(this.#deps, connection, schema);
    this.#lines.set(key, line);
    line.add(queue);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      line.remove(queue);
      if (!line.idle || this.#lines.get(key) !== line) return;
      this.#lines.delete(key);
      this.#end(line);
    };
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    for (const line of this.#lines.values()) this.#end(line);
    this.#lines.clear();
    await Promise.all(this.#ending);
  }

  #end(line: NotificationLine): void {
    const ended = line.close().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}
