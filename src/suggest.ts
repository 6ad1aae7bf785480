import { distance } from 'fastest-levenshtein';

/**
 * The candidate that a mistyped word was surely meant to be: at most a third of its letters differ, or only its case or
 * its separators do. Undefined when none is that near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  const plain = fold(word);
  for (const candidate of candidates) {
    // The difference in length is a lower bound, and spares the work for words that cannot be near.
    if (Math.abs(candidate.length - word.length) > candidate.length / 3 + 1) continue;
    const found = fold(candidate) === plain ? 0 : distance(word, candidate);
    if (best === undefined || found < best.distance) best = { candidate, distance: found };
  }
  if (best === undefined) return undefined;
  const allowed = Math.max(1, Math.floor(Math.max(word.length, best.candidate.length) / 3));
  return best.distance <= allowed ? best.candidate : undefined;
}

/** ` Did you mean "slack"?`, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}
