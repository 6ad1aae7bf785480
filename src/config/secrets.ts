/** Keeps secrets out of whatever people and other programs read. */

/** Shorter texts are left alone: cutting them out of every text would hide words, and protect nothing. */
const SHORTEST = 4;
/** From this length on, a text that may be a secret is surely no word. */
export const LONG = 16;

/**
 * Every form that a secret may turn up in: as it is, within JSON, within an address, base64 (as Basic authentication
 * and signing keys write it); and what a JSON text of credentials holds that is secret itself. Longest first.
 */
export function secretForms(secrets: Iterable<string>): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const text of [secret, ...innerSecrets(secret)]) {
      const key = /^whsec_(.+)$/.exec(text)?.[1];
      for (const form of [text, text.trim(), ...(key === undefined ? [] : [key])]) {
        forms.add(form);
        forms.add(JSON.stringify(form).slice(1, -1));
        forms.add(encodeURIComponent(form.toWellFormed()));
        forms.add(new URLSearchParams([['', form]]).toString().slice(1));
      }
      forms.add(Buffer.from(text).toString('base64'));
    }
  }
  return [...forms].filter((form) => form.length >= SHORTEST).sort((a, b) => b.length - a.length);
}

/** The secrets that no text may show. What is a name of the config, or a word in one, is public already. */
export function hiddenSecrets(secrets: Iterable<string>, names: ReadonlySet<string>): string[] {
  const isWord = (secret: string) => secret.length < LONG && [...names].some((name) => name.includes(secret));
  return [...secrets].filter((secret) => !names.has(secret) && !isWord(secret));
}

/** The secret parts of credentials that are a JSON text, such as the key file of a Google service account. */
function innerSecrets(text: string): string[] {
  if (!text.trimStart().startsWith('{')) return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  return Object.entries(json as object).flatMap(([name, value]) =>
    typeof value === 'string' && isSecretName(name) ? [value] : [],
  );
}

/** Does a name say that its value is secret? Where to get a token (`token_uri`) is none, and messages need it. */
export function isSecretName(name: string): boolean {
  return /key|secret|token|password|authorization|cookie/i.test(name) && !/ur[il]$/i.test(name);
}

/**
 * Gives what replaces each of the texts by `[secret]`.
 * @param secrets longest first, as `secretForms` gives them: a longer one may contain a shorter one
 */
export function scrubber(secrets: string[]): (text: string) => string {
  const texts = secrets.filter((secret) => secret.length >= SHORTEST);
  if (texts.length === 0) return (text) => text;
  const pattern = new RegExp(texts.map(escapePattern).join('|'), 'g');
  return (text) => text.replace(pattern, '[secret]');
}

/** The text as a regular expression that matches just it. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
