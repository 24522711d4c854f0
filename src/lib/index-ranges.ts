/** Sets of whole numbers as the status of an Indexed Job writes them: `0-3,5`. */

/** In order, each once; two neighbours are written as `0,1`, more of them as a range. */
export function formatIndexes(indexes: Iterable<number>): string {
  const ranges: string[] = [];
  let first: number | undefined;
  let last: number | undefined;
  const close = (): void => {
    if (first === undefined || last === undefined) return;
    ranges.push(first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  };
  for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
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

/** What is written there, but nothing from `limit` on. Parts that are garbage name nothing. */
export function parseIndexes(text: string | undefined, limit = 100_001): Set<number> {
  const indexes = new Set<number>();
  for (const range of (text ?? '').split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(range);
    if (!match) continue;
    const end = Math.min(Number(match[2] ?? match[1]), limit - 1);
    for (let index = Number(match[1]); index <= end; index += 1) indexes.add(index);
  }
  return indexes;
}
