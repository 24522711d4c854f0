/** Every reason has its answer: what would end it. */
import { describe, expect, it } from 'vitest';
import { answers, answerTo, stepAnswers } from '../../../../src/cli/why/answers.ts';
import type { AnswerFacts } from '../../../../src/cli/why/answer.ts';
import { reasons } from '../../../../src/plan/reason.ts';
import { stepReasons } from '../../../../src/plan/run/step-reason.ts';

const facts: AnswerFacts = { namespace: 'acme', kind: 'workflow', name: 'etl', configMap: 'etl-cm', run: 'etl-1', step: 'load', object: 'etl-job' };

describe('answers', () => {
  it('are there for each reason of specs and runs, and for no other', () => {
    expect(Object.keys(answers).toSorted()).toEqual(Object.keys(reasons).toSorted());
  });

  it('are there for each reason of steps, and for no other', () => {
    expect(Object.keys(stepAnswers).toSorted()).toEqual(Object.keys(stepReasons).toSorted());
  });

  it.each([...Object.keys(reasons), ...Object.keys(stepReasons)])('say in a sentence or a command what to do about %s, or nothing', (reason) => {
    expect(answerTo(reason, facts)).toMatch(/^$|^\S.{10,}$/);
    expect(answerTo(reason, facts)).not.toContain('undefined');
  });

  it.each(Object.entries(reasons).filter(([, type]) => type === 'Warning').map(([reason]) => reason))('say what to do about the warning %s', (reason) => {
    expect(answerTo(reason, facts)).not.toBe('');
  });

  it.each([
    ['WaitsForApproval', 'job-chief approve etl-1 load -n acme'],
    ['RunSuspended', 'job-chief resume etl-1 -n acme'],
    ['RunFailed', 'job-chief rerun etl-1 -n acme'],
    ['WaitsForRequest', 'job-chief run etl -n acme'],
    ['SpecSuspended', 'set suspend: false in ConfigMap "etl-cm"'],
    ['JobStarting', 'if the message does not say enough: kubectl describe job etl-job -n acme'],
  ])('name the command for %s', (reason, answer) => {
    expect(answerTo(reason, facts)).toBe(answer);
  });

  it('tell what a reason means for a step where it means something else there', () => {
    expect(answerTo('StartTimeout', facts, true)).toBe('see why its pods wait, or raise startTimeout, then job-chief rerun etl-1 -n acme');
    expect(answerTo('StartTimeout', facts)).toBe('see why pods wait, or raise startTimeout');
  });

  it("take Kubernetes' own words for a step that failed", () => {
    expect(answerTo('OOMKilled', facts, true)).toBe('see its log, mend it, then job-chief rerun etl-1 -n acme');
    expect(answerTo('constructor', facts)).toBe(answerTo('StepFailed', facts));
  });

  it('name the spec where no ConfigMap defines it', () => {
    expect(answerTo('SpecSuspended', { ...facts, configMap: undefined })).toBe('set suspend: false in the text of workflow "etl"');
  });
});
