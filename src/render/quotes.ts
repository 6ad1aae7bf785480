import { clip } from '../text.ts';

/** UTF-16 units of one quote: what people read at a glance in a message. */
const LONGEST = 240;
/** A sentence below this score says too little to stand alone. */
const TELLING = 3;
const WANTED = 3;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Feeling and judgement. Other languages than English have their commonest words here; without any, specificity decides. */
const OPINION =
  /(?<!\p{L})(?:love[ds]?|hate[ds]?|like[ds]?|dislike\w*|prefer\w*|wish\w*|hope\w*|need(?:s|ed)?|want(?:s|ed)?|feel|felt|feels|frustrat\w+|annoy\w+|confus\w+|disappoint\w+|surpris\w+|delight\w*|excit\w+|worr(?:y|ied|ies)|afraid|scared|trust\w*|hard|difficult|easy|easier|simpl\w+|slow\w*|fast\w*|expensive|cheap\w*|useful|useless|helpful|better|best|worse|worst|great|amazing|terrible|awful|broken|struggl\w+|wast\w+|sav(?:e|ed|es|ing)|favou?rite|honestly|stress\w*|relie[fv]\w*|tricked|lie[bs]\w*|hasse|gut|schlecht|besser|nervt\w*|schwierig|einfach|langsam|teuer|wünsch\w+|aime|déteste|difficile|facile|mieux|pire|souhait\w+|gusta|encanta|odio|difícil|fácil|mejor|peor|quiero|prefiero|gosto|adoro|odeio|melhor|pior|quero|caro|bueno|malo|bom|ruim|piace|meglio|peggio)(?!\p{L})/giu;

/** Reasons, contrasts, conditions and change: the parts of speech in which people explain themselves. */
const REASON =
  /(?<!\p{L})(?:because|since|so that|that's why|the reason|which means|but|however|although|instead|unless|if only|would have|should have|used to|now i|until|compared|rather than|weil|denn|deshalb|aber|obwohl|sondern|parce que|car|mais|pourtant|porque|pero|aunque|mas|embora|perché|però|quindi)(?!\p{L})/giu;

const STRONG =
  /(?<!\p{L})(?:never|always|every|nobody|everything|nothing|really|most|only|nie|immer|jamais|toujours|nunca|siempre|sempre)(?!\p{L})/giu;
const FIRST_PERSON =
  /(?<!\p{L})(?:i|i'm|i've|i'd|my|me|we|our|us|ich|mir|mich|wir|je|j'|moi|nous|yo|mi|nosotros|eu|meu|io|noi)(?!\p{L})/iu;
const SPECIFIC = /\p{N}|[$€£¥%]|["“”«»„]/u;
/** A capital in the middle of a sentence: a product, a person, a place. */
const NAMED = /[\p{Ll},] (?!I\b)\p{Lu}\p{Ll}/u;
const LEANS_ON_BEFORE = /^(?:it|that|this|they|those|he|she|and|or|so|because|which)\b/i;

/** Nothing but politeness, assent or the talk around the talk. */
const SMALL_TALK =
  /^(?:(?:yes|yeah|yep|no|nope|okay|ok|sure|right|exactly|hello|hi|hey|bye|goodbye|thanks?|thank you|you're welcome|happy to|glad to|nice to meet|good (?:morning|afternoon|evening)|i (?:don't|do not) know|not sure|ja|nein|hallo|danke|oui|non|bonjour|merci|sí|si|hola|gracias|sim|não|olá|obrigad[oa]|ciao|grazie)(?!\p{L})[\s,.!…-]*)+/iu;

/** UTF-16 units of answers that are read, and candidates that are compared: an interview of hours has less, a flood stalls nobody. */
const MOST_READ = 1_000_000;
const MOST_RANKED = 500;

interface Candidate {
  text: string;
  /** Of the turn that it is from. */
  turn: number;
  /** Place in the conversation. */
  order: number;
  score: number;
}

/**
 * The participant's two or three most telling sentences, in their own words and in the order in which they were said; fewer
 * when they said little. A long sentence is cut at a word. Takes time in proportion to the text.
 * @param answers what the participant said, turn by turn
 */
export function chooseQuotes(answers: readonly string[]): string[] {
  const candidates: Candidate[] = [];
  let read = 0;
  for (const [turn, answer] of answers.entries()) {
    read += answer.length;
    if (read > MOST_READ && turn > 0) break;
    for (const { segment } of sentences.segment(answer.slice(0, MOST_READ).replace(/\s+/g, ' '))) {
      const text = segment.trim();
      const score = scoreSentence(text.slice(0, 2 * LONGEST));
      if (score >= TELLING) candidates.push({ text: clip(text, LONGEST), turn, order: candidates.length, score });
    }
  }
  candidates.sort((a, b) => b.score - a.score || a.order - b.order);
  return pickDiverse(candidates.slice(0, MOST_RANKED))
    .sort((a, b) => a.order - b.order)
    .map(({ text }) => text);
}

/** The best ones, of different turns as far as there are such, and no two that say the same. */
function pickDiverse(ranked: Candidate[]): Candidate[] {
  const chosen: Candidate[] = [];
  const bags: Set<string>[] = [];
  for (const oneEachTurn of [true, false]) {
    for (const candidate of ranked) {
      if (chosen.length === WANTED) return chosen;
      if (chosen.some(({ turn, order }) => order === candidate.order || (oneEachTurn && turn === candidate.turn)))
        continue;
      const bag = new Set(candidate.text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
      if (bags.some((other) => saysTheSame(bag, other))) continue;
      chosen.push(candidate);
      bags.push(bag);
    }
    // Two voices from different moments are enough: a third one is not squeezed out of the same answer.
    if (chosen.length >= 2) return chosen;
  }
  return chosen;
}

function saysTheSame(a: Set<string>, b: Set<string>): boolean {
  const shared = [...a].filter((word) => b.has(word)).length;
  return shared >= 0.6 * Math.min(a.size, b.size);
}

function scoreSentence(text: string): number {
  const core = text.replace(SMALL_TALK, '');
  const length = countWords(core);
  if (length < 5 || /[?？]\W*$/.test(text)) return 0;
  let score = length < 8 ? 1 : length <= 35 ? 3 : length <= 50 ? 2 : 1;
  score += 1.5 * Math.min(2, core.match(OPINION)?.length ?? 0);
  score += 1.2 * Math.min(2, core.match(REASON)?.length ?? 0);
  score += 0.6 * Math.min(2, core.match(STRONG)?.length ?? 0);
  if (FIRST_PERSON.test(core)) score += 1;
  if (SPECIFIC.test(core)) score += 1.2;
  if (NAMED.test(core)) score += 0.6;
  if (LEANS_ON_BEFORE.test(core)) score -= 0.8;
  if (core.length < text.length / 2) score -= 2;
  return score;
}

/** Words as spaces part them; where a language writes none, about two characters make a word. */
function countWords(text: string): number {
  const spaced = text.match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu) ?? [];
  return spaced.reduce((sum, word) => sum + (UNSPACED.test(word) ? Math.ceil(word.length / 2) : 1), 0);
}

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
