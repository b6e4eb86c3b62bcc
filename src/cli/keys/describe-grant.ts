/** In words: what a new key may do. */
import { type KeyGrant } from './key-options.ts';

export function describeGrant(grant: KeyGrant): string {
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
