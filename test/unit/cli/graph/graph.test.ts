import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawGraph, type GraphOptions } from '../../../../src/cli/graph.ts';
import { dot } from '../../../../src/cli/graph/dot.ts';
import { mermaid } from '../../../../src/cli/graph/mermaid.ts';
import { graphModel } from '../../../../src/cli/graph/model.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { approval, aWorkflow, subRun } from '../../../support/run-builders.ts';
import { workflowText } from '../../../support/workflow-scene.ts';

const step = (name: string, more: JsonObject = {}): JsonObject => ({ name, ...('workflow' in more || 'approve' in more ? {} : { job: { image: 'x:1' } }), ...more });

/** A workflow with one of everything. */
const everything = workflowText({
  name: 'etl',
  trigger: { onRequest: true },
  phases: [
    { name: 'get', steps: [step('list', { outputs: { files: { type: 'array' } } }), step('check', { allowFailure: true })] },
    {
      name: 'load',
      steps: [
        step('load', { forEach: { from: '$(steps.list.outputs.files)' }, undo: { job: { image: 'x:1' } } }),
        step('sub', { workflow: { name: 'child' }, forEach: { count: 3 } }),
        step('may-i', { approve: { message: 'Really "load"?' } }),
        step('tell', { dependsOn: 'load.failed || sub.failed', when: 'size(steps.list.outputs.files) > 0' }),
      ],
    },
  ],
  finally: [step('tidy'), step('report', { dependsOn: ['tidy'] })],
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'job-chief-graph-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function draw(texts: Readonly<Record<string, string>>, options: Partial<GraphOptions> = {}): Promise<{ code: number; out: string; err: string }> {
  for (const [name, text] of Object.entries(texts)) await writeFile(path.join(folder, name), text);
  const out: string[] = [];
  const err: string[] = [];
  const given = { output: 'mermaid' as const, ...options, path: options.path === '-' ? '-' : path.join(folder, options.path ?? '.') };
  const code = await drawGraph(given, { out: (text) => out.push(text), err: (text) => err.push(text), stdin: () => Promise.resolve(texts['-'] ?? '') });
  return { code, out: out.join('\n'), err: err.join('\n').replaceAll(`${folder}/`, '') };
}

describe('mermaid', () => {
  it('has phases as frames, steps with what they are, and why each waits', async () => {
    const { code, out } = await draw({ 'etl.yaml': everything });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      '---',
      'title: "etl"',
      '---',
      'flowchart TD',
      '  subgraph phase_0["get"]',
      '    step_list["list"]',
      '    step_check["check<br>may fail"]',
      '  end',
      '  subgraph phase_1["load"]',
      '    step_load["load<br>× each of #36;#40;steps.list.outputs.files#41;"]',
      '    undo_load(["undo load"]):::undo',
      '    step_sub[["sub<br>workflow child<br>× 3"]]',
      '    step_may_i{{"may-i<br>approve: Really #34;load#34;#63;"}}',
      '    step_tell["tell"]',
      '  end',
      '  subgraph at_the_end["finally"]',
      '    step_tidy["tidy"]',
      '    step_report["report"]',
      '  end',
      '  phase_0 --> phase_1',
      '  step_list -->|"files"| step_load',
      '  step_list -->|"when size#40;steps.list.outputs.files#41; #62; 0"| step_tell',
      '  step_load -->|"load.failed #124;#124; sub.failed"| step_tell',
      '  step_sub -->|"load.failed #124;#124; sub.failed"| step_tell',
      '  step_tidy --> step_report',
      '  step_load -.-> undo_load',
      '  classDef undo stroke-dasharray: 4 3',
    ]);
  });

  it('leaves nothing in a label that could end it or be obeyed, whatever an expression says', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      const lines = mermaid(graphModel(aWorkflow('a', { steps: { a: { work: { kind: 'approve', message: text } } } }))).split('\n');
      expect(lines).toHaveLength(5);
      expect(lines[4]).toMatch(/^ {2}step_a\{\{"a<br>[^"<>|[\]{}()`&]*"\}\}$/u);
    }));
  });

  it('is one frame less where steps stand in no phase', () => {
    expect(mermaid(graphModel(aWorkflow('a\nb < a'))).split('\n').slice(4)).toEqual(['  step_a["a"]', '  step_b["b"]', '  step_a --> step_b']);
  });

  it('says so where there are more arrows than it draws', async () => {
    const steps = [step('a'), ...Array.from({ length: 501 }, (_, index) => step(`s${index}`, { dependsOn: ['a'] }))];
    const { err } = await draw({ 'big.yaml': workflowText({ steps }) });
    expect(err).toBe('note: Mermaid draws no more than 500 arrows unless maxEdges says so, and there are 501: -o dot has no such limit');
  });
});

/** Graphviz's grammar, as far as we write it: identifiers, quoted strings without an open end, and the signs between them. */
function tokens(text: string): string[] {
  const found: string[] = [];
  const pattern = /\s*("(?:[^"\\\n]|\\["\\n])*"|->|[{}[\]=;,]|[A-Za-z_][A-Za-z0-9_]*|\d+)/y;
  while (pattern.lastIndex < text.trimEnd().length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new Error(`no token at ${JSON.stringify(text.slice(at, at + 40))}`);
    found.push(match[1] ?? '');
  }
  return found;
}

describe('dot', () => {
  it('has arrows between phases cut at their frames', async () => {
    const { out } = await draw({ 'etl.yaml': everything }, { output: 'dot' });
    const lines = out.split('\n').map((line) => line.trim());
    expect(lines[0]).toBe('digraph "etl" {');
    expect(lines).toContain('"step_list" -> "step_load" [ltail="cluster_phase_0", lhead="cluster_phase_1"];');
    expect(lines).toContain('"step_load" -> "undo_load" [style=dashed];');
    expect(lines).toContain('"step_may_i" [label="may-i\\napprove: Really \\"load\\"?", shape=hexagon];');
    expect(lines).toContain('graph [label="finally", style=dotted];');
  });

  it('keeps the grammar of Graphviz, whatever a text says', () => {
    const balance = (all: readonly string[], open: string, close: string): number => all.filter((token) => token === open).length - all.filter((token) => token === close).length;
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      const all = tokens(dot(graphModel(aWorkflow('a\nb < a\n-- finally\nc', { steps: { a: { work: { kind: 'approve', message: text } } } }))));
      expect([balance(all, '{', '}'), balance(all, '[', ']')]).toEqual([0, 0]);
    }));
    expect(tokens('"a\\"b" -> "c\\\\";')).toEqual(['"a\\"b"', '->', '"c\\\\"', ';']);
    expect(() => tokens('"a"b" ->')).toThrow('no token');
  });
});

describe('the model', () => {
  it('has one arrow to each step of a phase where others speak of an earlier phase themselves', () => {
    const { edges } = graphModel(aWorkflow('-- one\na\n-- two\nb\nc', { steps: { c: { dependsOn: { all: [], phase: undefined, expression: undefined } } } }));
    expect(edges).toEqual([{ from: 'phase_0', to: 'step_b', between: 'groupAndNode', label: undefined, isUndo: false }]);
  });

  it('cuts what is long, and tells kinds of steps by their form', () => {
    const { groups } = graphModel(aWorkflow('a\nb\nc', { steps: { a: { work: subRun('child') }, b: { work: approval }, c: { work: { kind: 'approve', message: 'x'.repeat(99) } } } }));
    expect(groups[0]?.nodes.map(({ shape, lines }) => [shape, ...lines])).toEqual([['workflow', 'a', 'workflow child'], ['approve', 'b', 'approve: may it?'], ['approve', 'c', `approve: ${'x'.repeat(47)}…`]]);
  });
});

describe('what is drawn', () => {
  const other = workflowText({ name: 'other', steps: [step('a')] });

  it('is the only workflow of a folder, of a stream, or the named one', async () => {
    const queue = 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\njob: {image: worker:1}\n';
    expect((await draw({ 'etl.yaml': everything, 'queue.yaml': queue })).out).toContain('title: "etl"');
    expect((await draw({ '-': other }, { path: '-' })).out).toContain('title: "other"');
    expect((await draw({ 'etl.yaml': everything, 'other.yaml': other }, { name: 'other' })).out).toContain('title: "other"');
  });

  it.each<[string, Readonly<Record<string, string>>, Partial<GraphOptions>, string]>([
    ['nothing is there', {}, {}, 'there is no Workflow in '],
    ['several are', { 'a.yaml': everything, 'b.yaml': other }, {}, 'choose one with --name (etl, other)'],
    ['none has the name', { 'a.yaml': everything, 'b.yaml': other }, { name: 'othre' }, 'did you mean "other"?'],
    ['two have it', { 'a.yaml': other, 'b.yaml': other }, { name: 'other' }, 'there are 2 Workflows "other"'],
    ['the file is not there', {}, { path: 'no.yaml' }, 'cannot read '],
  ])('is refused where %s', async (_what, texts, options, message) => {
    await expect(draw(texts, options)).rejects.toThrow(message);
  });

  it('is nothing where the spec has errors, which are printed', async () => {
    const { code, out, err } = await draw({ 'bad.yaml': workflowText({ steps: [step('a', { dependsOn: ['b'] })] }) });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^bad\.yaml:\d+:\d+: error UnknownStep /);
  });
});
