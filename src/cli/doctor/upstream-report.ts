/** What `doctor upstream` prints. */
import type { UpstreamConfig } from '../../config/index.ts';
import type { Finding } from './finding.ts';
import { cutOffCheck, integrityCheck } from './integrity-checks.ts';

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
  const integrity = fittingIntegrity(findings) ?? target.integrity;
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

/** The forms that each mode sends, in the order in which the modes are preferred: the client's checksum is kept first. */
const MODES: readonly (readonly [UpstreamConfig['integrity'], readonly string[]])[] = [
  ['trailer', ['trailer', 'hash', 'signed-chunks']],
  ['signed-chunks', ['hash', 'signed-chunks']],
  ['hash', ['hash', 'unsigned']],
  ['unsigned', ['unsigned']],
];

/** The best mode of whose forms each is taken, and none stored when it is cut off; undefined when there is none. */
export function fittingIntegrity(findings: readonly Finding[]): UpstreamConfig['integrity'] | undefined {
  return MODES.find(([, forms]) =>
    forms.every((form) => supports(findings, integrityCheck(form)) && supports(findings, cutOffCheck(form))),
  )?.[0];
}

function supports(findings: readonly Finding[], name: string): boolean {
  return findings.some((one) => one.name === name && one.verdict === 'yes');
}
