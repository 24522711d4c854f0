/** Who goes first where Jobs, or runs, wait. */
import type { Concurrency } from '../../spec/common.ts';
import type { RunRequest } from '../run/record.ts';

/** That of the request, else that of its spec, else 0. */
export function priorityOf({ concurrency }: { readonly concurrency: Concurrency }, request?: RunRequest): number {
  return request?.priority ?? concurrency.priority ?? 0;
}
