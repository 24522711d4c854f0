/** Whether a step gets another attempt, when, and with how much memory. */
import type { JsonObject } from '../../lib/json.ts';
import type { RetrySpec } from '../../spec/workflow.ts';
import type { Attempt } from './state.ts';

export type Retry =
  | { readonly kind: 'again'; /** Milliseconds since 1970. */ readonly at: number; /** Quantity, for StepJobInput. */ readonly memory?: string }
  | { readonly kind: 'over' };

/** After the last of `attempts` has ended. `template` is the step's JobTemplateSpec, for its memory. */
export function retryAfter(_retry: RetrySpec, _attempts: readonly Attempt[], _template: JsonObject): Retry {
  return { kind: 'over' };
}
