import { describe, expect, it } from 'vitest';
import { approveCommand, cancelCommand, suspendCommand, type CommandAnswer } from '../../../../src/plan/run/commands.ts';
import { aRecord, aStep, aWorkflowSpec } from '../../../support/workflows.ts';

const open = aRecord({ name: 'r', phase: 'Running' });
const over = aRecord({ name: 'r', phase: 'Succeeded' });
const spec = aWorkflowSpec({ steps: [aStep('load'), aStep('may-i', { work: { kind: 'approve', message: 'go?' } })] });
const facts = { spec, state: undefined, written: undefined };
const approve = (step: string, changes: Partial<Parameters<typeof approveCommand>[2]> = {}, word: 'approved' | 'rejected' = 'approved'): CommandAnswer => approveCommand(open, { step, word }, { ...facts, ...changes });

describe('what is asked of a run', () => {
  it.each<[string, CommandAnswer, object]>([
    ['to end is written with its reason', cancelCommand(open, 'enough'), { kind: 'write', annotations: { 'job-chief/cancel': 'enough' } }],
    ['to end twice is no news', cancelCommand(aRecord({ phase: 'Running', commands: { cancel: 'x' } }), 'y'), { kind: 'already' }],
    ['to end once it was cancelled is no news', cancelCommand(aRecord({ phase: 'Cancelled', commands: { cancel: 'x' } }), 'y'), { kind: 'already' }],
    ['to end once it is over is refused', cancelCommand(over, 'y'), { kind: 'refused', code: 'RunOver' }],
    ['to wait is written', suspendCommand(open, true), { kind: 'write', annotations: { 'job-chief/suspend': 'true' } }],
    ['to go on takes that away', suspendCommand(aRecord({ phase: 'Suspended', commands: { suspend: true } }), false), { kind: 'write', annotations: { 'job-chief/suspend': null } }],
    ['to go on while it does is no news', suspendCommand(open, false), { kind: 'already' }],
    ['of a record that is being deleted is refused', suspendCommand(aRecord({ phase: 'Running', deleting: true }), true), { kind: 'refused', code: 'RunGone' }],
    ['as an approval is written beside those of others', approve('may-i', { written: 'other=rejected, may-i=rejected' }), { kind: 'write', annotations: { 'job-chief/approvals': 'other=rejected,may-i' } }],
    ['as a rejection is written as such', approve('may-i', {}, 'rejected'), { kind: 'write', annotations: { 'job-chief/approvals': 'may-i=rejected' } }],
    ['as an approval of a step that waits for nobody is refused', approve('load'), { kind: 'refused', code: 'NoApproval' }],
    ['as an approval of a step that there is not is refused, with a guess', approve('may'), { kind: 'refused', code: 'UnknownStep', message: 'run "r" has no step "may"; did you mean "may-i"?' }],
    ['as an approval too late is refused', approve('may-i', { state: { startedAt: 0, undo: {}, steps: { 'may-i': { outcome: 'failed', at: 1 } } } }), { kind: 'refused', code: 'StepEnded' }],
    ['as an approval of what cannot be read counts as it is', approve('anything', { spec: undefined }), { kind: 'write' }],
  ])('%s', (_, answer, expected) => {
    expect(answer).toMatchObject(expected);
  });
});
