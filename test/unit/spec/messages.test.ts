import { describe, expect, it } from 'vitest';
import { aQueue, parse } from './input.ts';

/** `message | hint` of the problem with the code, as users read it. */
function told(code: string, ...lines: readonly string[]): string {
  const { problems } = parse(aQueue(...lines));
  const found = problems.find((problem) => problem.code === code);
  return found ? [found.message, found.hint].filter((text) => text !== undefined).join(' | ') : `no ${code} among ${JSON.stringify(problems)}`;
}

describe('messages', () => {
  const cases: readonly [code: string, line: string, text: string][] = [
    ['UnknownField', 'suspended: true', 'unknown field "suspended" | did you mean "suspend"?'],
    ['UnknownField', 'drain: {interval: 5s}', 'unknown field "interval" | the fields here are checkInterval, pods, waitAfter'],
    ['UnknownField', 'job: {image: x, imagePullPolcy: Always}', 'unknown field "imagePullPolcy" | did you mean "imagePullPolicy"? the Job fields known here are those of Kubernetes 1.36'],
    ['UnknownField', 'job: {image: x, frobnicate: 1}', 'unknown field "frobnicate" | remove it or correct its name; the Job fields known here are those of Kubernetes 1.36'],
    ['UnknownField', 'job: {image: x, paralelism: 3}', 'unknown field "paralelism" | did you mean "parallelism"? That must not be set here: set drain.pods, from which job-chief computes how many pods run at once'],
    ['UnknownField', 'job: {image: x, env: [{nam: A, value: b}]}', 'unknown field "nam" | did you mean "name"? the Job fields known here are those of Kubernetes 1.36'],
    ['RefusedField', 'job: {image: x, ttlSecondsAfterFinished: 3}', '"ttlSecondsAfterFinished" must not be set here | use retention of the spec, which keeps the Jobs that are still needed as records'],
    ['RefusedField', 'job: {image: x, suspend: true}', '"suspend" must not be set here | use suspend of the spec; for Kueue set the label kueue.x-k8s.io/queue-name through jobMetadata, Kueue suspends Jobs itself'],
    ['RefusedField', 'job: {image: x, containers: []}', '"containers" must not be set here | a job has one container, whose fields stand directly in it; for several use jobTemplate, a whole JobTemplateSpec'],
    ['MissingField', 'source: {}', 'one of "pgBoss", "amqp" and "sqs" is required | pgBoss is a queue in PostgreSQL, amqp one of RabbitMQ, sqs one of Amazon SQS'],
    ['InvalidValue', 'concurrency: {group: GPU}', 'must be the name of a group: at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends, is "GPU"'],
    ['WrongType', 'job: {image: x, env: [{name: A, value: 14}]}', 'must be text, is the number 14 | put it in quotes: "14"'],
    ['WrongType', 'job: {image: x, env: [{name: A, value: true}]}', 'must be text, is the boolean true | put it in quotes: "true"'],
    ['WrongType', 'job: {image: x, backoffLimit: "3"}', 'must be a whole number, is the text "3" | write it without quotes: 3'],
    ['WrongType', 'job: {image: x, tty: "true"}', 'must be true or false, is the text "true" | write it without quotes: true'],
    ['WrongType', 'job: {image: x, command: sh}', 'must be a list, is the text "sh" | write it as a list'],
    ['WrongType', 'job: {image: x, env: {A: b}}', 'must be a list, is a mapping | write it as a list'],
    ['WrongType', 'job:', 'must be a mapping, has no value | give it a value or remove the field'],
    ['WrongType', 'drain:', 'must be a mapping, has no value | write {} for the defaults, or remove the field'],
    ['WrongType', 'timeout: 90', 'must be a duration such as "90s", "1h30m" or "7d", is the number 90 | write it with a unit, such as "90s"'],
    ['InvalidDuration', 'timeout: 90 minutes', 'must be a duration such as "90s", "1h30m" or "7d", is "90 minutes"'],
    ['InvalidDuration', 'startTimeout: 25h', 'must be from 1s to 1d, is "25h"'],
    ['InvalidValue', 'onSpecChange: replac', 'must be "keep" or "replace", is "replac" | did you mean "replace"?'],
    ['InvalidValue', 'job: {image: x, imagePullPolicy: always}', 'must be "Always", "IfNotPresent" or "Never", is "always" | did you mean "Always"?'],
    ['InvalidValue', 'job: {image: ""}', 'must not be empty, is ""'],
    ['InvalidValue', 'drain: {pods: {max: 0}}', 'must be from 1 to 10000, is 0'],
    ['InvalidValue', 'concurrency: {max: 5}', 'must be 1, is 5: a Queue with drain has one unfinished Job at a time | drain.pods.max says how many pods that Job has'],
    ['InvalidValue', 'breaker: {failed: 0}', 'must be a whole number from 1 to 1000, or off, is 0'],
    ['InvalidValue', 'job: {image: x, resources: {limits: {memory: 1 GB}}}', 'must be a quantity such as "500m", "2" or "1.5Gi", is "1 GB"'],
    ['InvalidValue', 'retention: {failed: {}}', 'must not be empty, is {}'],
    ['InvalidValue', 'jobMetadata: {labels: {"a b": c}}', 'the key "a b" must be a label or annotation key such as "team" or "example.com/team"'],
    ['MissingField', 'source: {pgBoss: {connection: main}}', 'the field "queue" is required | Name of the queue, exactly as pg-boss knows it.'],
    ['MissingField', 'job: {command: [sh]}', 'the field "image" is required'],
    ['ConflictingFields', 'drain: {pods: {min: 4, max: 2}}', 'max must not be less than min, but 2 is less than 4 | set max to 4 or more'],
    ['ConflictingFields', 'drain: {pods: {min: 4}}', 'min must not be more than max, which is 1 unless it is set, but is 4 | set max to 4 or more'],
    ['AmbiguousNumber', 'x: 0644', '0644 is read as a decimal number by some YAML tools and as an octal one by others | write "0644" in quotes for text, or write 0o644 for an octal number such as a file mode'],
    ['AmbiguousNumber', 'x: 0899', '0899 is read as a decimal number by some YAML tools and as an octal one by others | write "0899" in quotes for text'],
    ['AmbiguousWord', 'suspend: yes', 'yes is read as text by some YAML tools and as a boolean by others | write "yes" in quotes for text, or true or false'],
    ['UnknownReference', 'timeout: $(params.t)', '$(params.t) names nothing: a Queue with drain has no parameters, steps, items or messages | its pods fetch messages for themselves; where the text itself must reach the container write $$(params.t)'],
  ];
  it.each(cases)('%s of %s', (code, line, text) => {
    expect(told(code, line)).toBe(text);
  });

  it('name a missing image and its misspelling once', () => {
    expect(parse(aQueue('job: {imag: x}')).problems.map(({ code }) => code)).toEqual(['UnknownField']);
  });

  it('name a misspelt source or mode once', () => {
    expect(parse(aQueue('source: {pgboss: {connection: main, queue: a}}')).problems.map(({ code }) => code)).toEqual(['UnknownField']);
    expect(parse(aQueue().replace('drain:', 'perMesage:')).problems.map(({ code }) => code)).toEqual(['UnknownField']);
  });
});
