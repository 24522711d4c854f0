/**
 * The YAML parser, held to time and memory that a text of 256 KiB is worth: a spec that is all mistakes must not stop
 * the process from looking after the others.
 */
import { Composer, Parser, type CST, type Document, type LineCounter } from 'yaml';
import { asMessage } from '../lib/show.ts';
import type { Finding } from './report.ts';

/** The first document of a text, or why there is none. */
export type ParsedYaml =
  | { readonly document: Document.Parsed; readonly second: number | undefined; readonly failure?: undefined }
  | { readonly document?: undefined; readonly second?: undefined; readonly failure: Finding };

/** The parser is recursive. */
export const nestedTooDeep: Finding = { code: 'UnsupportedYaml', message: 'the fields are nested far too deep', offset: 0 };

/** Stray tokens after which the rest of the text is not looked at: each costs an Error with its stack. */
const errorLimit = 20;

/** Parses up to the second document, whose offset is told. */
export function parseOne(text: string, lines: LineCounter): ParsedYaml {
  // Duplicate keys are found by the converter: the composer would compare each key with each other one.
  const composer = new Composer({ version: '1.2', merge: true, uniqueKeys: false });
  try {
    const documents = composer.compose(limited(new Parser(lines.addNewLine).parse(text)), true, text.length);
    const first = documents.next().value;
    if (!first) return { failure: { code: 'InvalidYaml', message: 'the YAML cannot be read', offset: 0 } };
    const second = documents.next().value;
    return { document: first, second: second?.range[0] };
  } catch (error) {
    if (error instanceof RangeError) return { failure: nestedTooDeep };
    return { failure: { code: 'InvalidYaml', message: `the YAML cannot be read: ${asMessage(error)}`, offset: 0 } };
  }
}

function* limited(tokens: Iterable<CST.Token>): Generator<CST.Token> {
  let errors = 0;
  for (const token of tokens) {
    yield token;
    if (token.type === 'error' && ++errors >= errorLimit) return;
  }
}
