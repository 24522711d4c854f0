/**
 * Tries a connection step by step, from the folder to what job-chief does with it, and says for each what works and what
 * is missing. A later step runs only where the one before worked.
 */
import { checkAmqp } from './amqp/check.ts';
import { checkPgBoss } from './check-pg-boss.ts';
import type { CheckOptions, CheckResult } from './check-steps.ts';
import { checkSqs } from './sqs/check.ts';

/** Yields the result of each step. */
export function checkConnection(options: CheckOptions): AsyncGenerator<CheckResult> {
  switch (options.definition.type) {
    case 'pgBoss':
      return checkPgBoss(options);
    case 'amqp':
      return checkAmqp(options);
    case 'sqs':
      return checkSqs(options);
  }
}
