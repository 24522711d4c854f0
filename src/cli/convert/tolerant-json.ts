/**
 * JSON as people write it: with comments, and with colons and commas left out. What is mended keeps its length, so that
 * every place in the text stays where it was.
 */

/** A slip and where it is. */
export interface Slip {
  readonly offset: number;
  readonly message: string;
}

/** JSON that a YAML parser reads, and what had to be mended for that. */
export interface MendedJson {
  readonly text: string;
  readonly slips: readonly Slip[];
}

const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|[[\]{}:,]|-?\d[\d.eE+-]*|true|false|null|\s+/y;

interface Token {
  readonly kind: 'comment' | 'space' | 'value' | 'open' | 'close' | 'colon' | 'comma';
  readonly text: string;
  readonly offset: number;
}

/** undefined: this is no JSON at all, as YAML may look like it. */
export function mendJson(text: string): MendedJson | undefined {
  const tokens = tokensOf(text);
  const first = tokens?.find(({ kind }) => kind !== 'space' && kind !== 'comment');
  if (!tokens || first?.kind !== 'open') return undefined;
  const parts = tokens.map(({ kind, text: part }) => (kind === 'comment' || kind === 'space' ? part.replace(/[^\r\n]/g, ' ') : part));
  const slips: Slip[] = [];
  for (const { after, missing } of gaps(tokens)) {
    const blank = parts.findIndex((part, index) => index > after && part.includes(' '));
    const next = tokens.findIndex(({ kind }, index) => index > after && kind !== 'space' && kind !== 'comment');
    if (blank < 0 || blank > next) return undefined;
    parts[blank] = (parts[blank] ?? '').replace(' ', missing);
    slips.push({ offset: endOf(tokens[after]), message: missing === ':' ? 'a colon is missing here' : 'a comma is missing here' });
  }
  return { text: parts.join(''), slips };
}

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let offset = 0; offset < text.length;) {
    token.lastIndex = offset;
    const [found] = token.exec(text) ?? [];
    if (found === undefined) return undefined;
    tokens.push({ kind: kindOf(found), text: found, offset });
    offset += found.length;
  }
  return tokens;
}

function kindOf(text: string): Token['kind'] {
  switch (text.charAt(0)) {
    case '/':
      return 'comment';
    case '[':
    case '{':
      return 'open';
    case ']':
    case '}':
      return 'close';
    case ':':
      return 'colon';
    case ',':
      return 'comma';
    default:
      return text.trim() === '' ? 'space' : 'value';
  }
}

interface Gap {
  /** Index of the token behind which something is missing. */
  readonly after: number;
  readonly missing: ':' | ',';
}

/** Two values that follow each other: a name and its value where a mapping wants a name, members of a list else. */
function gaps(tokens: readonly Token[]): Gap[] {
  const found: Gap[] = [];
  const open: string[] = [];
  let name = true;
  const told = tokens.map((one, index) => ({ ...one, index })).filter(({ kind }) => kind !== 'space' && kind !== 'comment');
  for (const [place, { kind, text }] of told.entries()) {
    const previous = told[place - 1];
    if (previous && isValue(previous.kind, 'close') && isValue(kind, 'open')) {
      const missing: Gap['missing'] = open.at(-1) === '{' && name && previous.kind === 'value' ? ':' : ',';
      found.push({ after: previous.index, missing });
      name = missing === ',';
    }
    if (kind === 'open') open.push(text);
    if (kind === 'close') open.pop();
    if (kind !== 'value') name = kind === 'open' || kind === 'comma';
  }
  return found;
}

/** A value, or the bracket with which one begins or ends. */
function isValue(kind: Token['kind'], bracket: 'open' | 'close'): boolean {
  return kind === 'value' || kind === bracket;
}

function endOf(token: Token | undefined): number {
  return token ? token.offset + token.text.length : 0;
}
