/**
 * What each format becomes. A folder of `golden` is a source; beside it `NAME.out.yaml` is what is printed, `NAME.err.txt`
 * what is told. After a change that is meant: `npx vitest run --project unit test/unit/cli/convert -u`, and read the diff.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { convert } from '../../../../src/cli/convert/convert.ts';
import { checkSources } from '../../../../src/cli/lint/check.ts';

const golden = fileURLToPath(new URL('golden', import.meta.url));
const names = readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

async function converted(name: string): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const streams = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), stdin: () => Promise.resolve(''), text: { excerpts: false, colours: false } };
  const code = await convert({ source: `${golden}/${name}`, from: undefined, output: 'yaml', outputDir: undefined, connection: 'main', name: undefined }, streams);
  return { code, out: `${out.join('\n')}\n`, err: `${err.join('\n').replaceAll(`${golden}/`, '')}\n` };
}

describe('convert', () => {
  it.each(names)('%s becomes what stands beside it', async (name) => {
    const { code, out, err } = await converted(name);
    await expect(out.replaceAll(`${golden}/`, '')).toMatchFileSnapshot(`golden/${name}.out.yaml`);
    await expect(`${err}exit code ${code}\n`).toMatchFileSnapshot(`golden/${name}.err.txt`);
  });

  it.each(names)('%s becomes specs that lint finds no error in', async (name) => {
    const { out } = await converted(name);
    const { specs, problems } = checkSources([{ name: `${name}.yaml`, text: out, explicit: false }], {});
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(specs.filter(({ spec }) => spec === undefined)).toEqual([]);
  });
});
