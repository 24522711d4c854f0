// Counts the words of a message {"text": "..."} and stores the number under the id of the message.
// Exit codes: 0 done, 1 try again, 2 never try again.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { MESSAGE_FILE = '/job-chief/message', RESULTS = '/results', WORK_SECONDS = '0', JOB_CHIEF_MESSAGE_ID, JOB_CHIEF_OUTPUT } = process.env;

// As PID 1 of a container a program without a handler does not hear SIGTERM.
process.once('SIGTERM', () => process.exit(143));

const words = wordsOf(await readFile(MESSAGE_FILE, 'utf8'));
if (words === undefined) {
  console.error('the message has no text');
  process.exit(2);
}

// The id is any text: it is no file name before it is hashed.
const key = createHash('sha256').update(JOB_CHIEF_MESSAGE_ID).digest('hex').slice(0, 32);
const result = join(RESULTS, key);
if (!existsSync(result)) { // else a Job before this one got that far
  await sleep(Number(WORK_SECONDS) * 1000);
  await writeFile(`${result}.${process.pid}`, String(words));
  await rename(`${result}.${process.pid}`, result); // whole or not at all
}

await writeFile(JOB_CHIEF_OUTPUT, JSON.stringify({ words }));

function wordsOf(body) {
  try {
    return JSON.parse(body).text.split(/\s+/).filter(Boolean).length;
  } catch {
    return undefined;
  }
}
