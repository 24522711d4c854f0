/** `job-chief new` */
import { writeFile } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import { asError } from '../lib/clock.ts';
import { kindLabel, specKey } from '../spec/keys.ts';
import { parseSpec } from '../spec/parse.ts';
import { subdomainPattern } from '../spec/schema-fields.ts';
import { UserError } from './exit-code.ts';
import { labelOf, starterKinds, starters, type StarterFlags, type StarterKind } from './new/starters.ts';
import { writeError, writeLine } from './output.ts';
import { readTarget } from './runs/target.ts';

/** As commander has them. */
export interface NewFlags {
  readonly name?: string;
  readonly image: string;
  readonly source?: string;
  readonly target: string;
  readonly specOnly?: boolean;
}

interface Options extends NewFlags {
  readonly file?: string;
}

const help = `
Exit code: 0 written; 2 a flag cannot be used, or the file exists.

Examples:
  job-chief new queue --name thumbnails --image ghcr.io/acme/thumbnailer:3.1 --source main/thumbnails
  job-chief new message-queue --name orders --source main/orders
  job-chief new workflow --name etl -f etl.yaml
  job-chief new run --name import-monday --target workflow/etl`;

/** Adds arguments, options and action. */
export function defineNew(command: Command): void {
  command
    .description('Writes the first text of a spec, with comments: a ConfigMap that job-chief lint has nothing against.')
    .addArgument(new Argument('<kind>', 'kind of spec; message-queue: a Queue with a Job for each message').choices(starterKinds))
    .option('--name <name>', 'name of the ConfigMap; default: my-KIND')
    .option('--image <image>', 'image of its Jobs', 'busybox:1.37')
    .option('--source <connection/queue>', "of a queue: one of the operator's connections, and the queue; default: main/NAME")
    .option('--target <kind/name>', 'of a run: workflow/NAME or template/NAME', 'template/my-template')
    .option('--spec-only', 'the spec alone, without a ConfigMap around it')
    .option('-f, --file <file>', 'write it there; a file that exists is left alone')
    .addHelpText('after', help)
    .action(async (kind: StarterKind, { file, ...flags }: Options) => {
      const text = starter(kind, flags);
      if (file === undefined) writeLine(text.trimEnd());
      else await writeNew(file, text);
    });
}

/** Throws a UserError where what the flags say makes no sound spec. */
export function starter(kind: StarterKind, { name = `my-${kind}`, image, source, target, specOnly = false }: NewFlags): string {
  if (!new RegExp(subdomainPattern).test(name)) throw new UserError(`--name must be lower-case letters, digits, hyphens and dots, and start and end with a letter or digit, not "${name}"`);
  const spec = starters[kind]({ name, image, source: sourceIn(source ?? `main/${name}`), target: targetIn(target) });
  const { problems } = parseSpec({ file: `${name}.yaml`, objectName: name, label: labelOf(kind), data: { [specKey]: spec } }, {});
  const [problem] = problems;
  if (problem) throw new UserError(`no sound spec can be made of this: ${problem.path === undefined ? '' : `${problem.path}: `}${problem.message}`);
  return specOnly ? spec : configMap(kind, name, spec);
}

function configMap(kind: StarterKind, name: string, spec: string): string {
  const indented = spec.split('\n').map((line) => (line === '' ? '' : `    ${line}`)).join('\n');
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  labels: {${kindLabel}: ${labelOf(kind)}}\ndata:\n  ${specKey}: |\n${indented}`;
}

function sourceIn(text: string): StarterFlags['source'] {
  const at = text.indexOf('/');
  const [connection, queue] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || queue === '') throw new UserError(`--source is CONNECTION/QUEUE, not "${text}"`);
  return { connection, queue };
}

function targetIn(text: string): StarterFlags['target'] {
  const { kind, name } = readTarget(text);
  if (kind !== 'workflow' && kind !== 'template') throw new UserError(`--target is workflow/NAME or template/NAME, not "${text}"`);
  return { kind, name };
}

async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: unknown) => {
    const isThere = asError(error).message.includes('EEXIST');
    throw new UserError(isThere ? `${file} exists, and is left alone` : `cannot write ${file}: ${asError(error).message}`);
  });
  writeError(`wrote ${file}`);
}
