import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findField } from '../../../../src/cli/explain/find.ts';
import { explanation, explanationDocument } from '../../../../src/cli/explain/render.ts';
import { explainable, schemaOf } from '../../../../src/cli/explain/schemas.ts';

const explained = async (field: string, recursive = false): Promise<string[]> => explanation(await findField(field), recursive);

describe('explain', () => {
  it('has a kind for each published schema', async () => {
    const files = readdirSync(fileURLToPath(new URL('../../../../schemas', import.meta.url))).flatMap((name) => (name.endsWith('.schema.json') ? [name.replace('.schema.json', '')] : []));
    expect([...explainable].toSorted()).toEqual(files.toSorted());
    for (const kind of explainable) expect(await schemaOf(kind)).toHaveProperty('properties');
  });

  it('tells type, default, meaning and the fields below', async () => {
    expect(await explained('queue.drain.pods')).toEqual([
      'KIND:     queue',
      'FIELD:    drain.pods <mapping>',
      'DEFAULT:  {min: 1, max: 1, messagesPerPod: 1}',
      '',
      'DESCRIPTION:',
      '    How many pods drain the queue.',
      '',
      'FIELDS:',
      '  min <integer, 1 to 10000>, default 1',
      '    Least number of pods that a Job starts with.',
      '  max <integer, 1 to 10000>, default 1',
      '    Largest number of pods at once. Not less than min.',
      '  messagesPerPod <integer, 1 to 1000000000>, default 1',
      '    Waiting messages for each pod: pods = ready messages / messagesPerPod, rounded up, between',
      '    min and max.',
    ]);
  });

  it.each([
    ['queue.drain.checkInterval', 'drain.checkInterval <duration>'],
    ['queue.onSpecDelete', 'onSpecDelete <delete or finish>'],
    ['queue.source', 'source <mapping> -required-'],
    ['queue.breaker.notStarted', 'breaker.notStarted <integer, 1 to 1000, or off>'],
    ['workflow.steps', 'steps <list of mappings>'],
    ['workflow.parameters', 'parameters <mapping of names to mappings>'],
    ['workflow.steps.job.command', 'steps.job.command <list of texts, or text>'],
  ])('knows the type of %s', async (field, line) => {
    expect((await explained(field))[1]).toBe(`FIELD:    ${line}`);
  });

  it.each(['workflow.steps.job.image', 'workflow.steps[].job.image', 'workflow.steps[0].job.image', 'Workflows.steps.job.image'])('finds %s', async (field) => {
    expect((await findField(field)).path).toEqual(['steps', 'job', 'image']);
  });

  it.each([['workflow.parameters.day.type', ['parameters', '<name>', 'type']], ['workflow.parameters.type', ['parameters', '<name>', 'type']], ['limits.groups.gpu', ['groups', '<name>']]])('finds what is kept by name: %s', async (field, path) => {
    expect((await findField(field)).path).toEqual(path);
  });

  it.each([
    ['queue.drain.pod', 'queue.drain has no field "pod"; did you mean queue.drain.pods?'],
    ['workflw.steps', 'there is no kind "workflw"; did you mean workflow.steps?'],
    ['drain.pods', 'there is no kind "drain"; did you mean queue.drain.pods?'],
    ['queue.suspend.x', 'queue.suspend has no fields, so none is called "x"'],
    ['nothing', `there is no kind "nothing"; there is ${explainable.join(', ')}`],
    ['__proto__', `there is no kind "__proto__"; there is ${explainable.join(', ')}`],
    ['queue.constructor', expect.stringMatching(/^queue has no field "constructor"; it has /) as string],
  ])('says what was meant by %s', async (field, message) => {
    await expect(findField(field)).rejects.toThrow(expect.objectContaining({ message }) as Error);
  });

  it.each(explainable)('opens everything below %s, and comes to an end', async (kind) => {
    const lines = await explained(kind, true);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.length).toBeLessThan(20_000);
  });

  it('is the same as data', async () => {
    expect(explanationDocument(await findField('queue.drain.pods.min'))).toEqual({ kind: 'queue', path: 'drain.pods.min', type: 'integer, 1 to 10000', required: false, default: 1, description: 'Least number of pods that a Job starts with.', fields: [] });
  });
});
