/** An upstream that is only named: whoever sends to it fails. */
import type { Upstream } from '../../src/upstream/index.ts';

export function idleUpstream(endpoint: string): Upstream {
  return {
    name: endpoint,
    endpoint,
    region: 'us-east-1',
    integrity: 'trailer',
    health: () => {
      throw new Error('nothing is asked');
    },
    send: () => Promise.reject(new Error('nothing is sent')),
    close: () => Promise.resolve(),
  };
}
