/** Log lines as they are printed. */
import type { LogItem } from '../../adapters/kubernetes/pod-logs.ts';
import type { Session } from '../runs/session.ts';

export interface PrintOptions {
  readonly timestamps: boolean;
}

/** Prints one line of a log, behind its prefix. Waits where the reader of standard output is slower than the containers. */
export async function printItem({ out, err, drained }: Pick<Session, 'out' | 'err' | 'drained'>, item: LogItem, { prefix, timestamps }: PrintOptions & { readonly prefix: string }): Promise<void> {
  const head = prefix === '' ? '' : `${prefix} `;
  switch (item.kind) {
    case 'line':
      out(`${head}${timestamps && item.time !== undefined ? `${item.time} ` : ''}${item.text}${item.cut ? ' … (cut after 65536 characters)' : ''}`);
      await drained();
      return;
    case 'interrupted':
      err(`${head}the log is interrupted, and goes on from here: ${item.message}`);
      return;
    case 'waiting':
    case 'gone':
    case 'failed':
      err(`${head}${item.message}`);
      return;
    case 'over':
  }
}
