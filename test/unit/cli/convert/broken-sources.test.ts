/** Sources with lines lost, doubled and changed: whatever comes of them, it is a message or a spec that lint takes. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convert } from '../../../../src/cli/convert/convert.ts';
import { UserError } from '../../../../src/cli/exit-code.ts';
import { checkSources } from '../../../../src/cli/lint/check.ts';

const golden = fileURLToPath(new URL('golden', import.meta.url));
const sources = readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) =>
  readdirSync(`${golden}/${name}`).filter((file) => /\.(ya?ml|json)$/.test(file)).map((file) => [`${name}/${file}`, readFileSync(`${golden}/${name}/${file}`, 'utf8')] as const));

/** What may stand where something else is expected. */
const oddities = ['null', '[]', '{}', '-1', '1e99', 'yes', '0644', '""', '"$(params.x)"', '"{{ x }}"', '*a', '&a x', '~', 'true', '"a\\nb"', '2026-01-01', '__proto__'];

interface Damage {
  readonly line: number;
  readonly how: number;
  readonly odd: string;
}

function damaged(text: string, damages: readonly Damage[]): string {
  const lines = text.split('\n');
  for (const { line, how, odd } of damages) {
    const at = line % lines.length;
    const old = lines[at] ?? '';
    const changed = [[], [old, old], [old.replace(/: .*$/, `: ${odd}`)], [old.replace(/"[^"]*"/, odd)], [old.replace(/\w+/, odd)]][how] ?? [old];
    lines.splice(at, 1, ...changed);
  }
  return lines.join('\n');
}

async function converted(text: string): Promise<{ out: string; err: string } | string> {
  const [out, err]: [string[], string[]] = [[], []];
  try {
    await convert(
      { source: '-', from: undefined, output: 'yaml', outputDir: undefined, connection: 'main', name: undefined },
      { out: (line) => out.push(line), err: (line) => err.push(line), stdin: () => Promise.resolve(text), text: { excerpts: true, colours: false } },
    );
    return { out: out.join('\n'), err: err.join('\n') };
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

describe('convert', () => {
  it.each(sources)('makes of a damaged %s a message, or specs without errors', async (_name, text) => {
    const damage = fc.record({ line: fc.nat(200), how: fc.nat(4), odd: fc.constantFrom(...oddities) });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
        const result = await converted(damaged(text, damages));
        if (typeof result === 'string') return;
        const { problems } = checkSources([{ name: 'out.yaml', text: result.out, explicit: false }], {});
        expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
        for (const line of result.err.split('\n').filter((one) => / error [A-Z]/.test(one))) expect(line).toMatch(/^-:\d+:\d+: /);
      }),
      { numRuns: 40, seed: 7 },
    );
  });
});
