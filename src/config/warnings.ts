/** What is allowed but should be known. */
import type { Config, ListenAddress } from './config.ts';
import { isLoopback } from './loopback.ts';

/** One sentence for each doubt about an otherwise good configuration; holds no secret. */
export function configWarnings(config: Config): readonly string[] {
  const warnings: string[] = [];
  const { listen, adminListen, tls } = config;
  if (!isLoopback(listen.host) && tls === undefined)
    warnings.push(
      `\`listen\` (${show(listen)}) is open to other machines without TLS: requests and objects can be read on the way. Set \`tls.cert\` and \`tls.key\`, or put TLS in front.`,
    );
  if (!isLoopback(adminListen.host))
    warnings.push(
      `\`adminListen\` (${show(adminListen)}) is open to other machines: it asks for no credentials and speaks no TLS. Keep it behind a firewall.`,
    );
  for (const { name, endpoint } of config.upstreams)
    if (endpoint.startsWith('http:') && !isLoopback(new URL(endpoint).hostname))
      warnings.push(
        `the endpoint of upstream \`${name}\` (${endpoint}) is plain HTTP to another machine: objects can be read and changed on the way. Use https; without it, \`integrity: signed-chunks\` lets the upstream notice changes of uploads.`,
      );
  return warnings;
}

function show({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
