import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { metrics } from '../../src/adapters/metrics/names.ts';
import { checkSources } from '../../src/cli/lint/check.ts';
import { readSources } from '../../src/cli/lint/files.ts';
import { subcommands } from '../../src/cli/subcommands.ts';
import { reasons } from '../../src/plan/reason.ts';
import { stepReasons } from '../../src/plan/run/step-reason.ts';
import { kindLabel, specKey } from '../../src/spec/keys.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../src/lib/json.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { files, read, root } from './source.ts';

const pages = files('README.md', 'docs/**/*.md');

/** First cells of the rows of all tables in a page that are written as code. */
function tableNames(page: string): string[] {
  return Array.from(read(page).matchAll(/^\| `([^`]+)` \|/gm), ([, name]) => name ?? '');
}

/** Fenced blocks of a language. */
function blocks(page: string, language: string): { text: string; line: number }[] {
  const text = read(page);
  return Array.from(text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm')), (match) => ({
    text: (match[2] ?? '').replaceAll(new RegExp(`^${match[1] ?? ''}`, 'gm'), ''),
    line: text.slice(0, match.index).split('\n').length,
  }));
}

describe('docs and code name the same things', () => {
  const [general = '', ofSteps = ''] = read('docs/reasons.md').split(/^## Why a step .*$/m);
  const rowsOf = (text: string): [string, string][] => Array.from(text.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm), ([, name = '', second = '']) => [name, second]);

  it('docs/reasons.md has a row for each reason, and marks those that are warnings', () => {
    expect(Object.fromEntries(rowsOf(general))).toEqual(reasons);
    expect(rowsOf(general)).toHaveLength(Object.keys(reasons).length);
  });

  it('docs/reasons.md has a row for each reason of a step, with the outcomes that it goes with', () => {
    expect(rowsOf(ofSteps)).toEqual(Object.entries(stepReasons).map(([name, outcomes]) => [name, outcomes.join(', ')]));
  });

  it('docs/metrics.md has a row for each metric', () => {
    expect(tableNames('docs/metrics.md').toSorted()).toEqual(Object.values(metrics).map(({ name }) => name).toSorted());
  });

  it('docs/metrics.md gives each metric its type, labels and help', () => {
    const page = read('docs/metrics.md');
    const missing = Object.values(metrics).map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`);
    expect(missing.filter((row) => !page.includes(row))).toEqual([]);
  });
});

describe('examples in the docs', () => {
  const examples = pages.flatMap((page) => blocks(page, 'yaml').flatMap(({ text, line }) => specsIn(text).map((input) => ({ at: `${page}:${line}`, ...input }))));

  it.each(examples.map((example) => [example.at, example] as const))('%s is a valid spec', (_, { label, spec, name, files }) => {
    const parsed = parseSpec({ file: 'example', objectName: name, label, data: { ...files, [specKey]: spec } }, {});
    expect(parsed.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('are whole specs in docs/queue.md, all of them', () => {
    const lines = blocks('docs/queue.md', 'yaml').map(({ line }) => `docs/queue.md:${line}`);
    expect(lines).toEqual(examples.map(({ at }) => at).filter((at) => at.startsWith('docs/queue.md:')));
  });

  it('are whole specs in docs/workflow.md, all of them', () => {
    const lines = blocks('docs/workflow.md', 'yaml').map(({ line }) => `docs/workflow.md:${line}`);
    expect(lines).toEqual(examples.map(({ at }) => at).filter((at) => at.startsWith('docs/workflow.md:')));
  });

  it('are YAML that can be read', () => {
    const broken = pages.flatMap((page) => blocks(page, 'yaml').filter(({ text }) => parseAllDocuments(text).some(({ errors }) => errors.length > 0)).map(({ line }) => `${page}:${line}`));
    expect(broken).toEqual([]);
  });

  it('of the manifests pass the command lint, with connections of each type', async () => {
    const { sources } = await readSources([join(root, 'manifests/examples')], () => Promise.resolve(''));
    const connections = new Map([['main', 'pgBoss'], ['rabbit', 'amqp'], ['aws', 'sqs']].map(([name = '', type = '']) => [name, { type, injectable: true }]));
    const { specs, problems } = checkSources(sources, { connections });
    expect(problems).toEqual([]);
    expect(specs.length).toBeGreaterThanOrEqual(files('manifests/examples/{queues,messages,workflows}/*.yaml').length + 1);
  });

  it('call scripts and subcommands that exist', () => {
    const calls = pages.flatMap((page) => blocks(page, 'sh').flatMap(({ text }) => Array.from(text.replaceAll(/#.*/g, '').matchAll(/(?<![\w/-])(?:(hack\/[a-z-]+)|job-chief)(?: ([a-z]+))?/g), ([, script, word]) => ({ page, script, word }))));
    const isProgram = (script: string | undefined): boolean => script === undefined || script === 'hack/job-chief';
    const commands = subcommands.map(({ path: [first] }) => first);
    const missing = calls.filter(({ script, word }) => (isProgram(script) ? word !== undefined && !commands.includes(word) : !existsSync(join(root, script ?? ''))));
    expect(missing).toEqual([]);
  });
});

interface SpecText {
  readonly label: string | undefined;
  readonly spec: string;
  readonly name: string;
  /** The other data keys. */
  readonly files: Readonly<Record<string, string>>;
}

/** ConfigMaps with the label of a spec, and bare specs, in a YAML text. */
function specsIn(text: string): SpecText[] {
  return [...parseAllDocuments(text)].flatMap((document): SpecText[] => {
    const value: unknown = document.toJS();
    if (!isObject(value)) return [];
    const label = stringAt(objectAt(value['metadata'], 'labels'), kindLabel);
    const spec = stringAt(value['data'], specKey);
    if (label !== undefined && spec !== undefined) return [{ label, spec, name: stringAt(value['metadata'], 'name') ?? 'example', files: textsAt(value, 'data') }];
    return stringAt(value, 'apiVersion') === 'job-chief/v1' ? [{ label: undefined, spec: document.toString(), name: 'example', files: {} }] : [];
  });
}

function textsAt(value: JsonObject, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(objectAt(value, key)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

describe('links', () => {
  /** As GitHub makes them from headings. */
  const anchors = (page: string): string[] => Array.from(read(page).matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    (heading ?? '').toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-'));

  it('lead to files and headings that exist', () => {
    const broken = pages.flatMap((page) =>
      Array.from(read(page).replace(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target ?? '')
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#');
          const file = path === '' ? page : normalize(join(dirname(page), path));
          return !existsSync(join(root, file)) || (anchor !== undefined && file.endsWith('.md') && !anchors(file).includes(anchor));
        })
        .map((target) => `${page}: ${target}`));
    expect(broken).toEqual([]);
  });
});

describe('nothing of the machine it was written on', () => {
  it('is in any file', () => {
    const paths = new RegExp(['/work/' + '(main|shared)', '/ro' + 'ot/', '/ho' + 'me/[a-z]', '/Us' + 'ers/', 'C:\\\\Us' + 'ers'].join('|'));
    const all = files('*', '.github/**/*', '.ci/**/*', '{src,test,hack,docs,manifests,schemas}/**/*').filter((path) => /\.(ts|mjs|json|md|ya?ml|sh|lua)$|^Dockerfile$|\/[a-z-]+$/.test(path) && !/go\.sum$/.test(path));
    expect(all.filter((path) => isFile(path) && paths.test(read(path)))).toEqual([]);
  });

  it('is /tmp in a page of the docs', () => {
    expect(pages.filter((page) => /(^|[\s`"(])\/tmp\//m.test(read(page)))).toEqual([]);
  });
});

function isFile(path: string): boolean {
  try {
    read(path);
    return true;
  } catch {
    return false;
  }
}
