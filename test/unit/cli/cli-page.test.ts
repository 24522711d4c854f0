/** docs/cli.md and the program tell of the same commands and options. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { exitCode } from '../../../src/cli/exit-code.ts';
import { subcommands } from '../../../src/cli/subcommands.ts';

const page = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8');

/** The text below each heading of the second level. */
const sections = new Map(page.split(/^## /m).slice(1).map((text) => [text.slice(0, text.indexOf('\n')), text]));

/** Told of once, for all commands that have them. */
const cluster = ['--namespace', '--context', '--kubeconfig', '--instance'];
const shared = new Set([...cluster, '--output']);

describe('docs/cli.md', () => {
  it.each(subcommands.map((subcommand) => [subcommand.path.join(' '), subcommand] as const))('has a section about %s, with an example and every option', async (name, { load }) => {
    const section = sections.get(name) ?? '';
    expect(section).toMatch(new RegExp(`^job-chief ${name}\\b|hack/job-chief ${name}\\b`, 'm'));
    const command = new Command(name);
    (await load())(command);
    const options = command.options.filter(({ long }) => long !== undefined && !shared.has(long)).map(({ short, long }) => [short, long]);
    expect(options.filter((names) => !names.some((one) => one !== undefined && new RegExp(`(^|[\\s\`])${one}\\b`, 'm').test(section)))).toEqual([]);
  });

  it('tells of the options that commands share', () => {
    for (const option of cluster) expect(sections.get('Which cluster, which namespace')).toContain(`\`${option}\``);
    expect(sections.get('Output')).toContain('`--output`');
  });

  it('has a row for each exit code', () => {
    const rows = [...(sections.get('Exit codes') ?? '').matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(exitCode));
  });
});
