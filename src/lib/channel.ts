/** Several writers, one reader: who writes waits until it is read, so that nothing piles up in between. */
export class Channel<Item> {
  readonly #waiting: { readonly item: Item; readonly taken: () => void }[] = [];
  #bell = Promise.withResolvers<undefined>();
  #closed = false;

  /** Resolves when the item was read, or nobody reads any more. */
  send(item: Item): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ item, taken: resolve });
      this.#bell.resolve(undefined);
    });
  }

  /** undefined: there is nothing now. */
  take(): Item | undefined {
    const next = this.#waiting.shift();
    if (next && this.#waiting.length === 0) this.#bell = Promise.withResolvers<undefined>();
    next?.taken();
    return next?.item;
  }

  /** Resolves when there is something. */
  get filled(): Promise<undefined> {
    return this.#bell.promise;
  }

  /** Nobody reads any more: what waits is let go. */
  close(): void {
    this.#closed = true;
    for (const { taken } of this.#waiting.splice(0)) taken();
  }
}
