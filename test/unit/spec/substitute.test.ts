import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type Json, type JsonObject } from '../../../src/lib/json.ts';
import type { FieldPath } from '../../../src/spec/field-path.ts';
import { substitute, typeAt, type Destination, type LookedUp, type Substituted } from '../../../src/spec/substitute.ts';

/** Values by the text of their reference. */
function put(tree: Json, destination: Destination, values: Readonly<Record<string, Json>>): Substituted {
  return substitute(tree, destination, ({ text }): LookedUp => {
    const name = text.slice(2, -1);
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? { kind: 'missing', message: `${text} has no value` } : { kind: 'value', value };
  });
}

/** A JobTemplateSpec with these fields in its container, pod and Job. */
function aTemplate({ container = {}, pod = {}, job = {} }: { container?: JsonObject; pod?: JsonObject; job?: JsonObject }): JsonObject {
  return { spec: { ...job, template: { spec: { ...pod, containers: [{ name: 'main', image: 'app', ...container }] } } } };
}

const containerPath: FieldPath = ['spec', 'template', 'spec', 'containers', 0];

/** What becomes of `container`, or the message. */
function inContainer(container: JsonObject, values: Readonly<Record<string, Json>>): Json {
  const result = put(aTemplate({ container }), 'job', values);
  if (result.kind === 'problem') return `${result.path.slice(5).join('.')}: ${result.message}`;
  const filled = containerPath.reduce<Json | undefined>((at, key) => (Array.isArray(at) ? at[Number(key)] : isObject(at) ? at[key] : undefined), result.value);
  const { name: _name, image: _image, ...rest } = filled as JsonObject;
  return rest;
}

describe('the type of the field decides', () => {
  const cases: readonly [why: string, container: JsonObject, value: Json, expected: Json][] = [
    ['text stays text', { workingDir: '$(params.x)' }, 'a', { workingDir: 'a' }],
    ['a number becomes text', { workingDir: '$(params.x)' }, 5, { workingDir: '5' }],
    ['a mapping becomes JSON', { workingDir: '$(params.x)' }, { a: [1, null] }, { workingDir: '{"a":[1,null]}' }],
    ['text that looks like a number stays text', { env: [{ name: 'A', value: '$(params.x)' }] }, '007', { env: [{ name: 'A', value: '007' }] }],
    ['true becomes text', { env: [{ name: 'A', value: '$(params.x)' }] }, true, { env: [{ name: 'A', value: 'true' }] }],
    ['an integer stays one', { ports: [{ containerPort: '$(params.x)' }] }, 80, { ports: [{ containerPort: 80 }] }],
    ['text that is an integer becomes one', { ports: [{ containerPort: '$(params.x)' }] }, '80', { ports: [{ containerPort: 80 }] }],
    ['a boolean stays one', { securityContext: { runAsNonRoot: '$(params.x)' } }, true, { securityContext: { runAsNonRoot: true } }],
    ['text that is a boolean becomes one', { tty: '$(params.x)' }, 'false', { tty: false }],
    ['a list stays one', { command: '$(params.x)' }, ['a', 'b'], { command: ['a', 'b'] }],
    ['a mapping stays one', { securityContext: '$(params.x)' }, { runAsUser: 5 }, { securityContext: { runAsUser: 5 } }],
    ['JSON text becomes a list', { args: '$(params.x)' }, '["a"]', { args: ['a'] }],
    ['JSON text becomes a mapping', { resources: '$(params.x)' }, '{"limits": {"cpu": 1}}', { resources: { limits: { cpu: 1 } } }],
    ['a quantity stays text', { resources: { limits: { memory: '$(params.x)' } } }, '1.5Gi', { resources: { limits: { memory: '1.5Gi' } } }],
    ['a quantity stays a number', { resources: { limits: { cpu: '$(params.x)' } } }, 2, { resources: { limits: { cpu: 2 } } }],
    ['a quantity may be composed', { resources: { limits: { memory: '$(params.x)Gi' } } }, 2, { resources: { limits: { memory: '2Gi' } } }],
    ['a port stays a number', { livenessProbe: { httpGet: { port: '$(params.x)' } } }, 80, { livenessProbe: { httpGet: { port: 80 } } }],
    ['a port stays a name', { livenessProbe: { httpGet: { port: '$(params.x)' } } }, 'web', { livenessProbe: { httpGet: { port: 'web' } } }],
    ['text around it makes text', { workingDir: '/a/$(params.x)/b' }, 5, { workingDir: '/a/5/b' }],
    ['several in one text', { workingDir: '$(params.x)$(params.x)' }, 'a', { workingDir: 'aa' }],
    ['other dollars stay', { args: ['$(HOME) $$(params.x) $(cat params.x) ${params.x} $$'] }, 'no', { args: ['$(HOME) $$(params.x) $(cat params.x) ${params.x} $$'] }],
  ];
  it.each(cases)('%s', (_why, container, value, expected) => {
    expect(inContainer(container, { 'params.x': value })).toEqual(expected);
  });

  it('in the fields of pod and Job too', () => {
    const template = aTemplate({ pod: { nodeSelector: { zone: '$(params.zone)' }, tolerations: '$(params.tolerations)' }, job: { parallelism: '$(params.n)', backoffLimit: '$(params.n)' } });
    const result = put({ metadata: { labels: { zone: '$(params.zone)' } }, ...template }, 'job', { 'params.zone': 'a', 'params.n': 3, 'params.tolerations': [{ operator: 'Exists' }] });
    expect(result).toEqual({
      kind: 'value',
      value: { metadata: { labels: { zone: 'a' } }, ...aTemplate({ pod: { nodeSelector: { zone: 'a' }, tolerations: [{ operator: 'Exists' }] }, job: { parallelism: 3, backoffLimit: 3 } }) },
    });
  });

  const refused: readonly [why: string, container: JsonObject, value: Json, message: string][] = [
    ['text that is no number', { ports: [{ containerPort: '$(params.x)' }] }, 'web', 'ports.0.containerPort: $(params.x) is "web", not a whole number'],
    ['a fraction', { ports: [{ containerPort: '$(params.x)' }] }, 1.5, 'ports.0.containerPort: $(params.x) is 1.5, not a whole number'],
    ['text with blanks around a number', { ports: [{ containerPort: '$(params.x)' }] }, ' 80', 'ports.0.containerPort: $(params.x) is " 80", not a whole number'],
    ['an integer beyond what JSON keeps', { ports: [{ containerPort: '$(params.x)' }] }, '9007199254740993', 'ports.0.containerPort: $(params.x) is "9007199254740993", not a whole number'],
    ['true for a number', { ports: [{ containerPort: '$(params.x)' }] }, true, 'ports.0.containerPort: $(params.x) is true, not a whole number'],
    ['text that is no boolean', { tty: '$(params.x)' }, 'yes', 'tty: $(params.x) is "yes", not true or false'],
    ['1 for true', { tty: '$(params.x)' }, 1, 'tty: $(params.x) is 1, not true or false'],
    ['a list for a mapping', { resources: '$(params.x)' }, [1], 'resources: $(params.x) is [1], not a mapping'],
    ['text for a list', { args: '$(params.x)' }, 'a b', 'args: $(params.x) is "a b", not a list'],
    ['broken JSON', { args: '$(params.x)' }, '["a"', 'args: $(params.x) is "[\\"a\\"", not a list'],
    ['true for a quantity', { resources: { limits: { cpu: '$(params.x)' } } }, true, 'resources.limits.cpu: $(params.x) is true, not a quantity'],
    ['a fraction for a port', { livenessProbe: { httpGet: { port: '$(params.x)' } } }, 1.5, 'livenessProbe.httpGet.port: $(params.x) is 1.5, not a whole number or a text'],
    ['text around a number', { ports: [{ containerPort: '8$(params.x)' }] }, 1, 'ports.0.containerPort: $(params.x) stands inside a longer text: a field that takes a whole number takes a reference that stands alone'],
    ['text around a list', { args: '[$(params.x)]' }, 'a', 'args: $(params.x) stands inside a longer text: a field that takes a list takes a reference that stands alone'],
    ['no value', { workingDir: 'a$(params.y)' }, 1, 'workingDir: $(params.y) has no value'],
    ['a path that cannot be read', { workingDir: '$(params..x)' }, 1, "workingDir: $(params..x) is no reference: write names with dots, and others as ['name']"],
  ];
  it.each(refused)('%s is refused', (_why, container, value, message) => {
    expect(inContainer(container, { 'params.x': value })).toBe(message);
  });

  it('a problem does not repeat what was in a message', () => {
    expect(inContainer({ tty: '$(message.body.a)' }, { 'message.body.a': 'secret' })).toBe('tty: $(message.body.a) is a string, not true or false');
    expect(inContainer({ tty: '$(message.body)' }, { 'message.body': { a: 'secret' } })).toBe('tty: $(message.body) is a mapping, not true or false');
    expect(inContainer({ tty: '$(message.body)' }, { 'message.body': ['secret'] })).toBe('tty: $(message.body) is a list, not true or false');
    expect(inContainer({ tty: '$(message.body)' }, { 'message.body': null })).toBe('tty: $(message.body) is null, not true or false');
  });
});

describe('other destinations', () => {
  it('text: every value becomes text', () => {
    expect(put('$(params.x)', 'text', { 'params.x': 5 })).toEqual({ kind: 'value', value: '5' });
    expect(put('$(params.x)m', 'text', { 'params.x': 5 })).toEqual({ kind: 'value', value: '5m' });
  });

  it('any: a value that stands alone keeps its type', () => {
    const tree = { whole: '$(params.x)', list: ['$(params.x)', 1], part: 'n=$(params.x)', deep: { a: true } };
    expect(put(tree, 'any', { 'params.x': { a: 1 } })).toEqual({ kind: 'value', value: { whole: { a: 1 }, list: [{ a: 1 }, 1], part: 'n={"a":1}', deep: { a: true } } });
    expect(put('$(params.x)', 'any', { 'params.x': '$(HOME)' })).toEqual({ kind: 'value', value: '$(HOME)' });
  });

  it('field names are never replaced', () => {
    const tree = { '$(params.x)': 'a', b: { '$(params.x)': 1 } };
    expect(put(tree, 'any', { 'params.x': 'y' })).toEqual({ kind: 'value', value: tree });
  });

  it('a tree without references is the same object', () => {
    const tree = aTemplate({ container: { args: ['$(HOME)'] } });
    const result = put(tree, 'job', {});
    expect(result.kind === 'value' && result.value === tree).toBe(true);
  });

  it('keys like those of prototypes are plain names', () => {
    const tree = JSON.parse('{"__proto__": "$(params.x)", "constructor": "$(params.x)"}') as Json;
    const result = put(tree, 'any', { 'params.x': JSON.parse('{"__proto__": 1}') as Json });
    expect(JSON.stringify(result)).toBe('{"kind":"value","value":{"__proto__":{"__proto__":1},"constructor":{"__proto__":1}}}');
  });
});

describe('what Kubernetes expands once more', { timeout: 60_000 }, () => {
  it('gets each $ of a value doubled', () => {
    const container = {
      command: ['$(params.x)', 'a$(params.x)'],
      args: ['$(HOME)$(params.x)'],
      env: [{ name: 'A', value: '$(params.x)' }],
      volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$(params.x)' }],
      livenessProbe: { exec: { command: ['$(params.x)'] } },
      readinessProbe: { exec: { command: ['$(params.x)'] } },
      startupProbe: { exec: { command: ['$(params.x)'] } },
    };
    expect(inContainer(container, { 'params.x': '$(HOME)$' })).toEqual({
      command: ['$$(HOME)$$', 'a$$(HOME)$$'],
      args: ['$(HOME)$$(HOME)$$'],
      env: [{ name: 'A', value: '$$(HOME)$$' }],
      volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$$(HOME)$$' }],
      livenessProbe: { exec: { command: ['$$(HOME)$$'] } },
      readinessProbe: { exec: { command: ['$$(HOME)$$'] } },
      startupProbe: { exec: { command: ['$$(HOME)$$'] } },
    });
  });

  it('also where a whole list or mapping is inserted, and its names are left alone', () => {
    const values = { 'params.args': ['$(A)'], 'params.env': [{ name: '$N', value: '$(A)' }], 'params.probe': { exec: { command: ['$(A)'] } } };
    expect(inContainer({ args: '$(params.args)', env: '$(params.env)', livenessProbe: '$(params.probe)' }, values)).toEqual({
      args: ['$$(A)'],
      env: [{ name: '$N', value: '$$(A)' }],
      livenessProbe: { exec: { command: ['$$(A)'] } },
    });
  });

  it('other fields take values as they are', () => {
    const container = { image: '$(params.x)', workingDir: '$(params.x)', volumeMounts: [{ name: 'v', mountPath: '/v', subPath: '$(params.x)' }], lifecycle: { preStop: { exec: { command: ['$(params.x)'] } } } };
    expect(inContainer(container, { 'params.x': '$(A)' })).toEqual({ workingDir: '$(A)', volumeMounts: [{ name: 'v', mountPath: '/v', subPath: '$(A)' }], lifecycle: { preStop: { exec: { command: ['$(A)'] } } } });
  });

  it('holds for init containers', () => {
    const result = put(aTemplate({ pod: { initContainers: [{ name: 'i', args: ['$(params.x)'] }] } }), 'job', { 'params.x': '$A' });
    expect(result).toEqual({ kind: 'value', value: aTemplate({ pod: { initContainers: [{ name: 'i', args: ['$$A'] }] } }) });
  });

  /** As the kubelet does it: third_party/forked/golang/expansion of Kubernetes. `text` keeps what was plain. */
  function expanded(text: string): { readonly variables: string[]; readonly text: string } {
    const variables: string[] = [];
    const plain = text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) => {
      if (name === undefined) return '$';
      variables.push(name);
      return all;
    });
    return { variables, text: plain };
  }

  it('expands to the value itself, whatever the value is: no variable is added, none is lost', () => {
    const value = fc.oneof(fc.string(), fc.array(fc.constantFrom('$', '$$', '(', ')', 'HOME', '$(HOME)', '$$(HOME)', '$(params.x)', 'a', '\\', '`', '\n'), { maxLength: 8 }).map((all) => all.join('')));
    const around = fc.array(fc.constantFrom('a', ' ', '$(HOME)', '$$', '$$(HOME)', '(', ')', '-'), { maxLength: 4 }).map((all) => all.join(''));
    fc.assert(
      fc.property(value, around, around, (inserted, before, after) => {
        const filled = inContainer({ args: [`${before}$(params.x)${after}`] }, { 'params.x': inserted });
        const [result = ''] = (filled as { args: string[] }).args;
        const [left, right] = [expanded(before), expanded(after)];
        expect(expanded(result)).toEqual({ variables: [...left.variables, ...right.variables], text: left.text + inserted + right.text });
      }),
      { numRuns: 1_000 },
    );
  });

  it('holds for any JSON inserted as a whole list of env', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name: fc.string(), value: fc.string() }), { maxLength: 4 }), (env) => {
        const filled = inContainer({ env: '$(params.x)' }, { 'params.x': env }) as { env: { name: string; value: string }[] };
        expect(filled.env.map(({ name, value }) => ({ name, value: expanded(value).text }))).toEqual(env);
        expect(filled.env.flatMap(({ value }) => expanded(value).variables)).toEqual([]);
      }),
    );
  });
});

describe('substitute', () => {
  it('inserts nothing that is looked at again, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue({ stringUnit: fc.constantFrom('$(params.y)', '$', 'a') }), fc.constantFrom<Destination>('job', 'text', 'any'), (tree, value, destination) => {
        const asked: string[] = [];
        const holder = { spec: { template: { spec: { containers: [{ args: ['$(params.x)'], env: tree }] } } }, other: '$(params.x)' };
        substitute(holder, destination, ({ text }) => {
          asked.push(text);
          return { kind: 'value', value };
        });
        expect(new Set(asked)).toEqual(new Set(['$(params.x)']));
      }),
    );
  });

  it('a value that is nested too deeply is a problem', () => {
    let deep: Json = 'x';
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    for (const destination of ['job', 'text', 'any'] as const) {
      expect(put(['$(params.x)', 'a$(params.x)'], destination, { 'params.x': deep })).toEqual({ kind: 'problem', path: [], message: 'a value is nested too deeply' });
    }
  });

  it('changes nothing but texts with references', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (tree) => {
        expect(put(tree, 'any', {})).toEqual({ kind: 'value', value: tree });
      }),
    );
  });
});

describe('typeAt', () => {
  const container: FieldPath = ['spec', 'template', 'spec', 'containers', 0];
  const cases: readonly [path: FieldPath, type: string | undefined][] = [
    [[], 'object'],
    [['spec', 'parallelism'], 'integer'],
    [['spec', 'suspend'], 'boolean'],
    [['metadata', 'labels'], 'object'],
    [['metadata', 'labels', 'any.thing/x'], 'string'],
    [container, 'object'],
    [[...container, 'image'], 'string'],
    [[...container, 'args'], 'array'],
    [[...container, 'args', 3], 'string'],
    [[...container, 'env', 0, 'value'], 'string'],
    [[...container, 'resources', 'limits', 'nvidia.com/gpu'], 'quantity'],
    [[...container, 'livenessProbe', 'httpGet', 'port'], 'integerOrString'],
    [['spec', 'template', 'spec', 'nodeSelector', 'zone'], 'string'],
    [['spec', 'template', 'spec', 'containers'], 'array'],
    [['spec', 'nothing'], undefined],
    [[...container, 'image', 'x'], undefined],
    [[...container, 'toString'], undefined],
    [['spec', 'nothing', 'below'], undefined],
  ];
  it.each(cases)('%j is %s', (path, type) => {
    expect(typeAt(path)).toBe(type);
  });
});
