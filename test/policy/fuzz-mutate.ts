/** Changes to a document: of characters, of tokens, of its JSON. */

/** A number from 0 up to, not including, `below`. */
export type Random = (below: number) => number;

/** Source: mulberry32, public domain. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to three changes; `other` lends its parts. */
export function mutate(text: string, other: string, random: Random): string {
  let mutated = text;
  for (let left = 1 + random(3); left > 0; left -= 1) {
    const kind = random(4);
    if (kind === 0) mutated = mutateCharacters(mutated, other, random);
    else if (kind === 1) mutated = mutateTokens(mutated, random);
    else mutated = mutateJson(mutated, other, random);
  }
  return mutated;
}

const TOKENS = [
  '{ } [ ] : , " \\ \\" ${ } ${*} ${aws:username} ${aws:PrincipalTag/x, \'y\'} * ? *a*a*a*b / ::: arn:aws:s3:::',
  '"Version" "Statement" "Sid" "Effect" "Principal" "NotPrincipal" "Action" "NotAction" "Resource" "NotResource"',
  '"Condition" "__proto__" "constructor" "effect" "Allow" "Deny" "*" "s3:*" "s3:GetObject" "s3:ListBucket" "AWS"',
  '"CanonicalUser" "Federated" "Service" "111122223333" "2012-10-17" "2008-10-17" "StringEquals" "Null" "Bool"',
  '"ForAnyValue:StringLike" "ForAllValues:IpAddress" "NumericLessThanIfExists" "DateGreaterThan" "BinaryEquals"',
  '"ArnLike" "NotIpAddress" "aws:SourceIp" "aws:PrincipalArn" "aws:CurrentTime" "s3:prefix" "s3:max-keys" "::/0"',
  '"0.0.0.0/0" "::ffff:10.0.0.0/104" "1e999" "-0" "2026-02-30" true false null 0 -1 1.5e3 1E400 \\ud800 \\u0000 \\u002a',
]
  .join(' ')
  .split(' ');

function pick<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items[random(Math.max(items.length, 1))];
}

function mutateCharacters(text: string, other: string, random: Random): string {
  const at = random(text.length + 1);
  const length = 1 + random(random(4) === 0 ? 64 : 4);
  const before = text.slice(0, at);
  const after = text.slice(at + length);
  switch (random(5)) {
    case 0:
      return before + after;
    case 1:
      return before + String.fromCharCode(random(4) === 0 ? random(0x10000) : random(128)) + text.slice(at);
    case 2:
      return before + text.slice(at, at + length).repeat(2 + random(8)) + after;
    case 3:
      return before + other.slice(random(other.length + 1)).slice(0, length * 8) + text.slice(at);
    default:
      return before + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random(8))) + text.slice(at + 1);
  }
}

function mutateTokens(text: string, random: Random): string {
  const tokens: string[] = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+|\s+/g) ?? [];
  if (tokens.length === 0) return pick(TOKENS, random) ?? '';
  const at = random(tokens.length);
  const replacement = random(3) === 0 ? pick(tokens, random) : pick(TOKENS, random);
  return tokens.with(at, (random(3) === 0 ? tokens[at] : '') + (replacement ?? '')).join('');
}

function mutateJson(text: string, other: string, random: Random): string {
  const root = parse(text);
  if (root === undefined) return mutateTokens(text, random);
  const places = placesOf(root);
  const place = pick(places, random);
  if (place === undefined) return text;
  const donor = pick(placesOf(parse(other) ?? {}), random);
  const { owner, key } = place;
  const value = owner[key];
  switch (random(9)) {
    case 0:
      delete owner[key];
      break;
    case 1:
      owner[key] = [value];
      break;
    case 2:
      owner[key] = Array.isArray(value) ? (value as unknown[])[0] : [value, value];
      break;
    case 3:
      owner[key] = donor?.owner[donor.key];
      break;
    case 4:
      owner[donor === undefined ? 'Sid' : String(donor.key)] = value;
      break;
    case 5:
      owner[swapCase(String(key))] = value;
      break;
    case 6:
      owner[key] = nested(value, random(40));
      break;
    case 7:
      owner[key] = scalarOf(pick(TOKENS, random) ?? '');
      break;
    default:
      if (typeof value === 'string') owner[key] = mutateCharacters(value, pick(TOKENS, random) ?? '', random);
  }
  return JSON.stringify(root, undefined, random(2));
}

interface Place {
  readonly owner: Record<string | number, unknown>;
  readonly key: string | number;
}

function placesOf(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const owner = value as Place['owner'];
  const places: Place[] = [];
  for (const key of Object.keys(value)) {
    places.push({ owner, key });
    for (const below of placesOf(owner[key])) places.push(below);
  }
  return places;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function nested(value: unknown, levels: number): unknown {
  let result = value;
  for (let level = 0; level < levels; level += 1) result = [result];
  return result;
}

function scalarOf(token: string): unknown {
  return parse(token) ?? token;
}

function swapCase(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
}
