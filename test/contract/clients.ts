/** The clients that tell the story. */
import { awsCli } from './clients/aws-cli.ts';
import { awscrt } from './clients/awscrt.ts';
import { boto3 } from './clients/boto3.ts';
import { curl } from './clients/curl.ts';
import { go } from './clients/go.ts';
import { java } from './clients/java.ts';
import { mc } from './clients/mc.ts';
import { minioPy } from './clients/minio-py.ts';
import { rclone } from './clients/rclone.ts';
import { ruby } from './clients/ruby.ts';
import { rust } from './clients/rust.ts';
import { s3cmd } from './clients/s3cmd.ts';
import type { StoryClient } from './story.ts';

export const CLIENTS: readonly StoryClient[] = [
  boto3,
  awscrt,
  awsCli,
  curl,
  rclone,
  s3cmd,
  go,
  java,
  mc,
  minioPy,
  ruby,
  rust,
];
