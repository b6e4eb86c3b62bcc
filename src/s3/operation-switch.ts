/**
 * What an operator switches on for a bucket: operations, headers and elements that make the upstream act outside of the
 * bucket, or with rights and keys of the gateway's own account, where no policy here decides.
 */

export const OPERATION_SWITCHES = {
  accelerate: 'another endpoint to the bucket is opened, past the gateway',
  analytics: 'the upstream writes access patterns into another bucket',
  annotations:
    'S3 of AWS knows annotations of objects: most other stores would take the writing of one for that of the object; copies take them along',
  'intelligent-tiering': "the upstream moves objects to tiers, at the cost of the upstream's account",
  inventory: 'the upstream writes lists of keys into another bucket',
  'kms-keys': "keys of the upstream's account are used with the rights of the gateway",
  logging:
    'the upstream writes logs into another bucket; they name the gateway as the only client, whose own access log names the callers',
  'metadata-tables': 'the upstream keeps tables about the objects outside of the bucket, in its own account',
  metrics: "the upstream measures requests, at the cost of the upstream's account",
  notifications: 'the upstream sends events to queues, topics and functions outside of the gateway',
  renames:
    'only directory buckets of S3 know RenameObject: a store that does not takes it for an empty PUT, and overwrites the object',
  replication:
    'the upstream copies objects to other buckets with the rights of a role that no policy here decides on',
  'request-payment': 'the upstream charges its requester, which is always the gateway',
  website:
    'the upstream serves objects and redirects to anyone who knows its website endpoint, past the gateway',
} as const satisfies Record<string, string>;

/** Values of the bucket setting `operations`. */
export type OperationSwitch = keyof typeof OPERATION_SWITCHES;

/** Something in a request that is there only where it was switched on. */
export interface SwitchedPart {
  readonly needs: OperationSwitch;
  /** The operation, the header or the element, in the words of the message. */
  readonly part: string;
}
