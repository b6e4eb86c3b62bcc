/** Where the programs of the contract tests are on this machine. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const CACHE = join(import.meta.dirname, '../../.cache');

/** The places where each program may be; a bare name is looked for in `PATH`. */
const TOOLS = {
  boto3: join(CACHE, 'venv/bin/python'),
  'aws-cli': join(CACHE, 'venv/bin/aws'),
  s3cmd: join(CACHE, 'venv/bin/s3cmd'),
  curl: 'curl',
  rclone: 'rclone',
  mc: join(CACHE, 'bin/mc'),
  'minio-py': join(CACHE, 'venv/bin/python'),
  'go-sdk': join(CACHE, 'bin/story-go'),
  'java-sdk': join(CACHE, 'bin/story-java'),
  'ruby-sdk': join(CACHE, 'bin/ruby-aws-sdk'),
  'rust-sdk': join(CACHE, 'bin/story-rust'),
  versitygw: join(CACHE, 'bin/versitygw'),
  minio: join(CACHE, 'bin/minio'),
  radosgw: 'radosgw',
  'radosgw-admin': 'radosgw-admin',
  ceph: 'ceph',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  monmaptool: 'monmaptool',
  openssl: 'openssl',
  chromium: 'chromium',
} as const;

export type ToolName = keyof typeof TOOLS;

/** The path of a program; undefined when this machine has none. */
export function findTool(name: ToolName): string | undefined {
  const place = TOOLS[name];
  if (place.includes('/')) return isExecutable(place) ? place : undefined;
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, place))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
