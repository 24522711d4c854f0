import { describe, expect, it } from 'vitest';
import { specSizeLimit, specSizeWarning } from '../../../src/spec/keys.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import { anInput, aQueue, codes, parse, validQueue } from './input.ts';

describe('a Queue with nothing but what is required', () => {
  it('has all defaults', () => {
    expect(validQueue(aQueue())).toEqual({
      kind: 'Queue',
      mode: 'drain',
      name: 'thumbnails',
      hash: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
      suspend: false,
      observe: false,
      onSpecDelete: 'delete',
      onSpecChange: 'keep',
      retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: 604_800_000 } },
      jobMetadata: { labels: {}, annotations: {} },
      podMetadata: { labels: {}, annotations: {} },
      health: { includeLastRun: false },
      concurrency: { max: 1, group: undefined, priority: 0 },
      source: { type: 'pgBoss', connection: 'main', queue: 'thumbnails', schema: undefined },
      drain: {
        checkInterval: 10_000,
        pods: { min: 1, max: 1, messagesPerPod: 1 },
        waitAfter: { succeeded: 0, failed: 30_000, notStarted: 120_000, refused: 30_000 },
      },
      startTimeout: 900_000,
      timeout: undefined,
      breaker: { notStarted: 5, failed: undefined, probeEvery: 300_000 },
      injectConnection: false,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'ghcr.io/acme/thumbnailer:3.1' }] } },
        },
      },
    });
  });
});

describe('fields of a Queue', () => {
  const cases: readonly [what: string, lines: readonly string[], expected: object][] = [
    ['reads durations as milliseconds', ['drain: {checkInterval: 1m30s}'], { drain: { checkInterval: 90_000 } }],
    ['keeps the other waits at their defaults', ['drain: {waitAfter: {failed: 5m}}'], { drain: { waitAfter: { succeeded: 0, failed: 300_000, notStarted: 120_000, refused: 30_000 } } }],
    ['keeps the other pod bounds at their defaults', ['drain: {pods: {max: 7}}'], { drain: { pods: { min: 1, max: 7, messagesPerPod: 1 } } }],
    ['takes min equal to max', ['drain: {pods: {min: 7, max: 7}}'], { drain: { pods: { min: 7, max: 7 } } }],
    ['reads the schema of pg-boss', ['source: {pgBoss: {connection: a.b, queue: q, schema: jobs}}'], { source: { type: 'pgBoss', connection: 'a.b', queue: 'q', schema: 'jobs' } }],
    ['reads the timeout', ['timeout: 2h'], { timeout: 7_200_000 }],
    ['reads the start timeout', ['startTimeout: 45s'], { startTimeout: 45_000 }],
    ['switches the breaker off', ['breaker: {notStarted: off, failed: off}'], { breaker: { notStarted: undefined, failed: undefined, probeEvery: 300_000 } }],
    ['takes false for off', ['breaker: {notStarted: false}'], { breaker: { notStarted: undefined } }],
    ['takes off in quotes', ['breaker: {notStarted: "off"}'], { breaker: { notStarted: undefined } }],
    ['switches the breaker on', ['breaker: {failed: 3, probeEvery: 30s}'], { breaker: { notStarted: 5, failed: 3, probeEvery: 30_000 } }],
    ['a rule of retention replaces its default as a whole', ['retention: {failed: {count: 5}}'], { retention: { succeeded: { count: 3, age: undefined }, failed: { count: 5, age: undefined } } }],
    ['an age alone bounds no count', ['retention: {succeeded: {age: 1d}}'], { retention: { succeeded: { count: undefined, age: 86_400_000 } } }],
    ['reads flags', ['suspend: true', 'observe: true', 'injectConnection: true', 'health: {includeLastRun: true}'], { suspend: true, observe: true, injectConnection: true, health: { includeLastRun: true } }],
    ['reads what happens on change and deletion', ['onSpecChange: replace', 'onSpecDelete: finish'], { onSpecChange: 'replace', onSpecDelete: 'finish' }],
    ['reads metadata', ['jobMetadata: {labels: {a: b}}', 'podMetadata: {annotations: {x/y: z}}'], { jobMetadata: { labels: { a: 'b' }, annotations: {} }, podMetadata: { labels: {}, annotations: { 'x/y': 'z' } } }],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(validQueue(aQueue(...lines))).toMatchObject(expected);
  });
});

describe('names of queues are whatever pg-boss takes', () => {
  it.each(['a_b', 'a/b', 'ABC', 'a b', '-', '__pgboss__x', 'ä', '💡', '$(x)', 'a'.repeat(2_600)])('%s', (queue) => {
    expect(validQueue(aQueue(`source: {pgBoss: {connection: main, queue: ${JSON.stringify(queue)}}}`)).source.queue).toBe(queue);
  });

  it.each([
    ['an empty name', '""'],
    ['a name with NUL', '"a\\0b"'],
    ['a name that PostgreSQL cannot index', 'a'.repeat(2_601)],
  ])('but not %s', (_what, queue) => {
    expect(codes(parse(aQueue(`source: {pgBoss: {connection: main, queue: ${queue}}}`)))).toEqual(['InvalidValue source.pgBoss.queue']);
  });
});

describe('the logical name', () => {
  const long = `${'a'.repeat(62)}.`.repeat(4).slice(0, 252).replace(/\.$/, 'b');
  const cases: readonly [what: string, text: string, objectName: string, name: string][] = [
    ['is the ConfigMap’s', aQueue(), 'thumbs-1', 'thumbs-1'],
    ['is the spec’s where that has one', aQueue('name: other'), 'thumbs-1', 'other'],
    ['may have 253 characters', aQueue(`name: ${'a'.repeat(253)}`), 'x', 'a'.repeat(253)],
    ['may be a long name with dots', aQueue(`name: ${long}`), 'x', long],
    ['is the ConfigMap’s where the spec’s is bad', aQueue('name: A_b'), 'thumbs-1', 'thumbs-1'],
    ['is found in text with broken syntax', `${aQueue('name: other')}x: [`, 'thumbs-1', 'other'],
    ['is found in text that is too large', aQueue('name: "other" # big', `# ${'x'.repeat(specSizeLimit)}`), 'thumbs-1', 'other'],
    ['is not taken from deeper fields', `apiVersion: job-chief/v1\njob:\n  name: inner\nx: [`, 'thumbs-1', 'thumbs-1'],
  ];
  it.each(cases)('%s', (_what, text, objectName, name) => {
    expect(parse(text, { objectName }).name).toBe(name);
  });

  it('of a file must be one: its base name may be anything', () => {
    expect(codes(parse(aQueue(), { objectName: 'My Specs_1', label: undefined }))).toEqual(['InvalidName']);
  });
});

describe('kind and label', () => {
  const cases: readonly [what: string, kind: string, label: string | undefined, expected: readonly string[], parsed: string | undefined][] = [
    ['agree', 'kind: Queue', 'queue', [], 'Queue'],
    ['a file has no label', 'kind: Queue', undefined, [], 'Queue'],
    ['disagree', 'kind: Queue', 'workflow', ['LabelMismatch kind'], 'Queue'],
    ['a label that is no kind', 'kind: Queue', 'thumbnails', ['LabelMismatch kind'], 'Queue'],
    ['a label in capitals', 'kind: Queue', 'Queue', ['LabelMismatch kind'], 'Queue'],
    ['no kind in the text', '', 'queue', ['MissingField kind'], 'Queue'],
    ['no kind anywhere', '', undefined, ['MissingField kind'], undefined],
    ['a kind that there is not', 'kind: Cron', 'queue', ['UnknownKind kind'], undefined],
    ['a misspelt kind', 'kind: queue', 'queue', ['UnknownKind kind'], undefined],
    ['a kind that is no text', 'kind: [Queue]', 'queue', ['UnknownKind kind'], 'Queue'],
  ];
  it.each(cases)('%s', (_what, kind, label, expected, parsed) => {
    const result = parse(aQueue().replace('kind: Queue', kind), { label });
    expect(codes(result)).toEqual(expected);
    expect(result.kind).toBe(parsed);
  });

  it('tells which kinds there are', () => {
    const [problem] = parse('apiVersion: job-chief/v1\nkind: Somewhat\n', { label: undefined }).problems;
    expect(problem).toMatchObject({ message: 'unknown kind "Somewhat"', hint: 'the kinds are "Queue", "Workflow", "Template", "Run" or "Limits"' });
  });
});

describe('data of the ConfigMap', () => {
  it('without spec.yaml is an empty spec', () => {
    const result = parseSpec(anInput('', { data: {} }), {});
    expect(result).toEqual({
      kind: 'Queue',
      name: 'thumbnails',
      hash: undefined,
      spec: undefined,
      problems: [
        {
          code: 'EmptySpec',
          severity: 'error',
          message: 'the ConfigMap has no data key "spec.yaml"',
          hint: 'put the spec under the data key spec.yaml',
          position: { file: 'configmap/thumbnails', line: 1, column: 1 },
        },
      ],
    });
  });

  it.each(['spec.yml', 'Spec.yaml', 'thumbnails.yaml'])('with %s instead is told to rename it', (key) => {
    expect(parse('', { data: { [key]: aQueue() } }).problems[0]?.hint).toBe(`rename the data key "${key}" to spec.yaml`);
  });

  it.each(['', '\n\n', '# only a comment\n', '---\n', 'null\n'])('with %j in spec.yaml is an empty spec', (text) => {
    expect(codes(parse(text))).toEqual(['EmptySpec']);
  });

  it('with other keys warns about each', () => {
    const result = parse('', { data: { 'spec.yaml': aQueue(), 'run.sh': 'x', 'second.yaml': 'y' } });
    expect(codes(result)).toEqual(['UnusedFile data["run.sh"]', 'UnusedFile data["second.yaml"]']);
    expect(result.spec).toBeDefined();
  });
});

describe('size', () => {
  const padded = (bytes: number): string => `${aQueue()}#${'x'.repeat(bytes - aQueue().length - 1)}`;
  const cases: readonly [what: string, text: string, expected: readonly string[]][] = [
    ['below the warning', padded(specSizeWarning), []],
    ['above the warning', padded(specSizeWarning + 1), ['SpecLarge']],
    ['at the limit', padded(specSizeLimit), ['SpecLarge']],
    ['above the limit', padded(specSizeLimit + 1), ['SpecTooLarge']],
    ['of 1 MiB', padded(1_048_576), ['SpecTooLarge']],
    ['counted in bytes, not characters', `${aQueue()}#${'ä'.repeat(specSizeLimit / 2)}`, ['SpecTooLarge']],
  ];
  it.each(cases)('%s', (_what, text, expected) => {
    expect(codes(parse(text))).toEqual(expected);
  });

  it('above the limit is never parsed', () => {
    expect(parse(padded(1_048_576))).toMatchObject({ kind: 'Queue', name: 'thumbnails', hash: undefined, spec: undefined });
  });
});

describe('the hash', () => {
  const hash = (text: string, changes = {}): string | undefined => parse(text, changes).hash;
  const base = aQueue('timeout: 1h', 'injectConnection: false');

  it.each([
    ['comments', `# why\n${base}# because\n`],
    ['the order of fields', aQueue('injectConnection: false', 'timeout: 1h')],
    ['suspend and observe, which are switched on and off again', aQueue('timeout: 1h', 'injectConnection: false', 'suspend: true', 'observe: true')],
    ['the style of YAML', base.replace('{image: ghcr.io/acme/thumbnailer:3.1}', '\n  image: "ghcr.io/acme/thumbnailer:3.1"')],
    ['line ends', base.replaceAll('\n', '\r\n')],
  ])('does not change with %s', (_what, text) => {
    expect(hash(text)).toBe(hash(base));
  });

  it('does not change with the name of the ConfigMap or the defaults of the operator', () => {
    expect(hash(base, { objectName: 'x-bcdfgh2456' })).toBe(hash(base));
    expect(parseSpec(anInput(base), { jobDefaults: { imageRegistry: 'registry.example.com' } }).hash).toBe(hash(base));
  });

  it.each([
    ['a value', base.replace('1h', '2h')],
    ['a default that is written out', aQueue('timeout: 1h', 'injectConnection: false', 'startTimeout: 15m')],
    ['a field that is left out', aQueue('timeout: 1h')],
  ])('changes with %s', (_what, text) => {
    expect(hash(text)).not.toBe(hash(base));
  });

  it('is there for a spec with errors that can be read', () => {
    expect(hash(aQueue('nonsense: 1'))).toMatch(/^[a-z2-7]{16}$/);
  });

  it.each(['a: [', 'a: 1\n---\nb: 2', '\ta: 1'])('is missing where %j cannot be read', (text) => {
    expect(hash(text)).toBeUndefined();
  });
});

describe('onSpecDelete', () => {
  const cases: readonly [objectName: string, text: string, expected: string][] = [
    ['thumbnails', aQueue(), 'delete'],
    ['thumbnails-5h2c9m7kbd', aQueue(), 'finish'],
    ['thumbnails-5h2c9m7kbd', aQueue('onSpecDelete: delete'), 'delete'],
    ['thumbnails-5h2c9m7kb', aQueue(), 'delete'],
    ['thumbnails-aaaaaaaaaa', aQueue(), 'delete'],
    ['thumbnails-production', aQueue(), 'delete'],
    ['thumbnails-5h2c9m7kbd', aQueue('name: thumbnails'), 'finish'],
  ];
  it.each(cases)('of %s is right for %j', (objectName, text, expected) => {
    expect(validQueue(text, { objectName }).onSpecDelete).toBe(expected);
  });
});

describe('many problems', () => {
  it('stop at a hundred, and say so', () => {
    const { problems } = parse(aQueue(...Array.from({ length: 150 }, (_, index) => `unknown${index}: 1`)));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({ code: 'TooManyProblems', severity: 'warning', message: '50 more problems are not listed' });
  });

  it('never hide that there is an error', () => {
    const args = Array.from({ length: 150 }, (_, index) => `"\${X${index}}"`).join(', ');
    const { problems, spec } = parse(aQueue(`job: {image: x, args: [${args}]}`, 'nonsense: 1'));
    expect(problems.filter(({ severity }) => severity === 'error')).toHaveLength(1);
    expect(spec).toBeUndefined();
  });

  it('are in the order of the text', () => {
    const lines = parse(aQueue('zzz: 1', 'job: {imag: x}', 'suspend: 3')).problems.map(({ position }) => position?.line);
    expect(lines).toEqual(lines.toSorted((left, right) => (left ?? 0) - (right ?? 0)));
  });
});
