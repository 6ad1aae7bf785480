import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

/** What the relay needs of a service account's key file. */
export interface ServiceAccount {
  client_email: string;
  private_key: string;
  /** Where to ask for access tokens; Google's own address in every key that Google makes. */
  token_uri: string;
}

export const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token';

const keyFile = z.object({
  client_email: z.email(),
  private_key: z.string(),
  token_uri: z.url({ protocol: /^https?$/ }).default(GOOGLE_TOKEN_URL),
});

/**
 * Reads the text of a key file. No message holds any of the text.
 * @returns the account, or what is wrong with the text
 */
export function readServiceAccount(text: string): ServiceAccount | { problem: string } {
  const json = parsed(text);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return {
      problem:
        'expected the JSON text of a service account’s key file, found something else. ' +
        `Give the file's text, not its name: \${file:PATH}`,
    };
  }
  const { type } = json as { type?: unknown };
  if ('installed' in json || 'web' in json) {
    return { problem: 'expected the key of a service account, found the secret of an OAuth client' };
  }
  if (type !== 'service_account') {
    return { problem: 'expected the key of a service account ("type": "service_account"), found other credentials' };
  }
  const judged = keyFile.safeParse(json);
  if (!judged.success) {
    const fields = [...new Set(judged.error.issues.map((issue) => issue.path.join('.')))];
    return { problem: `the service account’s key has no usable ${fields.join(' and no usable ')}` };
  }
  // Keys that went through an environment variable often arrive with their line breaks escaped once more.
  const account = { ...judged.data, private_key: judged.data.private_key.replaceAll('\\n', '\n') };
  if (!isPrivateKey(account.private_key)) {
    return {
      problem:
        'the private_key of the service account’s key cannot be read; create a new key in the Google Cloud console ' +
        `(IAM & Admin → Service accounts → Keys) and give its file unchanged: \${file:PATH}`,
    };
  }
  return account;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
