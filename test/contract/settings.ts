/**
 * Versioning, object lock and the settings of buckets. What an upstream is known to lack is skipped, with the reason.
 */
import { type Boto3Story, UNKNOWN } from './boto3-story.ts';

export const SETTINGS: Boto3Story = {
  name: 'settings of buckets',
  script: 'boto3_settings.py',
  bucket: 'story-settings',
  lacks: {
    minio: {
      'encryption of a bucket': {
        answer: '(NotImplemented)',
        reason: 'it runs without a store of keys here',
      },
      'ownership controls': {
        answer: '(MalformedXML)',
        reason: 'it takes them for the making of a bucket',
      },
    },
    versitygw: {
      lifecycle: UNKNOWN,
      'encryption of a bucket': UNKNOWN,
      "a client's own key": UNKNOWN,
      select: UNKNOWN,
    },
    // Version 16.
    radosgw: {
      'encryption of a bucket': {
        answer: '(InvalidArgument)',
        reason: 'it takes it for the making of a bucket',
      },
      'ownership controls': {
        answer: '(InvalidArgument)',
        reason: 'it takes them for the making of a bucket',
      },
      attributes: UNKNOWN,
      select: { answer: 'failure -->', reason: 'it does not understand a condition' },
    },
  },
};
