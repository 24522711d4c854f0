/** GET /openapi.json and /docs: the document of this API, for programs and for people. */
import type { JsonObject } from '../../../lib/json.ts';
import { lazy } from '../../../lib/lazy.ts';
import { docsPage, pagePolicy } from './docs-page.ts';
import { openApi, type DocumentOptions } from './openapi.ts';
import { anything } from './fields.ts';
import { rawJson, route, type Route } from './route.ts';

/** With routes that show all of them, themselves included. */
export function withDocument(routes: readonly Route[], options: DocumentOptions): readonly Route[] {
  const document: () => JsonObject = lazy(() => openApi(all, options));
  const page = lazy(() => docsPage(document()));
  const all: readonly Route[] = [...routes, documentRoute(document), pageRoute(page)];
  return all;
}

const login = 'A browser may send the token as a password, with any name.';

function documentRoute(document: () => JsonObject): Route {
  return route({
    method: 'GET',
    path: '/openapi.json',
    id: 'getDocument',
    tag: 'about',
    summary: 'This document',
    description: login,
    role: 'read',
    page: true,
    answers: { 200: { description: 'OpenAPI 3.1.', schema: anything('OpenAPI 3.1.') } },
    handle: () => rawJson(document()),
  });
}

function pageRoute(page: () => string): Route {
  return route({
    method: 'GET',
    path: '/docs',
    id: 'getDocsPage',
    tag: 'about',
    summary: 'This document, for people',
    description: login,
    role: 'read',
    page: true,
    answers: { 200: { description: 'A page without scripts, and without anything from elsewhere.', types: ['text/html'] } },
    handle: () => ({ status: 200, body: page(), type: 'text/html; charset=utf-8', headers: { 'content-security-policy': pagePolicy, 'referrer-policy': 'no-referrer' } }),
  });
}
