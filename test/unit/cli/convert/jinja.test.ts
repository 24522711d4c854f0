import { describe, expect, it } from 'vitest';
import { withReferences } from '../../../../src/cli/convert/jinja.ts';

describe('Jinja text as text with references', () => {
  it.each([
    ['a variable', 'size: {{ size }}', 'size: $(params.size)', ['size']],
    ['one without blanks, twice', '{{a}}-{{ a }}', '$(params.a)-$(params.a)', ['a']],
    ['comments, which become blanks', 'a{# x\ny #}b', `a${' '.repeat(4)}\n${' '.repeat(4)}b`, []],
    ['what looks like a reference of job-chief', '$(item) {{ a }} $(HOME)', '$$(item) $(params.a) $(HOME)', ['a']],
    ['no Jinja at all', 'plain', 'plain', []],
  ])('replaces %s', (_what, jinja, text, variables) => {
    expect(withReferences(jinja)).toMatchObject({ text, variables, problems: [] });
  });

  it.each([
    ['a statement', 'x {% if a %}', 2, /more than a variable/, /definition for each case/],
    ['a loop', '{% for a in b %}', 0, /more than a variable/, /forEach/],
    ['a statement that is not known', '{% call x %}', 0, /more than a variable/, /without it/],
    ['a default', '{{ a | default("x") }}', 0, /filter/, /\{\{ a \}\}.*default/],
    ['another filter', '{{ a | upper }}', 0, /more than a variable/, /caller/],
    ['an attribute', '{{ a.b }}', 0, /more than a variable/, /params\.NAME\.field/],
    ['a word', '{{ true }}', 0, /no variable/, /value itself/],
    ['a number', '{{ 5 }}', 0, /no variable/, /value itself/],
    ['a dollar before it', '${{ a }}', 1, /"\$"/, /part of the value/],
    ['hyphens', '{{- a -}}', 0, /takes blanks/, /without the hyphen/],
    ['an end that is missing', 'x {{ a', 2, /not closed/, /close/],
  ])('tells of %s', (_what, jinja, offset, message, hint) => {
    const { problems } = withReferences(jinja);
    expect(problems).toMatchObject([{ offset }]);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.hint).toMatch(hint);
  });

  it('knows where in the old text each place of the new one is', () => {
    const jinja = 'a: {{ x }}\nb: {{ long_name }} end $(item) last';
    const { text, offset } = withReferences(jinja);
    for (const word of ['a:', 'b:', 'end', 'last']) expect(offset(text.indexOf(word))).toBe(jinja.indexOf(word));
    expect(offset(text.indexOf('long_name'))).toBeGreaterThanOrEqual(jinja.indexOf('{{ long_name'));
    expect(offset(text.indexOf('long_name'))).toBeLessThan(jinja.indexOf(' end'));
    expect(offset(text.length)).toBe(jinja.length);
  });
});
