/** Policies as a client meets them: what they grant and refuse, what a bucket makes public, and what is no policy. */
import { type Boto3Story, UNKNOWN } from './boto3-story.ts';

const USER = 'story-guest';

export const POLICIES: Boto3Story = {
  name: 'policies',
  script: 'boto3_policies.py',
  bucket: 'story-policies',
  lacks: { embedded: { 'a version that may be read': UNKNOWN } },
  more: async (target) => ({
    // Of the account that a gateway has unless it is told another one.
    guest: { ...(await target.issueGuest(USER)), arn: `arn:aws:iam::000000000000:user/${USER}` },
  }),
};
