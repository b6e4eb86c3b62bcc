/**
 * Uploads of which one byte was changed, and uploads that break off: none of them may leave an object upstream. What
 * is stored is asked of the upstream itself, after the gateway has stopped.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '../credentials.ts';
import { startGateway } from '../gateway.ts';
import { accessTo, KINDS, type StoreName } from '../target.ts';
import { browserForms, SPOOLED } from './browser-forms.ts';
import { harmlessReason } from './harmless.ts';
import { createRandom, type Random } from './random.ts';
import { type Answer, send, sendAndCut } from './sending.ts';
import { type MultipartUpload, type Stored, type StoredView, viewStored } from './stored.ts';
import { allForms, type Form, type Upload, type Zone } from './uploads.ts';

export interface MutationOptions {
  readonly upstream: StoreName;
  readonly seed: number;
  /** How many changes, those that do not matter not counted. */
  readonly changes: number;
  /** How many uploads that break off. */
  readonly cuts: number;
  readonly folder: string;
}

export interface MutationReport {
  /** Answers to the changes that must be refused, by status and error code, the commonest first. */
  readonly answers: readonly (readonly [answer: string, count: number])[];
  /** Changes that do not matter, by reason. */
  readonly harmless: readonly { readonly reason: string; readonly sent: number; readonly stored: number }[];
  /** Forms that the upstream does not take even unchanged, with its answer. */
  readonly notTaken: readonly string[];
  /** How many forms there are. */
  readonly forms: number;
  /** What is wrong: an object or part stored or an upload called a success that must not be. */
  readonly problems: readonly string[];
}

const BUCKET = 'mutations';
/** As many as one upload may have. */
const PARTS = 10_000;
const WORKERS = 24;

interface Context {
  readonly port: number;
  readonly host: string;
  readonly credentials: Credentials;
  /** For every `PARTS` items one multipart upload. */
  readonly uploads: readonly MultipartUpload[];
}

/** An upload that was sent in some way, and where it would be stored. */
interface Attempt {
  readonly item: number;
  readonly form: Form;
  /** Of its data, as they are stored: not the data, of which a long run has too much. */
  readonly size: number;
  readonly etag: string;
  readonly place: string;
  readonly what: string;
  /** Why it may be stored as it is. */
  readonly harmless?: string;
}

export async function runMutations(options: MutationOptions): Promise<MutationReport> {
  const kind = KINDS[options.upstream];
  await mkdir(options.folder, { recursive: true });
  const upstream = await kind.start({ folder: join(options.folder, 'upstream') });
  const view = viewStored(upstream);
  try {
    await view.makeBucket(BUCKET);
    const uploads: MultipartUpload[] = [];
    // Those that do not matter are sent as well: a few in a hundred.
    for (let items = 0; items < options.changes * 1.2 + options.cuts + PARTS; items += PARTS)
      uploads.push(await view.beginUpload(BUCKET, `parts-${uploads.length}`));
    const gateway = await startGateway({
      folder: join(options.folder, 'gateway'),
      upstream: accessTo(kind, upstream),
      settings: { spool: { maxBodySize: `${SPOOLED}B` } },
      env: { BUCKETWARDEN_UPSTREAM_BUCKETS: BUCKET, BUCKETWARDEN_LOG_LEVEL: 'error' },
    });
    try {
      const { host, port } = new URL(gateway.endpoint);
      const context = { port: Number(port), host, credentials: gateway.root, uploads };
      return await attempt(options, context, view, () => gateway.close());
    } finally {
      await gateway.close();
    }
  } finally {
    view.close();
    await upstream.close();
  }
}

async function attempt(
  options: MutationOptions,
  context: Context,
  view: StoredView,
  stopGateway: () => Promise<void>,
): Promise<MutationReport> {
  const { taken, notTaken, forms } = await tryForms(options.seed, context);
  const controls = await view.all(context.uploads);
  const attempts = new Map<string, Attempt>();
  const answers = new Map<string, number>();
  const problems: string[] = [];
  for (const { place } of controls) attempts.set(place, CONTROL);
  for (const place of taken.map(({ place: at }) => at))
    if (!controls.some((stored) => stored.place === place)) problems.push(`${place} was not stored`);
  if (taken.length === 0) throw new Error(`the upstream takes no form:\n${notTaken.join('\n')}`);

  const all = taken.map(({ form }) => form);
  let changes = 0;
  let item = taken.length + notTaken.length;
  const harmless = new Map<string, { sent: number; stored: number }>();
  await inParallel(async () => {
    if (changes >= options.changes) return false;
    const made = await change(item++, all, options.seed, context);
    attempts.set(made.attempt.place, made.attempt);
    const { harmless: reason } = made.attempt;
    if (reason === undefined) {
      if (changes >= options.changes) return false;
      changes += 1;
    }
    const answer = await send(context.port, made.bytes);
    if (reason === undefined) {
      count(answers, describe(answer));
      if (isSuccess(answer)) problems.push(`${describe(answer)}: ${made.attempt.what}`);
    } else {
      const counted = harmless.get(reason) ?? { sent: 0, stored: 0 };
      harmless.set(reason, { ...counted, sent: counted.sent + 1 });
    }
    return true;
  });
  let cuts = 0;
  await inParallel(async () => {
    if (cuts >= options.cuts) return false;
    cuts += 1;
    const made = await cut(item++, all, options.seed, context);
    attempts.set(made.attempt.place, made.attempt);
    await sendAndCut(context.port, made.bytes, made.how);
    return true;
  });
  await stopGateway();

  for (const stored of await view.all(context.uploads)) {
    const made = attempts.get(stored.place);
    if (made === CONTROL) continue;
    const counted = made?.harmless === undefined ? undefined : harmless.get(made.harmless);
    if (made === undefined || counted === undefined || !isWhole(stored, made))
      problems.push(`stored: ${stored.place} of ${stored.size} bytes: ${made?.what ?? 'not sent'}`);
    else counted.stored += 1;
  }
  const busy = [...answers].filter(([answer]) => answer.startsWith('503')).reduce((sum, [, n]) => sum + n, 0);
  if (busy > options.changes / 100) problems.push(`${busy} changes were answered 503 and so not tried`);
  return {
    answers: [...answers].sort((a, b) => b[1] - a[1]),
    harmless: [...harmless].map(([reason, { sent, stored }]) => ({ reason, sent, stored })),
    notTaken,
    forms,
    problems,
  };
}

const CONTROL: Attempt = {
  item: -1,
  form: { name: 'control', part: false, make: () => Promise.reject(new Error('sent already')) },
  ...summary(Buffer.alloc(0)),
  place: '',
  what: 'unchanged',
};

/** Every form once, unchanged: a form that is refused anyway would show nothing. */
async function tryForms(
  seed: number,
  context: Context,
): Promise<{
  readonly taken: readonly { readonly form: Form; readonly place: string }[];
  readonly notTaken: readonly string[];
  readonly forms: number;
}> {
  const taken: { form: Form; place: string }[] = [];
  const notTaken: string[] = [];
  const forms = [...allForms(), ...browserForms()];
  for (const [item, form] of forms.entries()) {
    const { upload, place } = await make(
      item,
      form,
      createRandom(seed, item).bytes(form.sizes?.at(-1) ?? 9000),
      context,
    );
    const answer = await send(context.port, upload.bytes);
    if (isSuccess(answer)) taken.push({ form, place });
    else notTaken.push(`${form.name}: ${describe(answer)}`);
  }
  return { taken, notTaken, forms: forms.length };
}

async function change(
  item: number,
  forms: readonly Form[],
  seed: number,
  context: Context,
): Promise<{ readonly attempt: Attempt; readonly bytes: Buffer }> {
  const random = createRandom(seed, item);
  const form = random.pick(forms);
  const data = random.bytes(random.pick(form.sizes ?? [0, 1, 100, 5000, 20_000]));
  const { upload, place } = await make(item, form, data, context);
  const zone = pickZone(upload, random);
  const at = zone.start + random.below(zone.end - zone.start);
  const old = upload.bytes[at] ?? 0;
  // Half of them a bit away, where letters change their case and digits stay digits.
  const value = random.below(2) === 0 ? old ^ (1 << random.below(8)) : (old + 1 + random.below(255)) % 256;
  const bytes = Buffer.from(upload.bytes);
  bytes[at] = value;
  const reason = harmlessReason(upload, at, value);
  return {
    bytes,
    attempt: {
      item,
      form,
      // Nothing says what it was: what is stored is what was sent.
      ...summary(zone.kind === 'unsigned data' ? bytes.subarray(zone.start, zone.end) : data),
      place,
      what: `item ${item}, ${form.name}, ${data.length} bytes: byte ${at} (${zone.kind}) ${hex(old)} → ${hex(value)} after ${textBefore(bytes, at)}`,
      ...(reason !== undefined && { harmless: reason }),
    },
  };
}

async function cut(
  item: number,
  forms: readonly Form[],
  seed: number,
  context: Context,
): Promise<{ readonly attempt: Attempt; readonly bytes: Buffer; readonly how: 'end' | 'reset' }> {
  const random = createRandom(seed, item);
  const form = random.pick(forms);
  const data = random.bytes(random.pick(form.sizes ?? [1, 5000, 100_000]));
  const { upload, place } = await make(item, form, data, context);
  const total = upload.bytes.length;
  const at = random.below(4) === 0 ? total - 1 - random.below(Math.min(200, total)) : random.below(total);
  const how = random.pick(['end', 'reset'] as const);
  const what = `item ${item}, ${form.name}, ${data.length} bytes: cut at byte ${at} of ${total} by ${how}`;
  return { bytes: upload.bytes.subarray(0, at), how, attempt: { item, form, ...summary(data), place, what } };
}

async function make(
  item: number,
  form: Form,
  data: Buffer,
  { credentials, host, uploads }: Context,
): Promise<{ readonly upload: Upload; readonly place: string }> {
  const key = `objects/${item} é+~`;
  const partNumber = (item % PARTS) + 1;
  const multipart = uploads[Math.floor(item / PARTS)];
  if (multipart === undefined) throw new Error('too few multipart uploads were begun');
  const target = form.part
    ? `/${BUCKET}/${multipart.key}?partNumber=${partNumber}&uploadId=${encodeURIComponent(multipart.id)}`
    : `/${BUCKET}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return {
    upload: await form.make({ credentials, bucket: BUCKET, key, host, target, data }),
    place: form.part ? `${BUCKET}/${multipart.key}?partNumber=${partNumber}` : `${BUCKET}/${key}`,
  };
}

/** Each kind of zone is as likely as any other, however long. */
function pickZone({ zones }: Upload, random: Random): Zone {
  const filled = zones.filter(({ start, end }) => end > start);
  const kind = random.pick([...new Set(filled.map((zone) => zone.kind))]);
  return random.pick(filled.filter((zone) => zone.kind === kind));
}

function isWhole(stored: Stored, { size, etag }: Attempt): boolean {
  return stored.size === size && stored.etag === etag;
}

function summary(data: Buffer): Pick<Attempt, 'size' | 'etag'> {
  return { size: data.length, etag: createHash('md5').update(data).digest('hex') };
}

/** Calls `work` in several places at once, each until it resolves to false. */
async function inParallel(work: () => Promise<boolean>): Promise<void> {
  const worker = async (): Promise<void> => {
    while (await work());
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function isSuccess({ status }: Answer): boolean {
  return status !== undefined && status < 400;
}

function describe({ status, code }: Answer): string {
  return status === undefined ? 'closed without an answer' : [status, code].join(' ').trim();
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function textBefore(bytes: Buffer, at: number): string {
  return JSON.stringify(bytes.toString('latin1', Math.max(0, at - 30), at));
}
