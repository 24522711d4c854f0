/** What the demo prints: headlines, steps with their time, and commands as one would type them. */
import { styleText } from 'node:util';

const began = performance.now();
const paint = (style: Parameters<typeof styleText>[0], text: string): string => (process.stdout.isTTY ? styleText(style, text) : text);

export function headline(text: string): void {
  console.log(`\n${paint('bold', text)}`);
}

export function say(text: string): void {
  console.log(`${paint('dim', `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s`)}  ${text}`);
}

export function command(text: string): void {
  console.log(`\n${paint('cyan', `$ ${text}`)}`);
}

/** Runs `work`; says so every two seconds while it lasts. */
export async function step<T>(text: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  say(`${text} …`);
  const ticker = setInterval(() => { say(`  ${text}: ${((performance.now() - start) / 1000).toFixed(0)} s`); }, 2000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
  }
}
