/** Who asks: a bearer token, a client certificate, or, for pages that a browser opens, a token as a password. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiProblem } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import { includes, type Caller, type Role } from './role.ts';
import { certificateCaller } from './tls.ts';
import type { Tokens } from './tokens.ts';

export interface AuthenticationDeps {
  readonly tokens: Pick<Tokens, 'find'>;
  readonly clients: Readonly<Record<string, Role>>;
  readonly limit: RateLimit;
}

export interface Presented {
  readonly headers: Pick<IncomingHttpHeaders, 'authorization'>;
  readonly socket: object;
  /** A token counts as the password of Basic as well: browsers can send nothing else. Only for what changes nothing. */
  readonly basic: boolean;
}

/** Requests that show nothing share one bucket: there is no name to count them under, and nothing for them to have. */
const anonymous = '';

/** The caller; throws ApiProblem: 401, or 429 for one that asks too often. */
export async function authenticate({ tokens, clients, limit }: AuthenticationDeps, { headers, socket, basic }: Presented): Promise<Caller> {
  const token = tokenIn(headers.authorization, basic);
  const caller = token === undefined ? certificateCaller(socket, clients) : await tokens.find(token);
  const wait = limit.take(caller === undefined ? anonymous : `${caller.role} ${caller.name}`);
  if (wait !== undefined) throw new ApiProblem(429, 'TooManyRequests', `more requests than ${caller === undefined ? 'callers without a token' : `"${caller.name}"`} may make; try again in ${Math.ceil(wait)} s`, { retryAfter: wait });
  if (caller === undefined) throw unauthorized(token !== undefined, basic);
  return caller;
}

/** Throws 403 where the caller's role is too small. */
export function authorize(caller: Caller, needed: Role): void {
  if (includes(caller.role, needed)) return;
  throw new ApiProblem(403, 'Forbidden', `"${caller.name}" has the role ${caller.role}; this needs ${needed}`, { more: { role: needed } });
}

function unauthorized(hasToken: boolean, basic: boolean): ApiProblem {
  const challenge = `Bearer realm="job-chief"${hasToken ? ', error="invalid_token"' : ''}`;
  const detail = hasToken ? 'the token is not known' : 'a token is needed: Authorization: Bearer TOKEN';
  return new ApiProblem(401, 'Unauthorized', detail, { headers: { 'www-authenticate': basic ? `${challenge}, Basic realm="job-chief", charset="UTF-8"` : challenge } });
}

function tokenIn(header: string | undefined, basic: boolean): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)\s*$/.exec(header ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (!basic || scheme.toLowerCase() !== 'basic') return header === undefined ? undefined : '';
  const text = Buffer.from(value, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
