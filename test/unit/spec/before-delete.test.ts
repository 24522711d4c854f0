import { describe, expect, it } from 'vitest';
import { isAllowedUrl } from '../../../src/spec/before-delete.ts';
import { parseSpec } from '../../../src/spec/parse.ts';

describe('which URLs are allowed', () => {
  it.each<[string, string]>([
    ['https://hooks.example/jobs', 'https://hooks.example/jobs'],
    ['https://hooks.example/jobs/', 'https://hooks.example/jobs'],
    ['https://hooks.example/jobs/archive?team=a', 'https://hooks.example/jobs/'],
    ['https://hooks.example/anything', 'https://hooks.example'],
    ['https://HOOKS.example:443/jobs', 'https://hooks.example/jobs'],
    ['http://archive.etl.svc:8080/x', 'http://archive.etl.svc:8080/'],
  ])('%s below %s', (url, prefix) => {
    expect(isAllowedUrl(url, [prefix])).toBe(true);
  });

  const prefix = 'https://hooks.example/jobs';
  it.each([
    ['another host', 'https://evil.example/jobs'],
    ['a host that begins so', 'https://hooks.example.evil.com/jobs'],
    ['a user that looks like the host', 'https://hooks.example@evil.com/jobs'],
    ['a user of the right host', 'https://user:pw@hooks.example/jobs'],
    ['another scheme', 'http://hooks.example/jobs'],
    ['another port', 'https://hooks.example:8443/jobs'],
    ['another path', 'https://hooks.example/other'],
    ['a path that begins so', 'https://hooks.example/jobs-admin'],
    ['a way up', 'https://hooks.example/jobs/../admin'],
    ['a way up that is encoded', 'https://hooks.example/jobs/%2e%2e/admin'],
    ['a slash that is encoded', 'https://hooks.example/jobs/..%2fadmin'],
    ['a backslash', 'https://hooks.example/jobs\\..\\admin'],
    ['a file', 'file:///etc/passwd'],
    ['the metadata of a cloud', 'http://169.254.169.254/latest/meta-data/'],
    ['the API server', 'https://kubernetes.default.svc/api'],
    ['no URL', 'hooks.example/jobs'],
    ['nothing', ''],
  ])('not %s', (_what, url) => {
    expect(isAllowedUrl(url, [prefix])).toBe(false);
  });

  it('none where the operator has allowed none', () => {
    expect(isAllowedUrl('https://hooks.example/jobs', [])).toBe(false);
  });
});

describe('beforeDelete of a spec', () => {
  const text = (url: string, more = ''): string => `apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: x}\nbeforeDelete: {url: "${url}"${more}}\n`;
  const parse = (spec: string, urlPrefixes?: readonly string[]): ReturnType<typeof parseSpec> => parseSpec({ file: 'a', objectName: 'a', label: undefined, data: { 'spec.yaml': spec } }, urlPrefixes === undefined ? {} : { urlPrefixes });

  it('stands beside retention, with a timeout', () => {
    expect(parse(text('https://a.example/x')).spec).toMatchObject({ retention: { succeeded: { count: 3 }, beforeDelete: { url: 'https://a.example/x', timeout: 10_000 } } });
    expect(parse(text('https://a.example/x', ', timeout: 30s, headersFromSecret: archive')).spec).toMatchObject({ retention: { beforeDelete: { timeout: 30_000, headersFromSecret: 'archive' } } });
  });

  it('with a URL that is not allowed is valid, with a warning: what runs must not suffer', () => {
    const { spec, problems } = parse(text('https://evil.example/x'), ['https://a.example']);
    expect(spec).toBeDefined();
    expect(problems).toMatchObject([{ code: 'UrlNotAllowed', severity: 'warning', path: 'beforeDelete.url', position: { line: 6 }, hint: 'use a URL below https://a.example' }]);
    expect(parse(text('https://a.example/x'), ['https://a.example']).problems).toEqual([]);
    expect(parse(text('https://a.example/x'), []).problems[0]?.hint).toContain('the operator has not allowed any URL');
  });

  it.each([['ftp://a.example'], ['a.example/x'], ['https://a b'], ['']])('needs a URL, not %j', (url) => {
    expect(parse(text(url)).problems).toMatchObject([{ path: 'beforeDelete.url', severity: 'error' }]);
  });
});
