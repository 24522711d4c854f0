/** Answers made smaller, where the caller takes it and it is worth the time. Streams go as they are. */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { acceptedEncoding } from './negotiation.ts';

/** Bytes below which the headers cost more than is saved. */
const worthwhile = 1_024;

const compressors = {
  // Quality 4 takes as long as gzip, and gives a tenth less.
  br: (text: Buffer) => promisify(brotliCompress)(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (text: Buffer) => promisify(gzip)(text),
} as const;

/** undefined: it goes as it is. */
export async function compressed(payload: unknown, accept: string | undefined): Promise<{ readonly encoding: string; readonly payload: Buffer } | undefined> {
  const encoding = acceptedEncoding(accept);
  if (encoding === undefined || (typeof payload !== 'string' && !Buffer.isBuffer(payload))) return undefined;
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return bytes.length < worthwhile ? undefined : { encoding, payload: await compressors[encoding](bytes) };
}
