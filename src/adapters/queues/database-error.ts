/** What goes wrong with a database, in the words that a spec's status can carry. */
import type { DepthProblem } from '../../plan/observed.ts';
import { codeOf, messageOf, withoutSecret } from './error-text.ts';
import type { PgBossSettings } from './pg-boss-settings.ts';

export class DatabaseError extends Error {
  readonly problem: DepthProblem;
  /** SQLSTATE, or the code of the network or of TLS; undefined where there is none. */
  readonly code: string | undefined;

  constructor(problem: DepthProblem, message: string, code?: string) {
    super(message);
    this.name = 'DatabaseError';
    this.problem = problem;
    this.code = code;
  }
}

/** An error of the driver while logging in or asking, explained; passwords never come out, whatever the server echoes. */
export function explain(error: unknown, settings: PgBossSettings): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  const [problem, text] = bySqlState(code, message, settings) ?? byNetwork(code, message, settings);
  return new DatabaseError(problem, withoutSecret(text, settings.password), code);
}

type Explanation = readonly [problem: DepthProblem, text: string];

/** What the server answered, by its five-letter code. */
function bySqlState(code: string | undefined, message: string, settings: PgBossSettings): Explanation | undefined {
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code)) return undefined;
  if (code.startsWith('28')) return ['QueueForbidden', `the database refuses the login: ${message}`];
  if (code === '42501') return ['QueueForbidden', `${message}${missingConnect(message, settings)}`];
  if (code === '3D000') return ['QueueNotFound', `there is no database "${settings.database}"`];
  if (code === '57014') return ['QueueUnreachable', 'the database did not answer within five seconds'];
  const problem = structural.get(code);
  return problem === undefined ? ['QueueUnreachable', `the database answers: ${message} (${code})`] : [problem, message];
}

/** Schema, table, column, function or enum value are not there. */
const structural: ReadonlyMap<string, DepthProblem> = new Map([
  ['3F000', 'QueueNotFound'],
  ['42P01', 'QueueNotFound'],
  ['42703', 'QueueUnsupported'],
  ['42883', 'QueueUnsupported'],
  ['22P02', 'QueueUnsupported'],
]);

function missingConnect(message: string, { database, user }: PgBossSettings): string {
  return message.includes('for database') ? `; missing: GRANT CONNECT ON DATABASE ${quoted(database)} TO ${quoted(user)};` : '';
}

/** Errors of Node and of the driver itself. */
function byNetwork(code: string | undefined, message: string, settings: PgBossSettings): Explanation {
  const where = `${settings.host}:${settings.port}`;
  if (/client password must be/.test(message)) return ['QueueForbidden', 'the database asks for a password, and the connection has none'];
  if (/does not support SSL/.test(message)) return ['QueueUnreachable', `${where} does not offer TLS, which the connection asks for`];
  if (isCertificateProblem(code)) return ['QueueUnreachable', `the certificate of ${where} was not accepted: ${message}`];
  if (code?.includes('ALERT') === true) return ['QueueForbidden', `${where} does not accept our certificate: ${message}`];
  if (code?.startsWith('ERR_OSSL') === true) return ['QueueUnreachable', `the certificates of the connection cannot be used: ${message}`];
  switch (code) {
    case 'ECONNREFUSED':
      return ['QueueUnreachable', `${where} refuses connections`];
    case 'ENOTFOUND':
      return ['QueueUnreachable', `there is no host ${settings.host}`];
    case 'EAI_AGAIN':
      return ['QueueUnreachable', `the name ${settings.host} cannot be looked up now`];
    default:
      return ['QueueUnreachable', /timeout/i.test(message) ? `${where} did not answer in time` : `${where}: ${message}`];
  }
}

function isCertificateProblem(code: string | undefined): boolean {
  return code !== undefined && (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code) && !code.includes('ALERT'));
}

/** An identifier as SQL needs it: plain where that is enough. */
export function quoted(identifier: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`;
}
