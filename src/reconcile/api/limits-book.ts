/** The limits of the instance for whoever looks at them, on every replica: only the one that leads keeps them for itself. */
import { effectiveLimits } from '../../plan/limits/effective.ts';
import type { Shortage } from '../../plan/limits/room.ts';
import type { LimitFields } from '../../spec/limits.ts';
import type { ApiLimits, ApiSpecs } from '../api-ports.ts';
import type { Capacity } from '../capacity/capacity.ts';

export interface LimitsBookDeps {
  readonly specs: Pick<ApiSpecs, 'all'>;
  /** Counts what is live, whoever leads. */
  readonly capacity: Pick<Capacity, 'shortageUnder'>;
  /** The operator's own. */
  readonly ceilings: LimitFields;
}

export class LimitsBook implements ApiLimits {
  readonly #deps: LimitsBookDeps;

  constructor(deps: LimitsBookDeps) {
    this.#deps = deps;
  }

  shortage(group: string | undefined): Shortage | undefined {
    const { specs, capacity, ceilings } = this.#deps;
    const all = specs.all().filter(({ kind }) => kind === 'limits');
    const claims = [...Map.groupBy(all, ({ name }) => name).values()].map((of) => of.map(({ claim }) => claim));
    return capacity.shortageUnder(effectiveLimits(claims, ceilings), group);
  }
}
