/** Desired and observed → what to do. Pure and synchronous: the same input gives the same plan, on any machine. */
import type { Plan } from './action.ts';
import type { PlanEnvironment } from './environment.ts';
import { planLimits } from './limits/plan-limits.ts';
import type { Observed } from './observed.ts';
import { planQueue } from './queue.ts';
import { planUnknown } from './unknown.ts';

/** `now`: milliseconds since 1970 by this process's clock. */
export function plan(observed: Observed, environment: PlanEnvironment, now: number): Plan {
  switch (observed.key.kind) {
    case 'queue':
      return planQueue(observed, environment, now);
    case 'limits':
      return planLimits(observed, now);
    // Others have plans of their own: plan/workflow for workflows and templates, plan/run for their runs.
    case 'workflow':
    case 'template':
    case 'request':
    case 'run':
    case 'unknown':
      return planUnknown(observed, now);
  }
}
