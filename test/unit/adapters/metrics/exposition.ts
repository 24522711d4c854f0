/** Reads the Prometheus text format strictly: a line that is neither comment nor sample is an error. */
export interface Sample {
  readonly family: string;
  readonly type: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

export function parseExposition(text: string): Sample[] {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) types.set(name, type);
    else if (line !== '' && !line.startsWith('# HELP ')) samples.push(parseSample(line, types));
  }
  return samples;
}

function parseSample(line: string, types: ReadonlyMap<string, string>): Sample {
  const [, name, labelText, valueText] = sampleLine.exec(line) ?? [];
  if (name === undefined || valueText === undefined) throw new Error(`not a sample: ${line}`);
  const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
  const type = types.get(family);
  if (type === undefined) throw new Error(`no TYPE before ${line}`);
  const labels: Record<string, string> = {};
  for (const [, key, text] of (labelText ?? '').matchAll(labelPair)) labels[key ?? ''] = unescape(text ?? '');
  const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
  if (Number.isNaN(value) && valueText !== 'NaN') throw new Error(`not a number: ${line}`);
  return { family, type, name, labels, value };
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
