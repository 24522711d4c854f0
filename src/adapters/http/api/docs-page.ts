/** The document of the API as a page: without scripts, and without anything from elsewhere. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../lib/json.ts';
import { arrayAt, isObject, objectAt } from '../../../lib/json.ts';
import { textIn } from './openapi.ts';

const style = `
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem 1.5rem 4rem;color:#1b1f24;background:#fff}
h1{margin-bottom:0}h2{margin-top:2.5rem;border-bottom:1px solid #d0d7de}code,pre{font:14px/1.45 ui-monospace,monospace;background:#f6f8fa;border-radius:4px}
code{padding:.1em .3em}pre{padding:.8rem;overflow-x:auto}details{border:1px solid #d0d7de;border-radius:6px;margin:.6rem 0;padding:.5rem .9rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:3.2rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eaeef2}
.role{float:right;color:#57606a}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}code,pre{background:#161b22}details,h2,td,th{border-color:#30363d}.role{color:#8d96a0}a{color:#4493f8}}
`;

/** What the page needs from the browser: its own style, and nothing else. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The whole page. */
export function docsPage(document: JsonObject): string {
  const info = objectAt(document, 'info');
  const sections = arrayAt(document, 'tags').map((tag) => section(document, textIn(tag, 'name'), textIn(tag, 'description')));
  const schemas = Object.entries(objectAt(objectAt(document, 'components'), 'schemas'));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(textIn(info, 'title'))} API</title><style>${style}</style></head><body>
<h1>${escaped(textIn(info, 'title'))} API</h1><p>${escaped(textIn(info, 'version'))} · <a href="openapi.json">openapi.json</a></p>
<p>${prose(textIn(info, 'summary'))} ${prose(textIn(info, 'description'))}</p>
${sections.join('\n')}
<h2 id="schemas">Documents</h2>
${schemas.map(([name, schema]) => `<details id="schema-${escaped(name)}"><summary><b>${escaped(name)}</b> ${prose(textIn(schema, 'description'))}</summary>${fieldTable(schema)}</details>`).join('\n')}
</body></html>
`;
}

function section(document: JsonObject, tag: string, description: string): string {
  const operations = Object.entries(objectAt(document, 'paths')).flatMap(([path, methods]) =>
    Object.entries(isObject(methods) ? methods : {}).filter(([, found]) => arrayAt(found, 'tags').includes(tag)).map(([method, found]) => operation(method, path, found)));
  return `<h2 id="${escaped(tag)}">${escaped(tag)}</h2><p>${prose(description)}</p>\n${operations.join('\n')}`;
}

function operation(method: string, path: string, found: unknown): string {
  const parameters = isObject(found) ? arrayAt(found, 'parameters') : [];
  const body = schemaIn(objectAt(found, 'requestBody'));
  const responses = Object.entries(objectAt(found, 'responses'));
  return `<details id="${escaped(textIn(found, 'operationId'))}"><summary><span class="role">${escaped(textIn(found, 'x-role'))}</span><b>${escaped(method.toUpperCase())}</b> <code>${escaped(path)}</code> ${escaped(textIn(found, 'summary'))}</summary>
<p>${prose(textIn(found, 'description'))}</p>
${parameters.length === 0 ? '' : `<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>${parameters.map(parameterRow).join('')}</table>`}
${body === undefined ? '' : `<p>Body: ${typeText(body)}</p>${fieldTable(body)}`}
<table><tr><th>status</th><th></th><th>document</th></tr>${responses.map(([status, response]) => `<tr><td>${escaped(status)}</td><td>${prose(textIn(response, 'description'))}</td><td>${answerText(response)}</td></tr>`).join('')}</table></details>`;
}

function parameterRow(parameter: unknown): string {
  return `<tr><td><code>${escaped(textIn(parameter, 'name'))}</code>${isObject(parameter) && parameter['required'] === true ? ' *' : ''}</td><td>${escaped(textIn(parameter, 'in'))}</td><td>${typeText(objectAt(parameter, 'schema'))}</td><td>${prose(textIn(parameter, 'description'))}</td></tr>`;
}

function answerText(response: unknown): string {
  return Object.entries(objectAt(response, 'content')).map(([type, media]) => `${typeText(objectAt(media, 'schema'))} <code>${escaped(type)}</code>`).join('<br>');
}

function schemaIn(body: JsonObject): JsonObject | undefined {
  const media = objectAt(objectAt(body, 'content'), 'application/json');
  return isObject(media['schema']) ? media['schema'] : undefined;
}

function fieldTable(schema: unknown): string {
  const fields = Object.entries(objectAt(schema, 'properties'));
  if (fields.length === 0) return '';
  const required = isObject(schema) ? arrayAt(schema, 'required') : [];
  return `<table><tr><th>field</th><th>type</th><th></th></tr>${fields.map(([name, field]) => `<tr><td><code>${escaped(name)}</code>${required.includes(name) ? ' *' : ''}</td><td>${typeText(isObject(field) ? field : {})}</td><td>${prose(textIn(field, 'description'))}</td></tr>`).join('')}</table>`;
}

/** In a few words. */
function typeText(schema: JsonObject): string {
  const name = textIn(schema, '$ref').split('/').at(-1) ?? '';
  if (name !== '') return `<a href="#schema-${escaped(name)}">${escaped(name)}</a>`;
  const words = arrayAt(schema, 'enum').map((word) => `<code>${escaped(typeof word === 'string' ? word : JSON.stringify(word))}</code>`).join(' ');
  if (words !== '') return words;
  const types = [schema['type'] ?? []].flat().map(String).join(' or ');
  const items = isObject(schema['items']) ? ` of ${typeText(schema['items'])}` : '';
  return `${escaped(types === '' ? 'anything' : types)}${items}`;
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escaped(text).replaceAll(/`([^`]+)`/gu, '<code>$1</code>').replaceAll('\n\n', '<br>');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
