import { distance } from 'fastest-levenshtein';

/**
 * The candidate that a mistyped word was surely meant to be: at most a third of its letters differ, or only its case or
 * its separators do. Two neighbours that changed places count as one letter. Undefined when none is that near.
 *
 * @param most letters that may differ, when that is to be fewer
 */
export function nearest(word: string, candidates: Iterable<string>, most = word.length): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  const plain = fold(word);
  for (const candidate of candidates) {
    // The difference in length is a lower bound, and spares the work for words that cannot be near.
    if (Math.abs(candidate.length - word.length) > candidate.length / 3 + 1) continue;
    const found = fold(candidate) === plain ? 0 : lettersApart(word, candidate, best?.distance);
    if (best === undefined || found < best.distance) best = { candidate, distance: found };
  }
  if (best === undefined) return undefined;
  const allowed = Math.max(1, Math.floor(Math.max(word.length, best.candidate.length) / 3));
  return best.distance <= Math.min(allowed, most) ? best.candidate : undefined;
}

/**
 * The Levenshtein distance, in which one pair of neighbours that changed places counts once.
 * @param beaten a distance of that many letters, or more, need not be exact
 */
function lettersApart(word: string, candidate: string, beaten = Number.POSITIVE_INFINITY): number {
  let least = distance(word, candidate);
  if (least - 1 >= beaten || least < 2 || least > candidate.length / 2 + 1) return least;
  for (let at = 0; at + 1 < word.length; at += 1) {
    const swapped = `${word.slice(0, at)}${word.charAt(at + 1)}${word.charAt(at)}${word.slice(at + 2)}`;
    least = Math.min(least, distance(swapped, candidate) + 1);
  }
  return least;
}

/** ` Did you mean "slack"?`, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>, most?: number): string {
  const near = nearest(word, candidates, most);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}
