/** What each step waits for, in the text of a Workflow: lists, phases, expressions, and what follows from references. */
import { arrayAt, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { shown } from '../lib/show.ts';
import { compileWhen, dependsOnCompiler, type Expression, type ExpressionProblem, type WhenScope } from './expression.ts';
import { neverHolds } from './expression-reach.ts';
import type { FieldPath } from './field-path.ts';
import { outputType } from './reference-scope.ts';
import type { Finding } from './report.ts';
import type { Mention } from './workflow-references.ts';
import { idOf, type StepText, type StepTexts } from './workflow-steps.ts';

/** One step that another waits for. */
export interface Edge {
  readonly to: StepText;
  /** Where that is written. */
  readonly path: FieldPath;
}

/** All that a step waits for. */
export interface Dependencies {
  /** Must be ok: listed, or named by a reference or `when`. */
  readonly all: readonly Edge[];
  readonly expression: Expression | undefined;
  /** Steps that the expression names. */
  readonly asked: readonly Edge[];
  readonly when: Expression | undefined;
  /** Index of the phase whose steps must be ok. */
  readonly phase: number | undefined;
}

/** The dependencies of all steps, and what is wrong with them. */
export interface SpecDependencies {
  readonly findings: readonly Finding[];
  readonly of: ReadonlyMap<StepText, Dependencies>;
}

interface Reading {
  readonly steps: StepTexts;
  readonly mentions: ReadonlyMap<StepText, readonly Mention[]>;
  readonly compile: { readonly early: Compile; readonly late: Compile };
  readonly when: Omit<WhenScope, 'finally'>;
  readonly findings: Finding[];
}
type Compile = (text: string) => Expression | ExpressionProblem;

/** Reads them. */
export function specDependencies(spec: JsonObject, steps: StepTexts, mentions: readonly Mention[]): SpecDependencies {
  const known = [...steps.byId.values()];
  const reading: Reading = {
    steps,
    mentions: Map.groupBy(mentions, ({ from }) => from),
    compile: { early: dependsOnCompiler({ steps: known.filter(({ late }) => !late) }), late: dependsOnCompiler({ steps: known }) },
    when: { steps: new Map(known.map((step) => [step.id, declaredOutputs(step)])), parameters: declaredValues(objectAt(spec, 'parameters'), (declared) => stringAt(declared, 'type')) },
    findings: [],
  };
  const of = new Map(steps.all.map((step) => [step, dependenciesOf(step, reading)]));
  return { findings: reading.findings, of };
}

function declaredOutputs(step: StepText): WhenScope['parameters'] {
  return declaredValues(objectAt(step.value, 'outputs'), (declared) => outputType(step, declared));
}

/** What has no type is reported by the schema; until that is mended it may be anything. */
function declaredValues(declared: JsonObject, typeOf: (one: Json | undefined) => string | undefined): WhenScope['parameters'] {
  const types = ['string', 'integer', 'number', 'boolean', 'object', 'array'] as const;
  return Object.fromEntries(
    Object.entries(declared).map(([name, one]) => {
      const type = types.find((known) => known === typeOf(one)) ?? 'object';
      return [name, { type, default: objectAt({ one }, 'one')['default'] }];
    }),
  );
}

function dependenciesOf(step: StepText, reading: Reading): Dependencies {
  const given = step.value['dependsOn'];
  const expression = typeof given === 'string' ? expressionOf(step, given, reading) : undefined;
  const asked = edgesTo(expression, [...step.path, 'dependsOn'], reading.steps);
  const when = whenOf(step, reading);
  const mentioned = (reading.mentions.get(step) ?? []).filter(({ to }) => to.late === step.late).map(({ to, path }) => ({ to, path }));
  const conditions = edgesTo(when, [...step.path, 'when'], reading.steps).filter(({ to }) => to.late === step.late);
  const implied = [...mentioned, ...conditions].filter(({ to }) => !asked.some((edge) => edge.to === to));
  return { all: distinct([...listed(step, reading), ...implied]), expression, asked, when, phase: phaseOf(step, asked) };
}

/** An expression that speaks of an earlier phase stands in for the edge to the phase before. */
function phaseOf({ phase }: StepText, asked: readonly Edge[]): number | undefined {
  if (phase === undefined || phase === 0) return undefined;
  return asked.some(({ to }) => to.phase !== undefined && to.phase < phase) ? undefined : phase - 1;
}

function distinct(edges: readonly Edge[]): Edge[] {
  const seen = new Set<StepText>();
  return edges.filter(({ to }) => !seen.has(to) && seen.add(to));
}

function edgesTo(expression: Expression | undefined, path: FieldPath, { byId }: StepTexts): Edge[] {
  return (expression?.steps ?? []).flatMap((id) => {
    const to = byId.get(id);
    return to ? [{ to, path }] : [];
  });
}

function listed(step: StepText, { steps, findings }: Reading): Edge[] {
  return arrayAt(step.value, 'dependsOn').flatMap((name, index): Edge[] => {
    const path = [...step.path, 'dependsOn', index];
    if (typeof name !== 'string') return [];
    const to = steps.byId.get(idOf(name));
    if (to && (!to.late || step.late)) return [{ to, path }];
    findings.push(to ? lateFinding(name, path) : unknownStep(name, path, steps));
    return [];
  });
}

function lateFinding(name: string, path: FieldPath): Finding {
  return { code: 'UnknownStep', message: `the step ${shown(name)} is one of finally, which start when all others are over`, path, hint: 'only steps of finally can depend on it' };
}

function unknownStep(name: string, path: FieldPath, { byId, phases }: StepTexts): Finding {
  const guess = nearest(name, [...byId.values()].map((step) => step.name));
  const otherwise = /[.&|!()]/.test(name) ? 'an expression is written as a text, not in a list' : 'a step is named by its field "name"';
  const hint = phases.includes(name) ? 'this is a phase, whose steps are waited for without being named' : guess === undefined ? otherwise : `did you mean "${guess}"?`;
  return { code: 'UnknownStep', message: `there is no step ${shown(name)}`, path, hint };
}

function expressionOf(step: StepText, text: string, { compile, findings }: Reading): Expression | undefined {
  const path = [...step.path, 'dependsOn'];
  const expression = checked((step.late ? compile.late : compile.early)(text), path, findings);
  if (expression && neverHolds(expression)) {
    findings.push({ code: 'NeverStarts', message: 'whatever comes of the steps that it names, this is never true', path, hint: 'the step never starts: mend the expression, or remove the step' });
  }
  return expression;
}

function whenOf(step: StepText, { when, findings }: Reading): Expression | undefined {
  const text = stringAt(step.value, 'when');
  if (text === undefined) return undefined;
  const steps = step.late ? when.steps : new Map([...when.steps].filter(([id]) => id !== step.id));
  return checked(compileWhen(text, { ...when, steps, finally: step.late }), [...step.path, 'when'], findings);
}

function checked(compiled: Expression | ExpressionProblem, path: FieldPath, findings: Finding[]): Expression | undefined {
  if (!('kind' in compiled)) return compiled;
  findings.push({ code: 'InvalidExpression', message: compiled.message, path, hint: compiled.hint, within: compiled.offset });
  return undefined;
}
