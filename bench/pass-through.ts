/**
 * The baseline: http-proxy 1.18.1, which checks nothing and signs nothing. Arguments: its port and the upstream's.
 * Its upstream connections are kept alive, as Bucketwarden's are; by default it opens one for each request.
 */
import { Agent } from 'node:http';
import httpProxy from 'http-proxy';

const [port, upstreamPort] = process.argv.slice(2).map(Number);

httpProxy
  .createProxyServer({
    target: `http://127.0.0.1:${upstreamPort}`,
    agent: new Agent({ keepAlive: true, maxFreeSockets: 256 }),
  })
  .listen(port ?? 0, '127.0.0.1');
