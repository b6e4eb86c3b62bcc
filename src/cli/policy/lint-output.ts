/** How the findings of lint are printed: for people, for programs, and as SARIF. */
import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  LINT_RULE_IDS,
  LINT_RULES,
  type LintFinding,
  type LintReport,
  type LintSeverity,
} from '../../policy/index.ts';
import { json } from '../keys/key-metadata.ts';

export interface LintedFile extends LintReport {
  /** As it was given. */
  readonly file: string;
}

/** One finding as `FILE:LINE:COLUMN: SEVERITY: MESSAGE [RULE]`, as compilers do, and how to mend it below. */
export function renderLintText(files: readonly LintedFile[]): string {
  const lines = files.flatMap(({ file, findings }) =>
    findings.flatMap((finding) => [
      `${file}:${finding.line}:${finding.column}: ${finding.severity}: ${finding.message} [${finding.rule}]`,
      `    ${finding.fix}`,
    ]),
  );
  const of = files.length === 1 ? '1 file' : `${files.length} files`;
  return [...lines, `${totals(files)} in ${of}`, ''].map((line) => printable(line)).join('\n');
}

function totals(files: readonly LintedFile[]): string {
  const findings = files.flatMap((file) => file.findings);
  const counts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const count = findings.filter((each) => each.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return counts.length === 0 ? 'nothing to say' : counts.join(', ');
}

/** What stands in a policy must not steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** A list with one object for each file, in the order of the command line. */
export function renderLintJson(files: readonly LintedFile[]): string {
  const documents = files.map(({ file, type, findings }) => ({
    file,
    type: type === 'resource' ? 'bucket' : type,
    findings: findings.map(({ rule, severity, line, column, statement, message, fix }) => ({
      rule,
      severity,
      line,
      column,
      statement: statement ?? null,
      message,
      fix,
    })),
  }));
  return json(documents);
}

/**
 * SARIF 2.1.0 (OASIS standard, "Static Analysis Results Interchange Format"). Columns are in UTF-16 units and from 1,
 * which is its default.
 */
export function renderLintSarif(files: readonly LintedFile[]): string {
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'bucketwarden policy lint', rules: LINT_RULE_IDS.map(sarifRule) } },
        columnKind: 'utf16CodeUnits',
        results: files.flatMap(({ file, findings }) => findings.map((finding) => sarifResult(file, finding))),
      },
    ],
  };
  return json(log);
}

type RuleId = LintFinding['rule'];

function sarifRule(id: RuleId) {
  const { severity, title, why } = LINT_RULES[id];
  return {
    id,
    name: id.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: `${title} ${why}`, markdown: `**${title}**\n\n${why}` },
    defaultConfiguration: { level: severity },
    properties: { tags: ['security', 'policy'] },
  };
}

function sarifResult(file: string, { rule, severity, line, column, statement, message, fix }: LintFinding) {
  const level: LintSeverity = severity;
  return {
    ruleId: rule,
    ruleIndex: LINT_RULE_IDS.indexOf(rule),
    level,
    message: { text: `${message}. Fix: ${fix}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
    // Stays the same when lines above are added, so that a finding is not taken for a new one.
    partialFingerprints: {
      'policyFinding/v1': createHash('sha256')
        .update([rule, statement?.sid ?? '', message].join('\0'))
        .digest('hex')
        .slice(0, 32),
    },
  };
}

/** A relative path stays relative: to the root of the repository, where CI runs the command. */
function uriOf(file: string): string {
  if (file === '-') return 'stdin';
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
}
