/** The clients that tell the story. */
import { awsCli } from './clients/aws-cli.ts';
import { boto3 } from './clients/boto3.ts';
import { curl } from './clients/curl.ts';
import { rclone } from './clients/rclone.ts';
import { s3cmd } from './clients/s3cmd.ts';
import type { StoryClient } from './story.ts';

export const CLIENTS: readonly StoryClient[] = [boto3, awsCli, curl, rclone, s3cmd];
