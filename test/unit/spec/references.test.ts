import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceRoots, referencesIn, referencesUnder } from '../../../src/spec/references.ts';

describe('references', () => {
  const found: readonly [text: string, root: string, path: string[], offset: number, whole: boolean][] = [
    ['$(params.region)', 'params', ['region'], 0, true],
    ['$(steps.load-a.outputs.rows)', 'steps', ['load-a', 'outputs', 'rows'], 0, true],
    ['$(item)', 'item', [], 0, true],
    ['$(run.name)', 'run', ['name'], 0, true],
    ['$(message.body.user.id)', 'message', ['body', 'user', 'id'], 0, true],
    ["$(item['a-b'])", 'item', ['a-b'], 0, true],
    ['$(item["a.b"].c)', 'item', ['a.b', 'c'], 0, true],
    ['$(item[0])', 'item', ['0'], 0, true],
    ['$(item[0][12].name)', 'item', ['0', '12', 'name'], 0, true],
    ["$(item[''])", 'item', [''], 0, true],
    ['$(message.headers.x-größe)', 'message', ['headers', 'x-größe'], 0, true],
    ['a $(params.b)', 'params', ['b'], 2, false],
    ['$(params.b)\n', 'params', ['b'], 0, false],
    // Kubernetes reads the first two as one plain $.
    ['$$$(params.b)', 'params', ['b'], 2, false],
    ['$($(params.b))', 'params', ['b'], 2, false],
  ];
  it.each(found)('%s', (text, root, path, offset, whole) => {
    const written = /\$\([^$\s]*?\)/.exec(text.slice(offset))?.[0];
    expect(referencesIn(text)).toEqual([{ root, path, text: written, offset, whole, malformed: false }]);
  });

  const others = ['', 'plain', '$(HOME)', '$(cat file)', '$$(params.x)', '$$$$(params.x)', '$(params.x y)', '$( params.x)', '$(params.x )', '${params.x}', '{{params.x}}', '$params.x', '$(parameters.x)', '$(paramsx)', '$(Params.x)', '$(params', '$(params.x', '(params.x)', '$(my.params.x)', '$(params-x)'];
  it.each(others)('are not in %j', (text) => {
    expect(referencesIn(text)).toEqual([]);
  });

  it.each(['$(params.)', '$(params..a)', '$(params.a..b)', '$(params[)', '$(params[a])', "$(params['a)", "$(item['a'x])", '$(item[-1])', '$(item.a"b)'])('with a path that cannot be read are said to be so: %s', (text) => {
    expect(referencesIn(text)).toEqual([expect.objectContaining({ malformed: true, path: [], text, whole: true })]);
  });

  it('come in order, several in one text', () => {
    const all = referencesIn('$(params.a)$(HOME)-$(run.name)$$(item)');
    expect(all.map(({ text, offset }) => [text, offset])).toEqual([
      ['$(params.a)', 0],
      ['$(run.name)', 19],
    ]);
  });

  it('are found in time in any text', () => {
    for (const text of ['$'.repeat(100_000), '$('.repeat(50_000), '$(params.'.repeat(20_000), `$(params${'.a'.repeat(50_000)}`, `$(item${"['".repeat(30_000)}`]) expect(referencesIn(text)).toEqual([]);
    expect(referencesIn(`$(item${'[0]'.repeat(10_000)})`)[0]?.path).toHaveLength(10_000);
  });

  it('are what stands at their offset, and nothing else has a root after an odd number of $', () => {
    const pieces = fc.constantFrom('$', '(', ')', '$(', '$$', 'params', '.a', "['b']", '[0]', 'item', ' ', '$(params.a)', 'x');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }).map((all) => all.join('')), (text) => {
        const references = referencesIn(text);
        for (const { offset, text: written, whole } of references) {
          expect(text.slice(offset, offset + written.length)).toBe(written);
          expect((/\$*$/.exec(text.slice(0, offset))?.[0].length ?? 0) % 2).toBe(0);
          expect(whole).toBe(written === text);
        }
        const simple = referenceRoots.flatMap((root) => [...text.matchAll(new RegExp(`(?<!\\$)(\\$\\$)*\\$\\(${root}\\)`, 'g'))]);
        expect(references.length).toBeGreaterThanOrEqual(simple.length);
      }),
    );
  });
});

describe('references under a field', () => {
  it('are those of its values, each with the path of its text', () => {
    const tree = { job: { image: 'app:$(params.tag)', args: ['x', '$(item)'], env: [{ name: '$(params.no)', value: '$(run.name)' }], '$(params.key)': 1 }, other: '$(params.other)' };
    expect(referencesUnder(tree, ['job']).map(({ path, reference }) => [path, reference.text])).toEqual([
      [['job', 'image'], '$(params.tag)'],
      [['job', 'args', 1], '$(item)'],
      [['job', 'env', 0, 'name'], '$(params.no)'],
      [['job', 'env', 0, 'value'], '$(run.name)'],
    ]);
    expect(referencesUnder(tree, ['nothing'])).toEqual([]);
    expect(referencesUnder('$(item)', [])).toHaveLength(1);
  });
});
