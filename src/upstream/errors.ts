/** How an upstream fails: when it is made, and when it is asked. */

/** No response came: refused, reset, timed out. The cause says which. */
export class UpstreamUnreachable extends Error {
  override readonly name = 'UpstreamUnreachable';
}

/** It cannot be made from what it was told. The message names the upstream and says what to do; it holds no secret. */
export class UpstreamUnusable extends Error {
  override readonly name = 'UpstreamUnusable';
  readonly code = 'UPSTREAM_UNUSABLE';

  constructor(upstream: string, problem: string, options?: { readonly cause: unknown }) {
    super(`The upstream \`${upstream}\` cannot be used: ${problem}`, options);
  }
}
