import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import { messageReferenceProblem, renderMessageText, type MessageValues } from '../../../src/spec/message-text.ts';
import { referencesIn } from '../../../src/spec/references.ts';

const body: Json = { order: { id: 7, lines: [{ sku: 'a-1' }, { sku: 'b-2' }], note: null }, 'the price': 1.5, paid: false, text: 'a $(HOME) "b"\n' };
const message: MessageValues = { id: 'm-1', attempt: 2, sha256: 'ab12', headers: { tenant: 'acme', retries: 3, 'x.trace': { span: 's' } }, body: () => body };
const render = (template: string, changes: Partial<MessageValues> = {}): unknown => renderMessageText(template, { ...message, ...changes });

describe('a text with references to a message', () => {
  const rows: readonly [name: string, template: string, text: string][] = [
    ['is itself where it has none', 'plain $(HOME) $(params.x)', 'plain $(HOME) $(params.x)'],
    ['has the id', '$(message.id)', 'm-1'],
    ['has the attempt', 'try $(message.attempt)', 'try 2'],
    ['has the checksum', '$(message.sha256)', 'ab12'],
    ['has a header', '$(message.headers.tenant)-$(message.headers.retries)', 'acme-3'],
    ['has a part of a header whose name has a dot', "$(message.headers['x.trace'].span)", 's'],
    ['has a text of the body as it is, which nobody expands again', '$(message.body.text)', 'a $(HOME) "b"\n'],
    ['has numbers and truths', '$(message.body.order.id)/$(message.body.paid)', '7/false'],
    ['has null', '$(message.body.order.note)', 'null'],
    ['has entries of lists', '$(message.body.order.lines[1].sku)', 'b-2'],
    ['has mappings and lists as JSON', '$(message.body.order.lines)', '[{"sku":"a-1"},{"sku":"b-2"}]'],
    ['has the whole body', '$(message.body)', JSON.stringify(body)],
    ['has names with blanks where they stand in no reference', 'the price', 'the price'],
    ['keeps a reference whose $ is doubled, as Kubernetes would', '$$(message.id) $$x', '$(message.id) $$x'],
  ];
  it.each(rows)('%s', (_, template, text) => {
    expect(render(template)).toEqual({ text });
  });

  const problems: readonly [name: string, template: string, problem: string][] = [
    ['a field that is missing', '$(message.body.order.total)', '$(message.body.order.total) leads nowhere: "order" of the body has no "total"'],
    ['a first field that is missing', '$(message.body.total)', '$(message.body.total) leads nowhere: the body has no "total"'],
    ['a field of a text', '$(message.body.text.length)', '$(message.body.text.length) leads nowhere: "text" of the body has no "length"'],
    ['a field of a list', '$(message.body.order.lines.length)', '$(message.body.order.lines.length) leads nowhere: "order.lines" of the body has no "length"'],
    ['an entry beyond the last', '$(message.body.order.lines[2])', '$(message.body.order.lines[2]) leads nowhere: "order.lines" of the body has no "2"'],
    ['what every object inherits', '$(message.body.constructor)', '$(message.body.constructor) leads nowhere: the body has no "constructor"'],
    ['a header that is missing', '$(message.headers.toString)', '$(message.headers.toString) leads nowhere: the message has no header "toString"'],
    ['a part that messages do not have', '$(message.payload)', 'a message has no "payload"'],
  ];
  it.each(problems)('is none for %s', (_, template, problem) => {
    expect(render(`a ${template} b`)).toEqual({ problem });
  });

  it('is none where a part of the body is named and the body is no JSON', () => {
    expect(render('$(message.body.a)', { body: () => undefined })).toEqual({ problem: '$(message.body.a) leads nowhere: the body of the message is no JSON' });
    expect(render('$(message.id)', { body: () => undefined })).toEqual({ text: 'm-1' });
  });

  it('is never scanned again, whatever was inserted', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, tenant) => {
        expect(render('<$(message.id)|$(message.headers.tenant)>', { id, headers: { tenant } })).toEqual({ text: `<${id}|${tenant}>` });
      }),
    );
  });

  it('is the same as a field of the body, whatever its name and value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[^'\]\s()]{0,20}$/), fc.json(), (name, json) => {
        const value = JSON.parse(json) as Json;
        const rendered = render(`$(message.body['${name}'])`, { body: () => Object.fromEntries([[name, value]]) });
        expect(rendered).toEqual({ text: typeof value === 'string' ? value : JSON.stringify(value) });
      }),
    );
  });
});

describe('a reference to a message', () => {
  const wrong: readonly [text: string, message: string, hint: string][] = [
    ['$(message)', '$(message) names no part of the message', 'references to a message are'],
    ['$(message.boody.x)', 'a message has no "boody"', 'did you mean "body"?'],
    ['$(message.headers)', '$(message.headers) names no header', 'write $(message.headers.NAME)'],
    ['$(message.id.x)', '$(message.id.x) names a field of a value that has none', 'write $(message.id)'],
    ['$(message..x)', '$(message..x) cannot be read', 'references to a message are'],
  ];
  it.each(wrong)('such as %s is wrong whatever the message is', (text, said, hint) => {
    const [problem] = referencesIn(text).map(messageReferenceProblem);
    expect(problem?.message).toContain(said);
    expect(problem?.hint).toContain(hint);
  });

  it.each(['$(message.id)', '$(message.body)', '$(message.body.a.b[0])', '$(message.headers.a)'])('such as %s can lead somewhere', (text) => {
    expect(referencesIn(text).map(messageReferenceProblem)).toEqual([undefined]);
  });
});
