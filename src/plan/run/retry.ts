/** Whether a step gets another attempt, when, and with how much memory. */
import type { JsonObject } from '../../lib/json.ts';
import { formatBytes, parseQuantity, timesUp } from '../../lib/quantity.ts';
import type { RetrySpec } from '../../spec/workflow.ts';
import { memoryOf } from './memory.ts';
import type { Attempt } from './state.ts';

export type Retry =
  | { readonly kind: 'again'; /** Milliseconds since 1970. */ readonly at: number; /** Quantity, for StepJobInput. */ readonly memory?: string }
  | { readonly kind: 'over' };

const over: Retry = { kind: 'over' };

/** After the last of `attempts` has ended. `template` is the step's JobTemplateSpec, for its memory. */
export function retryAfter(retry: RetrySpec, attempts: readonly Attempt[], template: JsonObject): Retry {
  const [first] = attempts;
  const last = attempts.at(-1);
  if (!first || !last || attempts.length >= retry.attempts || !isWorthwhile(retry, last)) return over;
  const at = (last.endedAt ?? last.at) + delayAfter(retry, attempts.length);
  if (retry.within !== undefined && at > first.at + retry.within) return over;
  const memory = memoryAfter(retry, last, template);
  if (memory === 'used up') return over;
  return { kind: 'again', at, ...(memory === undefined ? {} : { memory }) };
}

/**
 * Whatever the cluster did to it (errored, never started) is always worth another attempt. Of what failed by itself the
 * exit code may say otherwise; a failure without one, such as a timeout, is worth it too.
 */
function isWorthwhile({ exitCodes, onOOM }: RetrySpec, { outcome, reason, exitCode, failedItems }: Attempt): boolean {
  if (outcome === 'errored' || outcome === 'notStarted') return true;
  if (outcome !== 'failed') return false;
  // Items of an Indexed Job have had their attempts inside of it; another Job would run those again that succeeded.
  if (failedItems !== undefined) return false;
  return (onOOM !== undefined && reason === outOfMemory) || exitCodeAllows(exitCodes, exitCode);
}

/** A failure without an exit code is always worth another attempt. */
export function exitCodeAllows(exitCodes: RetrySpec['exitCodes'], exitCode: number | undefined): boolean {
  if (exitCode === undefined || exitCodes === undefined) return true;
  return 'retry' in exitCodes ? exitCodes.retry.includes(exitCode) : !exitCodes.fail.includes(exitCode);
}

/** Milliseconds, after `ended` attempts. */
export function delayAfter({ delay, factor, maxDelay }: RetrySpec, ended: number): number {
  return delay === 0 ? 0 : Math.min(delay * factor ** (ended - 1), maxDelay);
}

/** As Kubernetes says it of a container. */
const outOfMemory = 'OOMKilled';

/** What an attempt got, the next gets at least. `used up`: it had all that it may have, and that was not enough. */
function memoryAfter({ onOOM }: RetrySpec, { memory, reason }: Attempt, template: JsonObject): string | undefined {
  if (!onOOM || reason !== outOfMemory) return memory;
  const had = memory === undefined ? memoryOf(template) : parseQuantity(memory);
  const most = parseQuantity(onOOM.maxMemory);
  // Nothing bounds the container, so it was the node that ran out: the next may be larger.
  if (had === undefined || most === undefined) return memory;
  if (had >= most) return 'used up';
  const next = timesUp(had, onOOM.factor);
  return formatBytes(next < most ? next : most);
}
