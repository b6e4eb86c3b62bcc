/** What the values of condition keys are made of. */
import type { RequiredAction, Tag } from '../s3/index.ts';
import type { Authenticated } from './stages.ts';

/** What the request's small XML body adds, or an entry of it. */
export interface BodyContext {
  /** That an entry of DeleteObjects asks for. */
  readonly entityTag?: string | undefined;
  readonly locationConstraint?: string | undefined;
  /** `GOVERNANCE` or `COMPLIANCE` */
  readonly lockMode?: string | undefined;
  /** ISO 8601. */
  readonly retainUntil?: string | undefined;
  /** `ON` or `OFF` */
  readonly legalHold?: string | undefined;
  readonly inventoryFields?: readonly string[] | undefined;
  /** Of an object or of a bucket, as the operation says. */
  readonly tags?: readonly Tag[] | undefined;
}

/** Of the resource that is decided on. */
interface ResourceContext {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** Of one decision. */
export interface Facts {
  readonly request: Authenticated;
  readonly required: Pick<RequiredAction, 'action' | 'versionId'>;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly body: BodyContext;
  readonly resource: ResourceContext;
  /** That the object has upstream; undefined when nobody has looked. */
  readonly existingTags: readonly Tag[] | undefined;
}

/**
 * A policy asks for the tags that an object has upstream, and they are not known: thrown by the context, so that the
 * decision is a refusal with this cause, and can be made again once they are.
 */
export class ExistingTagsNeeded extends Error {
  override readonly name = 'ExistingTagsNeeded';

  constructor() {
    super('a policy asks for the tags that the object has, and they were not looked up');
  }
}
