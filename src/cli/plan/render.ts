/** A plan as text: a paragraph for each spec, what changes first, then what that does. */
import { isoTime } from '../../plan/iso-time.ts';
import { shown } from '../../lib/show.ts';
import { specTitle } from '../live/spec-key.ts';
import { sourceName } from '../../plan/winner.ts';
import { elapsed } from '../runs/elapsed.ts';
import { oneLine, painted, type Screen, type Tone } from '../runs/table.ts';
import type { FieldChange } from './field-changes.ts';
import type { JobChange } from './job-changes.ts';
import type { Outlook } from './outlook.ts';
import type { FilesPlan, PlannedChange } from './plan-files.ts';

export interface RenderOptions {
  readonly screen: Screen;
  readonly now: number;
}

const tones: Readonly<Record<PlannedChange['change'], Tone>> = { new: 'good', changed: 'busy', unchanged: 'faint', removed: 'bad' };

/** More fields, or more lines of a Job, than anybody reads on a terminal; JSON has all. */
const mostFields = 40;
const mostLines = 200;

/** Lines for people. Specs that stay as they are have one line together. */
export function planLines({ changes, notes }: FilesPlan, options: RenderOptions): readonly string[] {
  const told = changes.filter(({ change, removed }) => change !== 'unchanged' || removed.length > 0);
  const same = changes.filter((one) => !told.includes(one)).map(({ kind, name }) => specTitle(kind, name));
  return [
    ...told.flatMap((change, index) => [...(index === 0 ? [] : ['']), ...changeLines(change, options)]),
    ...(same.length === 0 ? [] : [...(told.length === 0 ? [] : ['']), `unchanged: ${same.join(', ')}`]),
    ...notes.map((note) => `note: ${note}`),
  ];
}

function changeLines(change: PlannedChange, options: RenderOptions): string[] {
  const { fields, files, jobs, notes, removed, after } = change;
  const isNew = change.change === 'new';
  return [
    headOf(change, options),
    ...notes.map((note) => `  note: ${note}`),
    ...fields.slice(0, mostFields).map((field) => `  ${fieldText(field)}`),
    ...(fields.length > mostFields ? [`  … and ${fields.length - mostFields} more fields`] : []),
    ...files.map((file) => `  file ${file}: another text`),
    ...(isNew || !after ? [] : jobs.flatMap((job) => jobLines(job, options))),
    ...removed.filter(() => after !== undefined).map(({ claim }) => `  ConfigMap "${sourceName(claim)}" is removed`),
    ...(change.outlook ? outlookLines(change.outlook, options) : []),
  ];
}

function headOf({ kind, name, change, file, configMap, before, after }: PlannedChange, { screen }: RenderOptions): string {
  const place = [...(file === undefined ? [] : [file === '-' ? 'standard input' : file]), ...(configMap === undefined ? [] : [`ConfigMap ${configMap}`])].join(', ');
  const hashes = [before?.claim.parsed.hash, after?.parsed.hash].filter((hash) => hash !== undefined);
  const hash = hashes.length === 2 && hashes[0] !== hashes[1] ? `  hash ${hashes.join(' → ')}` : '';
  return `${specTitle(kind, name)}  ${painted({ text: change, tone: tones[change] }, screen.colours)}${place === '' ? '' : `  (${place})`}${hash}`;
}

function fieldText({ path, before, after }: FieldChange): string {
  const where = path === '' ? 'the whole text' : path;
  if (before === undefined) return `+ ${where}: ${shown(after)}`;
  return after === undefined ? `- ${where}: ${shown(before)}` : `~ ${where}: ${shown(before)} → ${shown(after)}`;
}

/** Of a Job that is new, or not there any more, the fields of the spec tell enough. */
function jobLines({ title, change, diff }: JobChange, { screen }: RenderOptions): string[] {
  if (change !== 'changed') return [`  ${title}: ${change === 'new' ? 'a new Job' : 'no Job any more'}`];
  return [`  ${title}`, ...cutLines(diff).map((line) => `    ${painted({ text: line, tone: diffTone(line) }, screen.colours)}`)];
}

function cutLines(diff: readonly string[]): readonly string[] {
  return diff.length <= mostLines ? diff : [...diff.slice(0, mostLines), `… and ${diff.length - mostLines} more lines`];
}

function diffTone(line: string): Tone | undefined {
  return line.startsWith('+') ? 'good' : line.startsWith('-') ? 'bad' : line.startsWith('@') ? 'faint' : undefined;
}

function outlookLines({ stand, existing, starts, next, checked }: Outlook, { now }: RenderOptions): string[] {
  return [
    ...existing.slice(0, mostFields).map(({ subject, what }) => `  ${subject} ${what}`),
    ...(existing.length > mostFields ? [`  … and ${existing.length - mostFields} more`] : []),
    ...(checked === undefined ? [] : [`  dry run: ${checkedText(checked)}`]),
    // That the queue is looked at first is said by what comes then.
    ...(stand && !(stand.reason === 'SpecChecking' && starts.length > 0) ? [`  then: ${stand.state} (${stand.reason}): ${oneLine(stand.message)}`] : []),
    ...starts.map((text) => `  ${text}`),
    ...(next === undefined || next <= now ? [] : [`  next: ${isoTime(next)} (in ${elapsed(next - now)})`]),
  ];
}

function checkedText(checked: NonNullable<Outlook['checked']>): string {
  switch (checked.kind) {
    case 'passed':
      return checked.warnings.length === 0 ? 'the API server takes the Jobs' : `the API server takes the Jobs, and warns: ${checked.warnings.map(oneLine).join('; ')}`;
    case 'refused':
      return `the API server refuses: ${oneLine(checked.message)}`;
    case 'denied':
      return `the operator's policy refuses: ${oneLine(checked.message)}`;
    case 'forbidden':
      return `not asked, for want of the right to create Jobs: ${oneLine(checked.message)}`;
    case 'unknown':
      return `no clear answer: ${oneLine(checked.message)}`;
  }
}

/** `1 new, 2 changed, 5 unchanged`. */
export function summaryOf({ changes }: FilesPlan): string {
  const words = ['new', 'changed', 'removed', 'unchanged'] as const;
  const counts = words.flatMap((word) => {
    const count = changes.filter(({ change }) => change === word).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return counts.length === 0 ? 'no specs found' : counts.join(', ');
}

/** The same for programs. */
export function planDocument({ namespace, changes, problems, notes }: FilesPlan): object {
  return { namespace, specs: changes.map(changeDocument), problems, notes };
}

function changeDocument({ kind, name, change, file, configMap, before, after, fields, files, jobs, removed, notes, outlook }: PlannedChange): object {
  return {
    kind, name, change, file, configMap,
    hash: { before: before?.claim.parsed.hash, after: after?.parsed.hash },
    valid: after === undefined ? undefined : after.parsed.spec !== undefined,
    fields, files,
    jobs: jobs.map(({ diff, ...job }) => ({ ...job, diff: diff.join('\n') })),
    removed: removed.map(({ claim }) => sourceName(claim)),
    notes,
    ...(outlook && { dryRun: outlook.checked, stand: outlook.stand && { state: outlook.stand.state, reason: outlook.stand.reason, message: outlook.stand.message }, existing: outlook.existing, starts: outlook.starts, next: outlook.next === undefined ? undefined : isoTime(outlook.next) }),
  };
}
