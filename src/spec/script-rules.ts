/** References inside the text of a shell script, where a value becomes code. */
import { arrayAt, type Json, type JsonObject } from '../lib/json.ts';
import type { FieldPath } from './field-path.ts';
import { jobParts, type JobPart } from './job-parts.ts';
import { referencesIn } from './references.ts';
import type { Finding } from './report.ts';

const shell = /(^|\/)(sh|ash|bash|dash|ksh|zsh)$/;
/** `-c`, also among other letters: `-ec`. */
const scriptFollows = /^-[A-Za-z]*c$/;

/** Warnings about the containers in the `job` or `jobTemplate` that `holder` has. Paths count from the holder. */
export function scriptFindings(holder: JsonObject): Finding[] {
  return jobParts(holder).containers.flatMap(containerFindings);
}

interface Word {
  readonly value: Json;
  readonly path: FieldPath;
}

function containerFindings({ value, path }: JobPart): Finding[] {
  const words = ['command', 'args'].flatMap((field) => arrayAt(value, field).map((word, index): Word => ({ value: word, path: [...path, field, index] })));
  const script = scriptAmong(words);
  if (!script || typeof script.value !== 'string') return [];
  return referencesIn(script.value).map(({ text, offset }) => ({
    code: 'ReferenceInScript',
    message: `${text} is pasted into a shell script, where its value can be code`,
    path: script.path,
    within: offset,
    hint: `pass it beside the script: as the value of an environment variable, or as an argument, [sh, -c, 'echo "$1"', sh, ${text}]`,
  }));
}

/** The word after `sh … -c`. */
function scriptAmong(words: readonly Word[]): Word | undefined {
  const first = words.findIndex(({ value }) => typeof value === 'string' && shell.test(value));
  const option = first < 0 ? -1 : words.findIndex(({ value }, index) => index > first && typeof value === 'string' && scriptFollows.test(value));
  return option < 0 ? undefined : words[option + 1];
}
