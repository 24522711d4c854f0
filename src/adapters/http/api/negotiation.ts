/** What a caller takes: media types and encodings, by RFC 9110. */

interface Range {
  readonly value: string;
  readonly quality: number;
}

/** The first of the media types on offer among those that the caller likes best; undefined: none of them. */
export function acceptedType(header: string | undefined, offered: readonly string[]): string | undefined {
  if (header === undefined || header.trim() === '') return offered[0];
  const ranges = rangesOf(header);
  const rated = offered.map((type) => ({ type, quality: qualityOf(type, ranges) })).filter(({ quality }) => quality > 0);
  return rated.reduce<(typeof rated)[number] | undefined>((best, one) => (best === undefined || one.quality > best.quality ? one : best), undefined)?.type;
}

/** How to compress what is sent back. */
export function acceptedEncoding(header: string | undefined): 'br' | 'gzip' | undefined {
  if (header === undefined) return undefined;
  const ranges = rangesOf(header);
  const quality = (name: string): number => (ranges.find(({ value }) => value === name) ?? ranges.find(({ value }) => value === '*'))?.quality ?? 0;
  const [br, gzip] = [quality('br'), quality('gzip')];
  if (br === 0 && gzip === 0) return undefined;
  return br >= gzip ? 'br' : 'gzip';
}

/** Headers that anybody may fill: no more of them than anybody needs. */
const mostRanges = 32;

function rangesOf(header: string): Range[] {
  return header.slice(0, 4096).split(',').slice(0, mostRanges).map((part) => {
    const [value = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const text = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const quality = text === undefined ? 1 : Number(text);
    return { value, quality: Number.isFinite(quality) ? Math.min(Math.max(quality, 0), 1) : 0 };
  });
}

/** The most specific range decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const [family = ''] = type.split('/');
  const found = [type, `${family}/*`, '*/*'].map((wanted) => ranges.find(({ value }) => value === wanted)).find((range) => range !== undefined);
  return found?.quality ?? 0;
}
