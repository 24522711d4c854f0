import { expect, test } from 'vitest';
import { readDocuments } from '../../../../src/adapters/files/read-documents.ts';

const bare = 'apiVersion: job-chief/v1\nkind: Queue\nname: a\n';
const manifest = (more = '') => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: thumbnails\n  labels:\n    job-chief: queue\n${more}data:\n  spec.yaml: |\n    kind: Queue\n  run.sh: echo\n  odd: 3\n`;

test('a bare spec is the file, byte for byte', () => {
  expect(readDocuments('x/a.yaml', bare)).toEqual([{ file: 'x/a.yaml', objectName: 'a', label: undefined, data: { 'spec.yaml': bare } }]);
});

test('a ConfigMap manifest gives its data', () => {
  expect(readDocuments('a.yaml', manifest())).toEqual([{ file: 'a.yaml', objectName: 'thumbnails', label: 'queue', data: { 'spec.yaml': 'kind: Queue\n', 'run.sh': 'echo' } }]);
});

test('a manifest that opts out of the substitution of Flux says so', () => {
  const optOut = "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n";
  expect(readDocuments('a.yaml', manifest(optOut)).map((each) => each.substituteDisabled)).toEqual([true]);
  expect(readDocuments('a.yaml', manifest()).map((each) => each.substituteDisabled)).toEqual([undefined]);
});

test.each<[string, string]>([
  ['a manifest of another kind', 'apiVersion: apps/v1\nkind: Deployment\n'],
  ['a ConfigMap without our label', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n'],
  ["a ConfigMap of another instance", manifest('    job-chief/instance: blue\n')],
  ['a list of values', 'image: x\ntag: y\n'],
  ['nothing', ''],
  ['only a comment', '# x\n'],
  ['a scalar', 'hello'],
  ['broken YAML that does not mention us', 'a: [1\n'],
])('left out: %s', (_name, text) => {
  expect(readDocuments('a.yaml', text)).toEqual([]);
});

test.each<[string, string]>([
  ['broken YAML that mentions us', 'apiVersion: job-chief/v1\nkind: [Queue\n'],
  ['a version that does not exist', 'apiVersion: job-chief/v9\nkind: Queue\n'],
  ['no apiVersion', 'kind: Queue\nname: x\n'],
])('kept for the parser to report: %s', (_name, text) => {
  expect(readDocuments('a.yaml', text).map((each) => each.data)).toEqual([{ 'spec.yaml': text }]);
});

test('several documents keep their lines', () => {
  const found = readDocuments('a.yaml', `${bare}---\n${bare.replace('name: a', 'name: second')}---\n${manifest()}`);
  expect(found.length).toBe(3);
  const second = found[1]?.data['spec.yaml'] ?? '';
  expect(second.split('\n').findIndex((line) => line === 'name: second')).toBe(6);
});

test('an instance sees its own manifests, and every bare spec', () => {
  const text = `${manifest('    job-chief/instance: blue\n')}---\n${manifest()}---\n${bare}`;
  expect(readDocuments('a.yaml', text, 'blue').map((each) => each.label)).toEqual(['queue', undefined]);
  expect(readDocuments('a.yaml', text, 'default').map((each) => each.label)).toEqual(['queue', undefined]);
});
