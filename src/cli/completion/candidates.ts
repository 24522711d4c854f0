/** What the word under the cursor may become. */
import { Command, type Option } from 'commander';
import { groups, subcommands, type Subcommand } from '../subcommands.ts';
import type { ClusterOptions } from '../runs/session.ts';
import { sourceOf, type Source } from './sources.ts';

export interface Candidate {
  readonly value: string;
  readonly about: string;
}

export interface Candidates {
  readonly values: readonly Candidate[];
  /** Names of files fit as well. */
  readonly files: boolean;
  /** What is there may go on, as `queue.` does. */
  readonly open: boolean;
}

/** Names that only the cluster or the schemas know; nothing where it does not answer soon. */
export type Ask = (source: Source, given: AskedWith) => Promise<readonly Candidate[]>;

export interface AskedWith {
  readonly options: ClusterOptions;
  /** Words that stand before, without options. */
  readonly operands: readonly string[];
  readonly current: string;
}

const nothing: Candidates = { values: [], files: false, open: false };

/** `words`: all that stand behind `job-chief` up to the cursor; the last one is the one to complete, maybe empty. */
export async function candidatesFor(words: readonly string[], ask: Ask): Promise<Candidates> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const named = before[0] === 'help' ? before.slice(1) : before;
  const subcommand = subcommands.find(({ path }) => path.every((word, index) => named[index] === word));
  if (!subcommand || before[0] === 'help') return { ...nothing, values: commandsAfter(named, before[0] === 'help') };
  return afterCommand(subcommand, { before: named.slice(subcommand.path.length), current }, ask);
}

function commandsAfter(words: readonly string[], isHelp: boolean): readonly Candidate[] {
  const next = subcommands.filter(({ path }) => path.length > words.length && words.every((word, index) => path[index] === word));
  const named = next.map(({ path, summary }) => ({ value: path[words.length] ?? '', about: path.length > words.length + 1 ? (groups[path[0]] ?? summary) : summary }));
  const help = words.length === 0 && !isHelp ? [{ value: 'help', about: 'Print the help of a command' }] : [];
  return [...new Map([...named, ...help].map((one) => [one.value, one])).values()];
}

interface Typed {
  readonly before: readonly string[];
  readonly current: string;
}

async function afterCommand(subcommand: Subcommand, { before, current }: Typed, ask: Ask): Promise<Candidates> {
  const command = new Command(subcommand.path.join(' ')).exitOverride().configureOutput({ writeErr: () => undefined });
  (await subcommand.load())(command);
  const { operands, expects, options, isLiteral } = typed(command, before);
  if (expects) return optionValues(expects);
  if (current.startsWith('-') && !isLiteral) return { ...nothing, values: optionNames(command) };
  const source = sourceOf(subcommand.path.join(' '), operands.length);
  if (source === undefined) return nothing;
  if (source === 'files') return { ...nothing, files: true };
  const values = await ask(source, { options, operands, current });
  return { values, files: false, open: source === 'field' };
}

/** What stands there so far. `expects`: an option whose value is the word under the cursor. */
function typed(command: Command, before: readonly string[]): { operands: readonly string[]; expects: Option | undefined; options: ClusterOptions; isLiteral: boolean } {
  const operands: string[] = [];
  const given: Record<string, string> = {};
  let expects: Option | undefined;
  let isLiteral = false;
  for (const word of before) {
    if (expects) {
      given[expects.attributeName()] = word;
      expects = undefined;
    } else if (isLiteral || !word.startsWith('-') || word === '-') operands.push(word);
    else if (word === '--') isLiteral = true;
    else expects = optionIn(command, word, given);
  }
  return { operands, expects, options: { instance: 'default', ...given }, isLiteral };
}

/** undefined: it takes no value, or has it already. */
function optionIn(command: Command, word: string, given: Record<string, string>): Option | undefined {
  const [name, value] = word.split(/=(.*)/s);
  const option = command.options.find(({ long, short }) => long === name || short === name);
  if (value !== undefined && option) given[option.attributeName()] = value;
  return value === undefined && (option?.required === true || option?.optional === true) ? option : undefined;
}

function optionNames(command: Command): readonly Candidate[] {
  const own = command.options.map(({ long, short, description }) => ({ value: long ?? short ?? '', about: description }));
  return [...own, { value: '--help', about: 'print this help' }];
}

function optionValues({ argChoices, flags }: Option): Candidates {
  if (argChoices) return { ...nothing, values: argChoices.map((value) => ({ value, about: '' })) };
  return { ...nothing, files: /<(file|folder|path)\b/.test(flags) };
}
