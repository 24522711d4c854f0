import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { defineLint } from '../../../../src/cli/lint/command.ts';
import { lint, type LintOptions } from '../../../../src/cli/lint/lint.ts';

const good = ['apiVersion: job-chief/v1', 'kind: Queue', 'source: {pgBoss: {connection: main, queue: q}}', 'drain: {}', 'job: {image: worker:1}', ''].join('\n');
const bad = good.replace('image', 'imag');
const doubtful = good.replace('worker:1', '"${IMAGE}"');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'job-chief-lint-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Writes files below the test's folder. */
async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs lint; paths count from the test's folder, which is left out of what it prints. */
async function run(options: Partial<LintOptions> & { readonly stdin?: string; readonly terminal?: boolean } = {}): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const { stdin, terminal = false, paths = ['.'], ...rest } = options;
  const places = paths.map((name) => (name === '-' ? name : path.join(folder, name)));
  const clean = (texts: string[]): string => texts.join('\n').replaceAll(`${folder}/`, '');
  const code = await lint(
    { output: 'text', defaults: false, ...rest, paths: places },
    { out: (text) => out.push(text), err: (text) => err.push(text), stdin: () => Promise.resolve(stdin ?? ''), text: { excerpts: terminal, colours: terminal }, version: '1.2.3' },
  );
  return { code, out: clean(out), err: clean(err) };
}

describe('exit code and summary', () => {
  const cases: readonly [what: string, contents: Readonly<Record<string, string>>, paths: readonly string[], code: number, summary: string][] = [
    ['a good spec', { 'a.yaml': good }, ['a.yaml'], 0, '1 spec, no problems'],
    ['a bad one', { 'a.yaml': bad }, ['a.yaml'], 1, '1 spec, 1 error, 0 warnings'],
    ['a warning', { 'a.yaml': doubtful }, ['a.yaml'], 0, '1 spec, 0 errors, 1 warning'],
    ['a folder with both', { 'x/a.yaml': good, 'x/y/b.yml': bad, 'x/c.json': '{}', 'x/d.txt': bad }, ['x'], 1, '2 specs, 1 error, 0 warnings'],
    ['a folder without specs', { 'x/a.yaml': 'a: 1\n' }, ['x'], 0, 'no specs found, no problems'],
    ['hidden folders and node_modules are left out', { '.git/a.yaml': bad, 'node_modules/b.yaml': bad, 'c.yaml': good }, ['.'], 0, '1 spec, no problems'],
    ['a file that is not there', {}, ['nothing.yaml'], 2, 'no specs found, no problems'],
    ['a file that is not there beside a bad one', { 'a.yaml': bad }, ['nothing.yaml', 'a.yaml'], 2, '1 spec, 1 error, 0 warnings'],
  ];
  it.each(cases)('%s', async (_what, contents, paths, code, summary) => {
    await files(contents);
    const result = await run({ paths });
    expect(result.code).toBe(code);
    expect(result.err.split('\n').at(-1)).toBe(summary);
  });

  it('names what it cannot read', async () => {
    expect((await run({ paths: ['nothing.yaml'] })).err).toMatch(/^error: cannot read nothing\.yaml: ENOENT/);
  });

  it('reads standard input', async () => {
    const result = await run({ paths: ['-'], stdin: bad });
    expect(result).toMatchObject({ code: 1, err: '1 spec, 1 error, 0 warnings' });
    expect(result.out).toMatch(/^-:5:7: error UnknownField job\.imag: /);
  });
});

describe('text', () => {
  it('is a line like those of compilers, and a hint', async () => {
    await files({ 'a.yaml': bad });
    expect((await run({ paths: ['a.yaml'] })).out).toBe(
      ['a.yaml:5:7: error UnknownField job.imag: unknown field "imag"', '  hint: did you mean "image"? the Job fields known here are those of Kubernetes 1.36'].join('\n'),
    );
  });

  it('on a terminal shows the place and has colours', async () => {
    await files({ 'a.yaml': bad });
    const { out } = await run({ paths: ['a.yaml'], terminal: true });
    expect(out.split('\n').slice(0, 3)).toEqual(['a.yaml:5:7: \u001B[31merror\u001B[0m UnknownField job.imag: unknown field "imag"', '  | job: {imag: worker:1}', '  |       ^']);
  });

  it('shows the part of a long line that matters', async () => {
    await files({ 'a.yaml': good.replace('image: worker:1', `image: "${'x'.repeat(300)}", imagePullPolicy: always`) });
    const [, line = '', caret = ''] = (await run({ paths: ['a.yaml'], terminal: true })).out.split('\n');
    expect(line.length).toBeLessThan(130);
    expect(line.slice(caret.indexOf('^'))).toMatch(/^always/);
  });

  it('is empty where all is well', async () => {
    await files({ 'a.yaml': good });
    expect((await run({ paths: ['a.yaml'] })).out).toBe('');
  });
});

describe('JSON', () => {
  it('lists specs and problems', async () => {
    await files({ 'a.yaml': bad, 'b.yaml': good });
    const { out } = await run({ output: 'json' });
    expect(JSON.parse(out)).toEqual({
      specs: [
        { file: 'a.yaml', kind: 'Queue', name: 'a', valid: false },
        { file: 'b.yaml', kind: 'Queue', name: 'b', hash: expect.stringMatching(/^[a-z2-7]{16}$/) as string, valid: true },
      ],
      problems: [
        {
          code: 'UnknownField',
          severity: 'error',
          message: 'unknown field "imag"',
          path: 'job.imag',
          position: { file: 'a.yaml', line: 5, column: 7 },
          hint: 'did you mean "image"? the Job fields known here are those of Kubernetes 1.36',
        },
      ],
    });
  });

  it('has the Jobs with --defaults', async () => {
    await files({ 'b.yaml': good });
    const { specs } = JSON.parse((await run({ output: 'json', defaults: true })).out) as { specs: { job: { kind: string } }[] };
    expect(specs[0]?.job.kind).toBe('Job');
  });
});

describe('SARIF', () => {
  it('has a result with a place for each problem', async () => {
    await files({ 'my specs/a.yaml': bad, 'b.yaml': doubtful });
    const sarif = JSON.parse((await run({ output: 'sarif' })).out) as { version: string; runs: { tool: { driver: { name: string; version: string; rules: { id: string }[] } }; results: object[] }[] };
    const [only] = sarif.runs;
    expect(sarif.version).toBe('2.1.0');
    expect(only?.tool.driver).toMatchObject({ name: 'job-chief', version: '1.2.3' });
    expect(only?.results).toMatchObject([
      { ruleId: 'FluxSubstitution', level: 'warning', locations: [{ physicalLocation: { artifactLocation: { uri: 'b.yaml' }, region: { startLine: 5, startColumn: 14 } } }] },
      { ruleId: 'UnknownField', level: 'error', locations: [{ physicalLocation: { artifactLocation: { uri: 'my%20specs/a.yaml' }, region: { startLine: 5, startColumn: 7 } } }] },
    ]);
    expect(only?.tool.driver.rules.map(({ id }) => id)).toEqual(expect.arrayContaining(['FluxSubstitution', 'UnknownField']));
  });

  it('is a whole document where all is well', async () => {
    await files({ 'a.yaml': good });
    expect(JSON.parse((await run({ output: 'sarif' })).out)).toMatchObject({ runs: [{ results: [] }] });
  });
});

describe('GitHub annotations', () => {
  it('are workflow commands', async () => {
    await files({ 'a,b/c.yaml': bad });
    expect((await run({ output: 'github' })).out).toBe(
      '::error file=a%2Cb/c.yaml,line=5,col=7,title=UnknownField::job.imag: unknown field "imag"%0Adid you mean "image"? the Job fields known here are those of Kubernetes 1.36',
    );
  });

  it('name no file for standard input', async () => {
    expect((await run({ output: 'github', paths: ['-'], stdin: bad })).out).toMatch(/^::error line=5,col=7,title=UnknownField::/);
  });

  it('are nothing where all is well', async () => {
    await files({ 'a.yaml': good });
    expect((await run({ output: 'github' })).out).toBe('');
  });
});

describe('--defaults', () => {
  it('prints the whole Job of each valid spec as YAML, problems elsewhere', async () => {
    await files({ 'a.yaml': `${good}jobMetadata: {labels: {team: images}}\npodMetadata: {annotations: {x: z}}\n`, 'b.yaml': bad });
    const { out, err, code } = await run({ defaults: true });
    expect(code).toBe(1);
    expect(err).toContain('b.yaml:5:7: error UnknownField');
    expect(parseAllDocuments(out).map((document) => document.toJS() as unknown)).toEqual([
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { generateName: 'a-', labels: { team: 'images' } },
        spec: {
          parallelism: 1,
          backoffLimit: 0,
          podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
          template: { metadata: { annotations: { x: 'z' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'worker:1' }] } },
        },
      },
    ]);
  });

  it('has the operator’s jobDefaults of --config', async () => {
    await files({ 'specs/a.yaml': good, 'config.yaml': 'jobDefaults:\n  imageRegistry: r.example.com\n  labels: {cost: "1"}\n' });
    const { out } = await run({ paths: ['specs'], defaults: true, config: path.join(folder, 'config.yaml') });
    expect(out).toContain('image: r.example.com/worker:1');
    expect(out.match(/cost: "1"/g)).toHaveLength(2);
  });
});

describe("the operator's policy", () => {
  const policy = 'imagePrefixes: [ghcr.io/acme]\nsecrets: []\n';
  const inside = (text: string): string => `podPolicy:\n${text.replace(/^(?=.)/gm, '  ')}`;
  const denied = /^specs\/a\.yaml:5:14: error PolicyDenied job\.image: the image "docker\.io\/library\/worker" is not allowed, says podPolicy\.imagePrefixes$/m;

  it('is a file of its own, or stands in the configuration', async () => {
    await files({ 'specs/a.yaml': good, 'policy.yaml': policy, 'config.yaml': inside(policy) });
    expect(await run({ paths: ['specs'] })).toMatchObject({ code: 0 });
    for (const where of [{ policy: path.join(folder, 'policy.yaml') }, { config: path.join(folder, 'config.yaml') }]) {
      const { code, out } = await run({ paths: ['specs'], ...where });
      expect(code).toBe(1);
      expect(out).toMatch(denied);
    }
  });

  it('in a file of its own wins, and keeps the Secrets of connections denied', async () => {
    const connections = 'connections:\n  main: {folder: /etc/main, secretName: main-db}\n';
    await files({ 'specs/a.yaml': good.replace('worker:1', 'worker:1, envFrom: [{secretRef: {name: main-db}}]'), 'policy.yaml': 'secrets: ["*"]', 'config.yaml': `${connections}${inside(policy)}` });
    const { out } = await run({ paths: ['specs'], policy: path.join(folder, 'policy.yaml'), config: path.join(folder, 'config.yaml') });
    expect(out).toContain('job.envFrom[0].secretRef.name: the Secret "main-db" belongs to the operator');
    expect(out).not.toContain('imagePrefixes');
  });

  it('is not needed for what no policy could allow', async () => {
    await files({ 'specs/a.yaml': good.replace('worker:1', 'worker:1, hostNetwork: true') });
    expect(await run({ paths: ['specs'] })).toMatchObject({ code: 1, out: expect.stringContaining('PolicyDenied job.hostNetwork: "hostNetwork" must not be set') as string });
  });

  it.each([
    ['that is not there', undefined, /cannot read the policy/],
    ['with an unknown key', 'secret: [a]', /the policy cannot be used:\n {2}.*policy\.yaml:1:1: secret: unknown field "secret" \(did you mean "secrets"\?\)/],
    ['that is a whole configuration', inside(policy), /unknown field "podPolicy"/],
  ])('%s is an error of the user', async (_what, text, message) => {
    if (text !== undefined) await files({ 'policy.yaml': text });
    await expect(run({ policy: path.join(folder, 'policy.yaml') })).rejects.toThrow(message);
  });
});

describe('--config', () => {
  it('checks the names of connections', async () => {
    await files({ 'specs/a.yaml': good, 'config.yaml': 'connections:\n  mian: {folder: /etc/mian}\n' });
    const { out, code } = await run({ paths: ['specs'], config: path.join(folder, 'config.yaml') });
    expect(code).toBe(1);
    expect(out).toContain('a.yaml:3:31: error UnknownConnection source.pgBoss.connection: there is no connection "main"');
  });

  it('does not check them where a folder may hold more', async () => {
    await files({ 'specs/a.yaml': good, 'config.yaml': 'connectionsFolder: /etc/connections\nconnections:\n  mian: {folder: /etc/mian}\n' });
    expect(await run({ paths: ['specs'], config: path.join(folder, 'config.yaml') })).toMatchObject({ code: 0, out: '' });
  });

  it.each([
    ['that is not there', undefined, /cannot read the configuration/],
    ['that is broken', 'a: [', /config\.yaml:1:5: the YAML is broken/],
    ['that is a list', '- a', /must be a mapping/],
    ['with an unknown setting', 'jobDefault: {}', /config\.yaml:1:1: jobDefault: unknown field "jobDefault" \(did you mean "jobDefaults"\?\)/],
    ['with a misspelt default', 'jobDefaults: {imageRegistri: x}', /jobDefaults\.imageRegistri: unknown field "imageRegistri" \(did you mean "imageRegistry"\?\)/],
    ['with a default of the wrong type', 'jobDefaults: {resources: {limits: {cpu: 1x}}}', /jobDefaults\.resources\.limits\.cpu: must be a quantity/],
  ])('%s is an error', async (_what, text, message) => {
    if (text !== undefined) await files({ 'config.yaml': text });
    await expect(run({ config: path.join(folder, 'config.yaml') })).rejects.toThrow(message);
  });
});

describe('the command line', () => {
  const command = (): Command => {
    const defined = new Command('lint').exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    defineLint(defined);
    return defined;
  };

  it('refuses other formats', async () => {
    await expect(command().parseAsync(['-o', 'xml', '.'], { from: 'user' })).rejects.toThrow(/Allowed choices are text, json, sarif, github/);
  });

  it('explains itself', () => {
    expect(command().helpInformation()).toMatch(/\[path\.\.\.\].*--defaults.*--config <file>/s);
  });
});
