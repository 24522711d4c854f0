/** Index lists as status.completedIndexes writes them: `0-3,5`. */

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const ranges: string[] = [];
  let first: number | undefined;
  let last: number | undefined;
  const close = (): void => {
    if (first === undefined || last === undefined) return;
    ranges.push(first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  };
  for (const index of [...indexes].sort((a, b) => a - b)) {
    if (last !== undefined && index === last + 1) {
      last = index;
      continue;
    }
    close();
    first = index;
    last = index;
  }
  close();
  return ranges.join(',');
}

export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const range of (text ?? '').split(',').filter((part) => part !== '')) {
    const [low = '', high = low] = range.split('-');
    for (let index = Number(low); index <= Number(high); index += 1) indexes.add(index);
  }
  return indexes;
}
