/** What a Workflow must be beyond its schema, apart from how its parts refer to each other (workflow-references.ts, workflow-graph.ts). */
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import { anyOf, shown } from '../lib/show.ts';
import { cronProblem, timeZoneProblem } from './cron.ts';
import { literals } from './expression-text.ts';
import type { FieldPath } from './field-path.ts';
import { extraMetadataFindings } from './job-rules.ts';
import type { Finding } from './report.ts';
import { idOf, type StepTexts } from './workflow-steps.ts';
import { mostSteps } from './workflow.ts';

/** Rules of the spec as a whole. */
export function workflowFindings(spec: JsonObject, steps: StepTexts): Finding[] {
  return [
    ...exactlyOne(spec, [], ['steps', 'phases'], 'steps is a list of steps, phases one of {name: …, steps: […]}'),
    ...triggerFindings(spec),
    ...uniqueNames(steps.all.map(({ name, path }) => ({ name, path: [...path, 'name'] })), 'step'),
    ...unspeakableNames(steps),
    ...uniqueNames(steps.phases.map((name, index) => ({ name, path: ['phases', index, 'name'] })), 'phase'),
    ...['parameters', 'outputs'].flatMap((field) => uniqueKeys(spec, [field])),
    ...steps.all.flatMap(({ value, path }) => uniqueKeys(value, ['outputs']).map((finding) => ({ ...finding, path: [...path, ...(finding.path ?? [])] }))),
    ...tooMany(steps),
    ...extraMetadataFindings(spec),
  ];
}

/** One of the fields, and no two of them. `path` is that of the mapping. */
export function exactlyOne(value: JsonObject, path: FieldPath, fields: readonly string[], hint: string): Finding[] {
  const [first, second] = fields.filter((field) => Object.hasOwn(value, field));
  if (second !== undefined) {
    return [{ code: 'ConflictingFields', message: `"${first ?? ''}" and "${second}" are both set, exactly one must be`, path: [...path, second], part: 'key', hint: 'remove one of the two' }];
  }
  if (first !== undefined) return [];
  return [{ code: 'MissingField', message: `one of ${anyOf(fields).replace(/ or /, ' and ')} is required`, path: [...path, fields[0] ?? ''], hint }];
}

function triggerFindings(spec: JsonObject): Finding[] {
  const trigger = spec['trigger'];
  if (!isObject(trigger)) return [];
  const scheduled = arrayAt(trigger, 'schedules').length > 0;
  const started = trigger['onChange'] === true || trigger['onRequest'] === true || scheduled;
  const needless = scheduled ? [] : ['timeZone', 'concurrencyPolicy', 'startingDeadline'].filter((field) => Object.hasOwn(trigger, field));
  return [
    ...(started ? [] : [{ code: 'MissingField' as const, message: 'nothing starts this workflow', path: ['trigger'], hint: 'set onChange: true, onRequest: true or schedules' }]),
    ...needless.map((field): Finding => ({ code: 'ConflictingFields', message: `"${field}" is about schedules, and there are none`, path: ['trigger', field], part: 'key', hint: 'add schedules, or remove it' })),
    ...scheduleFindings(trigger),
  ];
}

function scheduleFindings(trigger: JsonObject): Finding[] {
  const lines = arrayAt(trigger, 'schedules').flatMap((line, index): Finding[] => {
    const problem = typeof line === 'string' ? cronProblem(line) : undefined;
    return problem === undefined ? [] : [{ code: 'InvalidValue', message: `${shown(line)} is no schedule: ${problem}`, path: ['trigger', 'schedules', index], hint: 'such as "30 2 * * 1-5": 02:30 on workdays' }];
  });
  const zone = stringAt(trigger, 'timeZone');
  const problem = zone === undefined ? undefined : timeZoneProblem(zone);
  return problem === undefined ? lines : [...lines, { code: 'InvalidValue', message: problem, path: ['trigger', 'timeZone'] }];
}

/** No expression could name such a step. */
function unspeakableNames({ all }: StepTexts): Finding[] {
  return all.filter(({ name }) => literals.has(name)).map(({ name, path }) => ({ code: 'ReservedName', message: `no expression can name a step ${shown(name)}, which is a word of the language`, path: [...path, 'name'], hint: 'give it another name' }));
}

interface Named {
  readonly name: string;
  readonly path: FieldPath;
}

/** Expressions spell `a-b` and `a_b` the same way. */
function uniqueNames(all: readonly Named[], what: string): Finding[] {
  const first = new Map<string, string>();
  return all.flatMap(({ name, path }): Finding[] => {
    const other = first.get(idOf(name));
    if (name === '' || other === undefined) {
      first.set(idOf(name), name);
      return [];
    }
    const message = other === name ? `another ${what} is named ${shown(name)} too` : `the names ${shown(other)} and ${shown(name)} are one name to expressions, which spell "-" as "_"`;
    return [{ code: 'NameTaken', message, path, hint: 'give one of them another name' }];
  });
}

/** Keys of `parameters` and `outputs`. */
export function uniqueKeys(value: JsonObject, path: readonly string[]): Finding[] {
  const keys = Object.keys(objectAt(value, path[0] ?? ''));
  return uniqueNames(keys.map((name) => ({ name, path: [...path, name] })), path[0] === 'parameters' ? 'parameter' : 'output').map((finding) => ({ ...finding, part: 'key' as const }));
}

function tooMany({ all }: StepTexts): Finding[] {
  if (all.length <= mostSteps) return [];
  return [{ code: 'InvalidValue', message: `there are ${all.length} steps, more than the ${mostSteps} allowed`, path: [], hint: 'use forEach for work that differs by its input only, or split the workflow' }];
}
