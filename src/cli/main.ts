#!/usr/bin/env node
/** Entry point of the program `job-chief`. */
import { enableCompileCache } from 'node:module';

// Compiled code is kept for the next start where the file system allows it: from source, a quarter of what `lint` takes.
enableCompileCache();

// A reader that has seen enough (`job-chief lint . | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv.slice(2));
