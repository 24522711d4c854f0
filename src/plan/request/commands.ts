/** What a Run says about its run, held against what its record has already. */
import type { RunSpec } from '../../spec/run.ts';
import type { ObservedRecord, RunCommands } from '../run/record.ts';
import type { RecordCommands } from './action.ts';

/**
 * What is to be written; undefined: nothing. A Run's word goes before what others wrote on the record, as it is declared:
 * for the steps that it names, for `cancel`, and for `suspend: true`. Without one, theirs stays.
 */
export function commandsFor(spec: RunSpec, { commands }: ObservedRecord): RecordCommands | undefined {
  const { cancel } = spec;
  const approvals = approvalsFor(spec.approvals, commands.approvals);
  const suspend = suspendFor(spec, commands);
  const wanted: RecordCommands = {
    // A reason that others gave does as well.
    ...(cancel !== undefined && commands.cancel === undefined ? { cancel } : {}),
    ...(approvals === undefined ? {} : { approvals }),
    ...(suspend === undefined ? {} : { suspend }),
  };
  return Object.keys(wanted).length === 0 ? undefined : wanted;
}

function approvalsFor(wanted: RunSpec['approvals'], given: RunCommands['approvals']): string | undefined {
  const different = Object.entries(wanted).filter(([step, word]) => given.get(step) !== word);
  if (different.length === 0) return undefined;
  return [...new Map([...given, ...different])].map(([step, word]) => (word === 'approved' ? step : `${step}=${word}`)).join(',');
}

function suspendFor({ suspend }: RunSpec, commands: RunCommands): RecordCommands['suspend'] {
  if (suspend) return commands.suspend ? undefined : 'run';
  return commands.suspendedByRun === true ? null : undefined;
}
