import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { printedVersion, runOrThrow } from '../process.ts';
import type { Story, StoryClient } from '../story.ts';
import { programClient } from './program.ts';

/** The AWS SDK for Java 2: `java/src/main/java/Steps.java`. */
export const java: StoryClient = programClient({
  name: 'java',
  tool: 'java-sdk',
  version: (program) => printedVersion(program, 'version'),
  environment: async (story) => {
    const store = await trustStore(story);
    const settings = { trustStore: store, trustStorePassword: PASSWORD };
    const options = Object.entries(settings).map(([name, value]) => `-Djavax.net.ssl.${name}=${value}`);
    return store === undefined ? {} : { JDK_JAVA_OPTIONS: options.join(' ') };
  },
});

/** Guards nothing: what it opens is public. */
const PASSWORD = 'changeit';

/** Java reads no PEM file of authorities: it has a key store for them. */
async function trustStore({ folder, target }: Story): Promise<string | undefined> {
  if (target.caFile === undefined) return undefined;
  const store = join(folder, 'trust.p12');
  if (!existsSync(store)) {
    await runOrThrow({
      file: 'keytool',
      args: [
        ...'-importcert -noprompt -alias contract -storetype PKCS12'.split(' '),
        '-file',
        target.caFile,
        '-keystore',
        store,
        '-storepass',
        PASSWORD,
      ],
      folder,
    });
  }
  return store;
}
