/** Between the HTTP parser and who reads a body: says that its framing broke, so that nothing more comes of it. */
export class BodyFraming {
  #failure: Error | undefined;
  #waiting: ((error: Error) => void) | undefined;

  /** Once a body that is not complete cannot be parsed any further. */
  fail(error: Error): void {
    this.#failure = error;
    this.#waiting?.(error);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Settles as `next` does, one at a time; rejects when the framing breaks before. */
  guard<T>(next: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting = reject;
      if (this.#failure !== undefined) reject(this.#failure);
      next.then(resolve, reject);
    });
  }
}
