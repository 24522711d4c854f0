/** A binary heap of timers, ordered by due time and then by the order in which they were set. */
export interface HeapTimer {
  readonly due: number;
  readonly order: number;
  run: (() => void) | undefined;
  /** Its callback settles no promise, so nothing has to be drained after it. */
  readonly quiet: boolean;
}

/** Cancelled timers stay in the heap until they surface or outnumber the living. */
export class TimerHeap {
  #items: HeapTimer[] = [];
  #cancelled = 0;

  /** How many timers are waiting, cancelled ones left out. */
  get size(): number {
    return this.#items.length - this.#cancelled;
  }

  push(timer: HeapTimer): void {
    this.#items.push(timer);
    this.#up(this.#items.length - 1);
  }

  cancel(timer: HeapTimer): void {
    if (timer.run === undefined) return;
    timer.run = undefined;
    this.#cancelled += 1;
    if (this.#cancelled > 64 && this.#cancelled > this.#items.length / 2) this.#compact();
  }

  /** The next living timer, left in the heap. */
  peek(): HeapTimer | undefined {
    for (let top = this.#items[0]; top !== undefined; top = this.#items[0]) {
      if (top.run !== undefined) return top;
      this.#removeTop();
      this.#cancelled -= 1;
    }
    return undefined;
  }

  /** Takes the next living timer out. */
  pop(): HeapTimer | undefined {
    const top = this.peek();
    if (top !== undefined) this.#removeTop();
    return top;
  }

  #removeTop(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    this.#items[0] = last;
    this.#down(0);
  }

  #compact(): void {
    this.#items = this.#items.filter((timer) => timer.run !== undefined).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  #down(start: number): void {
    let index = start;
    for (;;) {
      const child = this.#firstChild(index);
      if (child === undefined || !this.#swapIfBefore(child, index)) return;
      index = child;
    }
  }

  #firstChild(index: number): number | undefined {
    const left = this.#items[2 * index + 1];
    const right = this.#items[2 * index + 2];
    if (left === undefined) return undefined;
    return right !== undefined && before(right, left) ? 2 * index + 2 : 2 * index + 1;
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    const a = this.#items[lower];
    const b = this.#items[upper];
    if (a === undefined || b === undefined || !before(a, b)) return false;
    this.#items[upper] = a;
    this.#items[lower] = b;
    return true;
  }
}

function before(a: HeapTimer, b: HeapTimer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
