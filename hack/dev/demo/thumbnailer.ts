/**
 * What the examples call a thumbnailer: with a file it makes the picture that the file tells of, without one it fetches
 * messages of pg-boss for itself, as worker.ts does.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [, , file] = process.argv;
if (file === undefined) {
  await import('./worker.ts');
} else {
  const { picture } = JSON.parse(readFileSync(file, 'utf8')) as { picture?: unknown };
  if (typeof picture !== 'string') throw new Error(`${file} names no picture`);
  const made = `${process.env['TENANT'] ?? ''}/${picture}`;
  writeFileSync(process.env['JOB_CHIEF_OUTPUT'] ?? '/dev/termination-log', `thumbnail=${made}\n`);
  console.log(`made ${made}`);
}
