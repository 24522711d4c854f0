/**
 * Calls a URL before something is deleted. Only below the prefixes that the operator allows, and never further: redirects
 * are not followed, no answer is read but its status, and no proxy or cookie is used.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { asError } from '../../lib/clock.ts';
import type { CallDemand } from '../../plan/action.ts';
import type { CallAnswer, DeletionHook } from '../../reconcile/ports.ts';
import { isAllowedUrl } from '../../spec/before-delete.ts';
import { subdomainPattern } from '../../spec/schema-fields.ts';

export interface HttpHookOptions {
  readonly urlPrefixes: readonly string[];
  /** Each sub-folder is a set of headers, one file for each: a mounted Secret. */
  readonly headersFolder: string | undefined;
  readonly version: string;
}

export class HttpHook implements DeletionHook {
  readonly #options: HttpHookOptions;
  readonly #agent = new Agent({ pipelining: 1, connections: 8, keepAliveTimeout: 10_000 });

  constructor(options: HttpHookOptions) {
    this.#options = options;
  }

  async call(demand: CallDemand): Promise<CallAnswer> {
    const { urlPrefixes, version } = this.#options;
    if (!isAllowedUrl(demand.url, urlPrefixes)) return failed(urlPrefixes.length === 0 ? 'the operator has allowed no URL (beforeDelete.urlPrefixes)' : 'the operator does not allow that URL (beforeDelete.urlPrefixes)');
    try {
      const own = { 'content-type': 'application/json', 'user-agent': `job-chief/${version}`, 'idempotency-key': demand.id };
      const headers = { ...this.#headers(demand.headersFromSecret), ...own };
      const answer = await request(demand.url, { method: 'POST', headers, body: JSON.stringify({ id: demand.id, ...demand.body }), dispatcher: this.#agent, signal: AbortSignal.timeout(demand.timeout) });
      // What it says is nobody's business: a status could otherwise be made to show what only this pod can reach.
      await answer.body.dump({ limit: 65_536, signal: AbortSignal.timeout(demand.timeout) }).catch(() => undefined);
      return verdict(answer.statusCode);
    } catch (error) {
      return failed(reason(asError(error), demand.timeout));
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Read for each call: Secrets are renewed under a running process. */
  #headers(name: string | undefined): Record<string, string> {
    if (name === undefined) return {};
    const { headersFolder } = this.#options;
    if (headersFolder === undefined) throw new HeadersError('the operator has mounted no headers (beforeDelete.headersFolder)');
    if (!new RegExp(subdomainPattern).test(name)) throw new HeadersError('that is no name of a Secret');
    try {
      const folder = join(headersFolder, name);
      const files = readdirSync(folder).filter((file) => /^[A-Za-z0-9-]+$/.test(file) && !reserved.has(file.toLowerCase()));
      return Object.fromEntries(files.map((file) => [file.toLowerCase(), readFileSync(join(folder, file), 'utf8').trim()]));
    } catch {
      throw new HeadersError(`the headers "${name}" cannot be read`);
    }
  }
}

/** Those that say where a request goes and where it ends. */
const reserved: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'content-type', 'transfer-encoding', 'upgrade', 'expect', 'te', 'trailer', 'keep-alive', 'idempotency-key']);

class HeadersError extends Error {}

function verdict(status: number): CallAnswer {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  return failed(status >= 300 && status < 400 ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`);
}

function failed(message: string): CallAnswer {
  return { kind: 'failed', message };
}

/** Never with a header in it. */
function reason(error: Error, timeout: number): string {
  if (error instanceof HeadersError) return error.message;
  if (error.name === 'TimeoutError') return `no answer within ${timeout / 1000} s`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code === undefined ? 'the call could not be made' : `the call could not be made: ${code}`;
}
