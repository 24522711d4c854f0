/** One entry of a tar archive. Without `content` and `link` it is a folder. */
export interface TarEntry {
  path: string;
  content?: Buffer;
  /** Target of a symbolic link. */
  link?: string;
  mode?: number;
  uid?: number;
}

const block = 512;

/** Writes ustar, with everything that could differ between two runs left out: the same files give the same bytes. */
export function tar(entries: TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    parts.push(header(entry));
    if (entry.content !== undefined) {
      parts.push(entry.content, Buffer.alloc((block - (entry.content.length % block)) % block));
    }
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(entry: TarEntry): Buffer {
  const type = entry.content !== undefined ? '0' : entry.link !== undefined ? '2' : '5';
  const { name, prefix } = split(type === '5' ? `${entry.path}/` : entry.path);
  const out = Buffer.alloc(block);
  const octal = (value: number, offset: number, length: number): number => out.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  out.write(name, 0);
  octal(entry.mode ?? (type === '0' ? 0o644 : 0o755), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.uid ?? 0, 116, 8);
  octal(entry.content?.length ?? 0, 124, 12);
  octal(0, 136, 12);
  out.write('        ', 148);
  out.write(type, 156);
  out.write(entry.link ?? '', 157);
  out.write('ustar\0' + '00', 257);
  out.write(prefix, 345);
  octal(out.reduce((sum, byte) => sum + byte, 0), 148, 7);
  return out;
}

/** ustar has 100 bytes for a name and 155 for the folders before it. */
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new Error(`path too long for a tar archive: ${path}`);
}
