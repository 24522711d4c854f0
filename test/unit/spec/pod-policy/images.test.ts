import { describe, expect, it } from 'vitest';
import { imageName, isUnder } from '../../../../src/spec/pod-policy/images.ts';

const hash = 'a'.repeat(64);

describe('which image a text names', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3.20', 'docker.io/library/alpine'],
    ['acme/app', 'docker.io/acme/app'],
    ['docker.io/alpine', 'docker.io/library/alpine'],
    ['index.docker.io/acme/app:1', 'docker.io/acme/app'],
    ['Docker.IO/acme/app', 'docker.io/acme/app'],
    ['ghcr.io/acme/app', 'ghcr.io/acme/app'],
    ['GHCR.io/acme/app', 'ghcr.io/acme/app'],
    ['registry:5000/app:1', 'registry:5000/app'],
    ['localhost/app', 'localhost/app'],
    ['Registry/app', 'registry/app'],
    [`ghcr.io/acme/app@sha256:${hash}`, 'ghcr.io/acme/app'],
    [`ghcr.io/acme/app:1.2@sha256:${hash}`, 'ghcr.io/acme/app'],
    ['ghcr.io/acme/a__b/c-d.e', 'ghcr.io/acme/a__b/c-d.e'],
  ])('%s is %s', (text, name) => {
    expect(imageName(text)).toBe(name);
  });

  it.each([
    [''], ['/app'], ['ghcr.io/'], ['ghcr.io//app'], ['ghcr.io/acme/../evil/app'], ['ghcr.io/acme/./app'], ['ghcr.io/acme/App'], ['ghcr.io/acme/app:'], ['ghcr.io/acme/app:1:2'],
    ['ghcr.io/acme/app@'], ['ghcr.io/acme/app@sha256:abc'], [`ghcr.io/acme/app@sha256:${hash}@sha256:${hash}`], [`evil.io/app@sha256:${hash}/ghcr.io/acme`], ['ghcr.io/acme/app 1'], ['ghcr.io/acme/app\n'],
    ['https://ghcr.io/acme/app'], ['user@ghcr.io/acme/app'], ['ghcr.io\\acme/app'], ['ghcr.io/acme/ａpp'], ['[::1]:5000/app'], [hash], [`sha256:${hash}`], ['ghcr.io/acme/$(TAG)'],
  ])('%j is no name of an image', (text) => {
    expect(imageName(text)).toBeUndefined();
  });
});

describe('prefixes end where parts of names do', () => {
  it.each<[string, string, boolean]>([
    ['ghcr.io/acme/app', 'ghcr.io/acme', true],
    ['ghcr.io/acme/app', 'ghcr.io/acme/', true],
    ['ghcr.io/acme/app', 'ghcr.io/acme/app', true],
    ['ghcr.io/acme/app', 'ghcr.io', true],
    ['ghcr.io/acme/app', 'GHCR.io', true],
    ['ghcr.io/acme-evil/app', 'ghcr.io/acme', false],
    ['ghcr.io/acme/app2', 'ghcr.io/acme/app', false],
    ['ghcr.io.evil.com/acme/app', 'ghcr.io', false],
    ['evil.com/ghcr.io/acme/app', 'ghcr.io/acme', false],
    ['ghcr.io:8443/acme/app', 'ghcr.io/acme', false],
    ['docker.io/library/alpine', 'docker.io/library', true],
    ['docker.io/library/alpine', 'index.docker.io/library', true],
    ['docker.io/acme/app', 'docker.io/library', false],
  ])('%s under %s: %s', (name, prefix, allowed) => {
    expect(isUnder(name, [prefix])).toBe(allowed);
  });
});
