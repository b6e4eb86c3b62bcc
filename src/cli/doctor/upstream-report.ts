/** What `doctor upstream` prints. */
import type { UpstreamConfig } from '../../config/index.ts';
import type { Finding } from './finding.ts';
import { integrityCheck } from './integrity-checks.ts';

export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .map(({ name, verdict, detail }) =>
      `${name.padEnd(width)}  ${(verdict === 'bad' ? 'BAD' : verdict).padEnd(3)}  ${detail}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** As YAML, for the settings file; what is not examined stays as it is configured. */
export function renderSettings(target: UpstreamConfig, findings: readonly Finding[]): string {
  const style = fittingStyle(target, findings);
  const integrity = fittingIntegrity(target, findings);
  const settings = [
    ['endpoint', target.endpoint],
    ['region', target.region],
    ...(target.accountId === undefined ? [] : [['accountId', target.accountId] as const]),
    ['style', style],
    ['integrity', integrity],
  ].map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const changed = [
    ...(style === target.style ? [] : ['style']),
    ...(integrity === target.integrity ? [] : ['integrity']),
  ];
  const note = changed.length === 0 ? 'as they are configured' : `${changed.join(' and ')} changed`;
  const lines =
    target.name === 'default'
      ? ['upstream:', ...settings.map((line) => `  ${line}`)]
      : ['upstreams:', `  - name: ${target.name}`, ...settings.map((line) => `    ${line}`)];
  return `\n# Settings that fit, ${note}:\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** The configured one if it works. */
function fittingStyle({ style }: UpstreamConfig, findings: readonly Finding[]): UpstreamConfig['style'] {
  const other = style === 'path' ? 'virtual-hosted' : 'path';
  return !supports(findings, `${style} style`) && supports(findings, `${other} style`) ? other : style;
}

/** The one that keeps most: the client's checksum, else a hash or signature over plain HTTP, else the declared hash. */
function fittingIntegrity(
  { endpoint, integrity }: UpstreamConfig,
  findings: readonly Finding[],
): UpstreamConfig['integrity'] {
  const plain = endpoint.startsWith('http:');
  const order = plain
    ? (['signed-chunks', 'trailer', 'hash', 'unsigned'] as const)
    : (['trailer', 'hash', 'unsigned'] as const);
  if (plain && supports(findings, integrityCheck(integrity))) return integrity;
  return order.find((mode) => supports(findings, integrityCheck(mode))) ?? integrity;
}

function supports(findings: readonly Finding[], name: string): boolean {
  return findings.some((one) => one.name === name && one.verdict === 'yes');
}
