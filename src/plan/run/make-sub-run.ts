/** The record that a step asks for, which runs another workflow or a template. */
import { priorityOf } from '../limits/priority.ts';
import type { RunDraft } from './draft.ts';
import { siteText, type Site } from './line.ts';
import { asObject, type Resolver } from './lookup.ts';
import type { Made } from './made.ts';
import { subRunName } from './names.ts';
import { requestFor, type RunRequest } from './record.ts';

/** Runs within runs: more can only be a workflow that runs itself. */
const deepest = 10;

/** Whoever waits for it must not wait longer for that. */
function priorityNote({ observed: { record, spec } }: RunDraft): Pick<RunRequest, 'priority'> {
  const priority = priorityOf(spec, record.request);
  return priority === 0 ? {} : { priority };
}

/** The record of one attempt. */
export function makeSubRun(draft: RunDraft, site: Site, attempt: number, resolver: Resolver): Made {
  const { step, index } = site;
  const { record, spec } = draft.observed;
  if (step.work.kind !== 'subRun') return { kind: 'problem', reason: 'ReferenceInvalid', message: 'the step runs no workflow and no template' };
  const depth = (record.request?.parent?.depth ?? 0) + 1;
  if (depth > deepest) return { kind: 'problem', reason: 'TooDeep', message: `runs are nested more than ${deepest} deep` };
  const { target } = step.work;
  const parameters = asObject(resolver.resolve(step.work.parameters, 'any'));
  if (parameters.kind !== 'value') return parameters;
  const name = subRunName(target.name, { uid: record.uid, step: step.name, index, attempt });
  return {
    kind: 'made',
    name,
    action: {
      kind: 'createSubRun',
      reason: attempt === 1 ? 'StepDue' : 'StepRetry',
      because: `${siteText(site)} runs ${target.kind} "${target.name}"`,
      step: step.name,
      name,
      request: { ...requestFor(target), trigger: 'step', ...priorityNote(draft), parent: { run: record.name, uid: record.uid, step: step.name, attempt, depth, within: [...(record.request?.parent?.within ?? []), spec.name] } },
      parameters: parameters.value,
    },
  };
}
