/** What goes wrong with the source of a pg-boss queue, in the words of its state. */
import type { SourceProblem } from '../../../plan/messages/message.ts';
import { asError } from '../../../lib/clock.ts';
import { DatabaseError, quoted } from '../database-error.ts';

export class SourceError extends Error {
  readonly reason: SourceProblem;

  constructor(reason: SourceProblem, message: string) {
    super(message);
    this.name = 'SourceError';
    this.reason = reason;
  }
}

export interface Problem {
  readonly reason: SourceProblem;
  readonly message: string;
}

/** Anything that was thrown by us, by the library or by the database. `role` and `schema`: for the statement that grants a missing right. */
export function problemOf(thrown: unknown, { role, schema }: { readonly role: string; readonly schema: string } | Record<'role' | 'schema', undefined> = { role: undefined, schema: undefined }): Problem {
  const error = asError(thrown);
  if (error instanceof SourceError) return { reason: error.reason, message: error.message };
  if (error instanceof DatabaseError) {
    const grant = role === undefined ? undefined : grantFor(error, schema, role);
    return { reason: error.problem, message: grant === undefined ? error.message : `${error.message}; missing: ${grant}` };
  }
  if (/^Queue .* does not exist$/.test(error.message)) return { reason: 'QueueNotFound', message: error.message };
  // The library asserts what it takes for a name, and for options.
  if ('code' in error && error.code === 'ERR_ASSERTION') return { reason: 'QueueRefused', message: `pg-boss does not take this queue: ${error.message}` };
  return { reason: 'QueueUnreachable', message: error.message };
}

/** The schema is not as it was learnt: migrated, dropped, made again. */
export function isStale(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && structural.has(thrown.code);
}

const structural: ReadonlySet<string | undefined> = new Set(['42703', '42P01', '3F000', '42883', '0A000']);

function grantFor({ code, message }: DatabaseError, schema: string, role: string): string | undefined {
  if (code !== '42501') return undefined;
  const table = /permission denied for (?:table|relation) (\S+)/.exec(message)?.[1];
  if (table !== undefined) return `GRANT ${table === 'version' || table === 'queue' ? 'SELECT' : 'SELECT, INSERT, UPDATE, DELETE'} ON ${schema}.${quoted(table)} TO ${quoted(role)};`;
  return message.includes('for schema') ? `GRANT USAGE ON SCHEMA ${schema} TO ${quoted(role)};` : undefined;
}
