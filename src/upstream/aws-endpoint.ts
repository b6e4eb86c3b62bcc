/**
 * The host names of Amazon S3, so that another region's endpoint can be derived from one.
 * Source: AWS General Reference, "Amazon Simple Storage Service endpoints and quotas".
 */

export interface AwsEndpoint {
  readonly fips: boolean;
  readonly dualStack: boolean;
  /** Undefined in `s3.amazonaws.com`. */
  readonly region: string | undefined;
  /** `amazonaws.com`, or that of a partition of its own. */
  readonly suffix: string;
}

const REGION = '[a-z]{2}(?:-[a-z]+)+-\\d{1,2}';
const HOST = new RegExp(
  `^s3(?<fips>-fips)?(?<dual>\\.dualstack)?(?:[.-](?<region>${REGION}))?\\.(?<suffix>amazonaws\\.com(?:\\.cn)?)$`,
);
const IS_REGION = new RegExp(`^${REGION}$`);

/** Undefined for any host that is not S3's own. @param host without a bucket before it. */
export function parseAwsHost(host: string): AwsEndpoint | undefined {
  const found = HOST.exec(host)?.groups;
  if (found === undefined) return undefined;
  return {
    fips: found['fips'] !== undefined,
    dualStack: found['dual'] !== undefined,
    region: found['region'],
    suffix: found['suffix'] as string,
  };
}

/** The same kind of endpoint in another region; undefined when `region` is none of its partition. */
export function awsHostIn(region: string, like: AwsEndpoint): string | undefined {
  if (!IS_REGION.test(region) || partition(region) !== partitionOf(like)) return undefined;
  return `s3${like.fips ? '-fips' : ''}${like.dualStack ? '.dualstack' : ''}.${region}.${like.suffix}`;
}

function partitionOf({ region, suffix }: AwsEndpoint): string {
  return suffix.endsWith('.cn') ? 'cn' : partition(region ?? 'us-east-1');
}

function partition(region: string): string {
  return /^(?:cn|us-gov|us-iso[a-z]*)-/.exec(region)?.[0].slice(0, -1) ?? 'aws';
}
