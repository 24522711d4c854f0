/** The connections with all RabbitMQs, shared by what leases messages and what counts them. */
import { AmqpLink, type LinkDeps, type LinkPlace } from './link.ts';

export class AmqpLinks {
  readonly #deps: LinkDeps;
  readonly #links = new Map<string, AmqpLink>();

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  /** The one connection for a place. Nothing is opened before it is asked for. */
  link(place: LinkPlace): AmqpLink {
    const key = JSON.stringify([place.connection, place.vhost ?? null, place.purpose]);
    const link = this.#links.get(key) ?? new AmqpLink(this.#deps, place);
    this.#links.set(key, link);
    return link;
  }

  /** Ends them all; what is unacknowledged goes back to its queue. */
  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }
}
