/** What a caller was allowed to do, and did. */
export interface UsedAccess {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN; `arn:aws:s3:::*` for what has no bucket. */
  readonly resource: string;
  /** Of a listing: `s3:prefix` and `s3:delimiter`; undefined where the request has none. */
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly requestId: string;
}
