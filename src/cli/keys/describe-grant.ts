/** In words: what a new key may do. */
import { type KeyGrant } from './key-options.ts';

/** On one line whatever the names hold, since the text output of `keys issue` is evaluated by shells. */
export function describeGrant(grant: KeyGrant): string {
  return describe(grant).replaceAll(/\p{Cc}/gu, '?');
}

function describe(grant: KeyGrant): string {
  switch (grant.kind) {
    case 'none':
      return 'only what bucket policies grant to the user';
    case 'file':
      return `what ${grant.file} allows`;
    case 'scope': {
      const { bucket, prefix, access } = grant.scope;
      return `${access} in ${prefix === undefined ? `bucket ${bucket}` : `${bucket}/${prefix}*`}`;
    }
  }
}
