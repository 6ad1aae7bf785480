import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto';

/** Google's token endpoint: what a service account's assertion names as its audience, wherever it is posted to. */
const AUDIENCE = 'https://oauth2.googleapis.com/token';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const SCOPE = 'https://www.googleapis.com/auth/spreadsheets';

/** One key pair is enough for all accounts of a process, and making one takes long. */
let pair: { publicKey: KeyObject; privateKey: KeyObject } | undefined;

/** Who may call the stand-in: access tokens by account, and service accounts that sign for new ones. */
export class Accounts {
  readonly #byToken = new Map<string, string>();
  readonly #keys = new Map<string, KeyObject>();
  #issued = 0;

  /** Makes a token mean an account. */
  allow(token: string, email: string): void {
    this.#byToken.set(token, email);
  }

  /** The account behind a token. */
  who(token: string): string | undefined {
    return this.#byToken.get(token);
  }

  /** Ends a token, as an hour does. */
  expire(token: string): void {
    this.#byToken.delete(token);
  }

  /** Ends all tokens that a service account's key was given, and refuses the key from now on. */
  deleteKey(email: string): void {
    this.#keys.delete(email);
    for (const [token, owner] of this.#byToken) if (owner === email) this.#byToken.delete(token);
  }

  /**
   * The text of a new key file of a service account.
   * @param tokenUri where its bearer asks for tokens: the stand-in's own `/token`
   */
  keyFile(email: string, tokenUri: string): string {
    pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#keys.set(email, pair.publicKey);
    return JSON.stringify({
      type: 'service_account',
      project_id: 'sandbox',
      private_key_id: 'sandbox',
      private_key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: email,
      client_id: '1234567890',
      token_uri: tokenUri,
    });
  }

  /** Answers a call of the token endpoint (RFC 7523), as Google does. */
  grant(form: URLSearchParams): { status: number; body: object } {
    const refuse = (error: string, description: string) => ({
      status: 400,
      body: { error, error_description: description },
    });
    if (form.get('grant_type') !== GRANT) return refuse('unsupported_grant_type', 'Invalid grant_type');
    const [header, claims, signature, ...rest] = (form.get('assertion') ?? '').split('.');
    if (!header || !claims || !signature || rest.length > 0) return refuse('invalid_request', 'Bad Request');
    const { iss, aud, scope, iat, exp } = decoded(claims);
    const key = typeof iss === 'string' ? this.#keys.get(iss) : undefined;
    if (key === undefined || typeof iss !== 'string')
      return refuse('invalid_grant', 'Invalid grant: account not found');
    const signed = verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'));
    if (!signed) return refuse('invalid_grant', 'Invalid JWT Signature.');
    if (aud !== AUDIENCE) return refuse('invalid_grant', 'Invalid JWT: Failed audience check.');
    if (!String(scope).split(' ').includes(SCOPE))
      return refuse('invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
    const now = Date.now() / 1000;
    if (!(Number(iat) < now + 300 && Number(exp) > now && Number(exp) - Number(iat) <= 3600)) {
      return refuse(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      );
    }
    this.#issued += 1;
    const token = `ya29.sandbox-${this.#issued}`;
    this.allow(token, iss);
    return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer' } };
  }
}

function decoded(part: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}
