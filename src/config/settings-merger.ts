/** Brings file and environment together, and collects what is wrong with either. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { errorCode } from './error-code.ts';
import { describeFound } from './found.ts';
import { settingNames, SETTINGS, type Settings } from './schema.ts';
import { settingProblems } from './setting-problems.ts';
import type { SettingsFile } from './settings-file.ts';
import { getSetting, isTree, samePath, setSetting, type Path, type SettingsTree } from './settings-tree.ts';
import { closest } from './suggestion.ts';
import { readVariables, secretSettings, VARIABLE_NAMES, variableOf } from './variables.ts';

/** Settings of which all must be there when one is. */
const TOGETHER: readonly (readonly Path[])[] = [
  [
    ['tls', 'cert'],
    ['tls', 'key'],
  ],
  [
    ['root', 'accessKeyId'],
    ['root', 'secretAccessKey'],
  ],
];

/** The raw settings of both sources, with the origin of each. */
export class SettingsMerger {
  readonly #problems: ConfigProblem[] = [];
  readonly #file: SettingsFile | undefined;
  readonly #raw: SettingsTree;
  /** Dotted path → name of the variable that set it. */
  readonly #variables = new Map<string, string>();

  constructor(file: SettingsFile | undefined) {
    this.#file = file;
    if (file !== undefined) this.#problems.push(...file.problems);
    const content = file?.content ?? {};
    if (!isTree(content)) this.#add([], 'a map of settings', content);
    this.#raw = isTree(content) ? structuredClone(content) : {};
  }

  get #secrets(): ReturnType<typeof secretSettings> {
    const upstreams = getSetting(this.#raw, ['upstreams']);
    return secretSettings(Array.isArray(upstreams) ? upstreams.length : 0);
  }

  /** Settings of which all must be there when one is; a source of credentials takes the place of a pair of keys. */
  get #together(): readonly (readonly Path[])[] {
    const upstreams = getSetting(this.#raw, ['upstreams']);
    const sections: Path[] = [
      ['upstream'],
      ...(Array.isArray(upstreams) ? upstreams.map((_, index) => ['upstreams', index]) : []),
    ];
    return [
      ...TOGETHER,
      ...sections.flatMap((section): readonly Path[][] => {
        const at = (...names: readonly string[]): Path => section.concat(names);
        const source = getSetting(this.#raw, at('credentials'));
        const credentials =
          source === undefined || source === 'static'
            ? [at('accessKeyId'), at('secretAccessKey')]
            : [at('credentials')];
        return [
          [at('endpoint'), ...credentials],
          [at('tls', 'cert'), at('tls', 'key')],
        ];
      }),
    ];
  }

  /** Puts the variables over the file's settings. */
  overlay(env: Readonly<Record<string, string | undefined>>): void {
    const { values, unknown, empty } = readVariables(env);
    for (const name of unknown)
      this.#problems.push({
        source: name,
        path: undefined,
        expected: didYouMean('a variable that exists', name, VARIABLE_NAMES),
        found: 'an unknown one',
      });
    for (const { variable, path } of empty)
      this.#problems.push({
        source: variable,
        path: path.join('.'),
        expected: 'a value, or the variable unset',
        found: 'nothing',
      });
    for (const { variable, path, value } of values) {
      const secret = this.#secrets.find((row) => samePath(row.value, path) || samePath(row.file, path));
      // A variable replaces the file's setting in both its forms; two variables for one value are a contradiction.
      const twin = secret && (samePath(secret.value, path) ? secret.file : secret.value);
      if (twin !== undefined && !this.#variables.has(twin.join('.'))) setSetting(this.#raw, twin, undefined);
      if (setSetting(this.#raw, path, value)) this.#variables.set(path.join('.'), variable);
    }
  }

  /** Puts the content of `…File` settings in place of the value. */
  readSecretFiles(): void {
    for (const { value, file } of this.#secrets) {
      const path = getSetting(this.#raw, file);
      if (typeof path !== 'string') continue;
      if (getSetting(this.#raw, value) !== undefined) {
        this.#add(file, `either this or \`${value.join('.')}\``, undefined, 'both');
        continue;
      }
      try {
        setSetting(this.#raw, value, readFileSync(path, 'utf8').replace(/[\r\n]+$/, ''));
      } catch (error) {
        // The path is not shown: a common mistake puts the secret itself here.
        this.#add(file, 'the path of a readable file', undefined, `none (${errorCode(error)})`);
        setSetting(this.#raw, value, undefined);
      }
      const variable = this.#variables.get(file.join('.'));
      if (variable !== undefined) this.#variables.set(value.join('.'), variable);
    }
  }

  requireCompanions(): void {
    for (const group of this.#together) {
      const section = (group[0] as Path).slice(0, -1);
      const given = group.find((path) => this.#isGiven(path));
      // An authority alone is enough for TLS upstream.
      const optional = section.length > 1 && section.at(-1) === 'tls';
      const anchor = given ?? (!optional && isTree(getSetting(this.#raw, section)) ? section : undefined);
      if (anchor === undefined) continue;
      for (const path of group)
        if (!this.#isGiven(path)) {
          const variable = variableOf(path.map(String));
          const name = variable === undefined ? '' : ` (${variable})`;
          this.#add(anchor, `\`${path.join('.')}\`${name} beside it`, undefined, 'nothing');
        }
    }
  }

  /** @throws ConfigError when there was any problem. */
  validate(): Settings {
    const result = SETTINGS.safeParse(this.#raw);
    for (const issue of result.error?.issues ?? []) {
      if (issue.code === 'unrecognized_keys') {
        const known = settingNames(issue.path);
        for (const key of issue.keys)
          this.#add(
            [...issue.path, key],
            didYouMean('a setting that exists', key, known),
            undefined,
            'an unknown one',
          );
      } else if (!this.#isMissingCompanion(issue.path))
        this.#add(issue.path, issue.message, getSetting(this.#raw, issue.path));
    }
    if (result.success) this.#checkMeaning(result.data);
    if (this.#problems.length > 0 || !result.success) throw new ConfigError(this.#problems);
    return result.data;
  }

  /** What can only be checked once every value has its form. */
  #checkMeaning(settings: Settings): void {
    for (const name of ['cert', 'key'] as const) {
      const path = settings.tls?.[name];
      if (path === undefined) continue;
      try {
        accessSync(path, constants.R_OK);
      } catch (error) {
        this.#add(
          ['tls', name],
          'the path of a readable file',
          undefined,
          `\`${path}\` (${errorCode(error)})`,
        );
      }
    }
    for (const { path, expected, found } of settingProblems(settings))
      this.#add(path, expected, undefined, found);
    const { listen, adminListen, limits } = settings;
    if (listen.port !== 0 && listen.port === adminListen.port && listen.host === adminListen.host)
      this.#add(['adminListen'], 'an address of its own', undefined, 'the one of `listen`');
    if (limits.userMetadataBytes > limits.headerBytes)
      this.#add(
        ['limits', 'userMetadataBytes'],
        'at most `limits.headerBytes`',
        getSetting(this.#raw, ['limits', 'userMetadataBytes']) ?? limits.userMetadataBytes,
      );
  }

  #isGiven(path: Path): boolean {
    const secret = this.#secrets.find((row) => samePath(row.value, path));
    return (
      getSetting(this.#raw, path) !== undefined ||
      (secret && getSetting(this.#raw, secret.file)) !== undefined
    );
  }

  #isMissingCompanion(path: Path): boolean {
    return (
      getSetting(this.#raw, path) === undefined &&
      this.#together.some((group) => group.some((one) => samePath(one, path)))
    );
  }

  #add(path: Path, expected: string, value: unknown, found = describeFound(path, value)): void {
    const dotted = path.join('.');
    // An entry of a list that a variable holds belongs to the variable.
    const variable = this.#variables.get(dotted) ?? this.#variables.get(path.slice(0, -1).join('.'));
    const source = variable ?? this.#file?.source(path) ?? this.#variableInside(dotted);
    this.#problems.push({ source, path: dotted === '' ? undefined : dotted, expected, found });
  }

  /** Without a file, a section is there because a variable sets something in it. */
  #variableInside(section: string): string {
    for (const [path, variable] of this.#variables) if (path.startsWith(`${section}.`)) return variable;
    return 'environment';
  }
}

function didYouMean(expected: string, name: string, known: readonly string[]): string {
  const suggestion = closest(name, known);
  return suggestion === undefined ? expected : `${expected} (did you mean \`${suggestion}\`?)`;
}
