/** The URL that is called before a Job or a run goes: how users write it, and which of them the operator allows. */
import { Type, type TObject, type TOptional, type TString } from 'typebox';
import { shown } from '../lib/show.ts';
import { duration, subdomainMessage, subdomainPattern } from './schema-fields.ts';
import type { Finding } from './report.ts';

/** `what`: Job, run. */
export function beforeDeleteField(what: string): TOptional<TObject<{ url: TString; timeout: TOptional<TString>; headersFromSecret: TOptional<TString> }>> {
  return Type.Optional(
    Type.Object(
      {
        url: Type.String({ description: 'Where to: http or https, below one of the prefixes that the operator allows.', pattern: '^https?://[^\\s]+$', maxLength: 2_048, errorMessage: 'must be a URL that begins with https:// or http://' }),
        timeout: duration({ description: 'How long one call may take.', default: '10s', min: '1s', max: '1m' }),
        headersFromSecret: Type.Optional(Type.String({ description: 'Name of a Secret of headers that the operator has mounted for this.', minLength: 1, maxLength: 253, pattern: subdomainPattern, errorMessage: subdomainMessage })),
      },
      { additionalProperties: false, description: `A URL that is called (POST, JSON) before retention deletes a ${what}, at least once, until it answers with 2xx; until then the ${what} stays. Only where the operator allows it.` },
    ),
  );
}

/**
 * Whether the URL stands at or below one of the prefixes: same scheme, host and port, and a path that begins with all of the
 * prefix's. Never one with a user in it, or with slashes that only some servers see.
 */
export function isAllowedUrl(url: string, prefixes: readonly string[]): boolean {
  const target = URL.parse(url);
  if (!target || !/^https?:$/.test(target.protocol) || target.username !== '' || target.password !== '' || /%(2f|5c|00|2e)/i.test(url)) return false;
  return prefixes.some((prefix) => isBelow(target, URL.parse(prefix)));
}

function isBelow(target: URL, prefix: URL | null): boolean {
  if (prefix?.origin !== target.origin) return false;
  const path = prefix.pathname.replace(/\/+$/, '');
  return target.pathname === path || target.pathname.startsWith(`${path}/`);
}

/** Of a spec whose URL the operator does not allow: it is valid, but nothing of it would ever be deleted. */
export function beforeDeleteFindings(url: string, prefixes: readonly string[]): Finding[] {
  if (isAllowedUrl(url, prefixes)) return [];
  const hint = prefixes.length === 0 ? 'remove beforeDelete: the operator has not allowed any URL (beforeDelete.urlPrefixes of the configuration)' : `use a URL below ${prefixes.join(' or ')}`;
  return [{ code: 'UrlNotAllowed', message: `the operator does not allow ${shown(url)}, so nothing would ever be deleted`, path: ['beforeDelete', 'url'], hint }];
}
