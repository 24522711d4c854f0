/** Splits a body into JSON documents, one per line, as a watch sends them. */
import { StringDecoder } from 'node:string_decoder';
import type { Json } from '../../lib/json.ts';

/** A last line without a line feed counts only if it parses: a broken connection leaves half a document. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Json, void, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of body) {
    const text = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end);
      rest = '';
      start = end + 1;
      if (line.trim() !== '') yield JSON.parse(line) as Json;
    }
    rest += text.slice(start);
  }
  const last = (rest + decoder.end()).trim();
  if (last !== '') yield JSON.parse(last) as Json;
}
