import { describe, expect, it } from 'vitest';
import { approvalAsked, unusableApprovals } from '../../../../src/plan/run/asks.ts';
import type { RunCommands } from '../../../../src/plan/run/record.ts';
import type { RunState } from '../../../../src/plan/run/state.ts';
import { aState } from '../../../support/record-fakes.ts';
import { approval, aWorkflow } from '../../../support/run-builders.ts';

const spec = aWorkflow('build\nsign-off < build\ndeploy < sign-off\nask-again < deploy', { steps: { 'sign-off': { work: approval }, 'ask-again': { work: approval } } });
const at = 1000;
const asked = (step: string): RunState['steps'] => ({ [step]: { attempts: [{ job: step, at }] } });

describe('what a run asks for', () => {
  it.each<[string, RunState, string | undefined]>([
    ['nothing while its steps run', aState({ steps: { build: { attempts: [{ job: 'j', at }] } } }), undefined],
    ['an approval, with the command', aState({ steps: asked('sign-off') }), 'step "sign-off" waits to be approved: job-chief approve etl-1 sign-off'],
    ['several', aState({ steps: { ...asked('sign-off'), ...asked('ask-again') } }), '2 steps wait to be approved: job-chief approve etl-1 sign-off'],
    ['nothing once it was answered', aState({ steps: { 'sign-off': { outcome: 'failed', reason: 'ApprovalRejected' } } }), undefined],
    ['nothing at its end', aState({ steps: asked('sign-off'), end: { outcome: 'cancelled', reason: 'RunCancelled', message: '', at, failedSteps: [] } }), undefined],
  ])('is %s', (_sentence, state, text) => {
    expect(approvalAsked('etl-1', spec, state)).toBe(text);
  });
});

describe('an answer', () => {
  const commands = (changes: Partial<RunCommands>): RunCommands => ({ cancel: undefined, suspend: false, approvals: new Map(), ...changes });

  it.each<[string, Partial<RunCommands>, string[]]>([
    ['none', {}, []],
    ['to steps that ask, also before they do and in the spelling of expressions', { approvals: new Map([['sign-off', 'approved'], ['ask_again', 'rejected']]) }, []],
    ['to a misspelt step', { approvals: new Map([['signoff', 'approved']]) }, ['no step "signoff" asks for an approval: did you mean "sign-off"?']],
    ['to a step that does not ask', { approvals: new Map([['deploy', 'approved']]) }, ['no step "deploy" asks for an approval']],
    ['that is misspelt', { misread: ['sign-off=reject'] }, ['"sign-off=reject" is no answer: write STEP or STEP=rejected']],
  ])('%s', (_sentence, given, texts) => {
    expect(unusableApprovals(spec, commands(given))).toEqual(texts);
  });
});
