/**
 * The table of condition keys: it drives what policies see, what the record keeps and docs/condition-keys.md. Which
 * action takes which key is as on AWS; an action has no other keys, so that a policy means here what it means there.
 */
import { actionTakesKey, expandActionPattern } from '../policy/index.ts';
import { OPERATION_LIST } from '../s3/index.ts';
import { GLOBAL_CONDITION_KEYS } from './condition-global-keys.ts';
import {
  isAbsent,
  isOfTags,
  type AbsentKey,
  type ConditionKey,
  type FilledKey,
  type TagKeys,
} from './condition-key.ts';
import { S3_CONDITION_KEYS } from './condition-s3-keys.ts';

export const CONDITION_KEYS: readonly ConditionKey[] = [...GLOBAL_CONDITION_KEYS, ...S3_CONDITION_KEYS];

/** The keys that requests for one action can have. */
export interface ActionKeys {
  /** By lower-case name. */
  readonly single: ReadonlyMap<string, FilledKey>;
  /** By lower-case name, the slash included. */
  readonly ofTags: ReadonlyMap<string, TagKeys>;
}

/** @param action as AWS writes it. */
export function keysOf(action: string): ActionKeys {
  return BY_ACTION.get(action) ?? selectKeys(action);
}

/** @param action as AWS writes it. */
export function takesKey(action: string, { name }: ConditionKey): boolean {
  const service = name.slice(0, name.indexOf(':') + 1);
  if (!SERVICES.has(service)) return true;
  if (service !== 's3:') return action.startsWith(service);
  const [known] = expandActionPattern(action);
  return known !== undefined && actionTakesKey(known, name.endsWith('/') ? `${name}tag` : name);
}

/** The prefixes of keys that belong to actions of the same prefix. */
const SERVICES: ReadonlySet<string> = new Set(['s3:', 's3express:', 's3-object-lambda:']);

function selectKeys(action: string): ActionKeys {
  const taken = CONDITION_KEYS.filter(isFilled).filter((key) => takesKey(action, key));
  const ofTags = taken.filter(isOfTags);
  const single = taken.filter((key): key is FilledKey => !isOfTags(key));
  return {
    single: new Map(single.map((key) => [key.name.toLowerCase(), key])),
    ofTags: new Map(ofTags.map((key) => [key.name.toLowerCase(), key])),
  };
}

function isFilled(key: ConditionKey): key is Exclude<ConditionKey, AbsentKey> {
  return !isAbsent(key);
}

const ASKED_FOR = new Set(
  OPERATION_LIST.flatMap(({ actions, headerActions }) =>
    [actions, headerActions].flat().map(({ action }) => action),
  ),
);

/** Of every action that an operation can ask for. */
const BY_ACTION: ReadonlyMap<string, ActionKeys> = new Map(
  Array.from(ASKED_FOR, (action) => [action, selectKeys(action)]),
);
