import { el, link } from './dom.js';

/** Slack's mrkdwn as Slack shows it. Only what stands between `<` and `>` can mention or link: `&lt;` is a character. */

const EMOJI = {
  bust_in_silhouette: '👤',
  calendar: '📅',
  stopwatch: '⏱️',
  clock3: '🕒',
  speech_balloon: '💬',
  studio_microphone: '🎙️',
  white_check_mark: '✅',
  warning: '⚠️',
  rotating_light: '🚨',
  memo: '📝',
  arrow_forward: '▶️',
  test_tube: '🧪',
  bell: '🔔',
  tada: '🎉',
  movie_camera: '🎥',
  link: '🔗',
  mag: '🔍',
  x: '❌',
  information_source: 'ℹ️',
  label: '🏷️',
  notebook: '📓',
};

const MARKS = { '*': 'strong', _: 'em', '~': 's' };

/** Slack's three escapes, back to the characters. */
export function unescaped(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** `:name:` as the emoji, where the name is known. */
export function emoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

/** The nodes of a mrkdwn text. */
export function mrkdwn(source) {
  const nodes = [];
  let quote;
  const parts = String(source ?? '').split(/(```[\s\S]*?```)/);
  for (const part of parts) {
    if (part.startsWith('```') && part.endsWith('```') && part.length > 5) {
      nodes.push(el('pre', {}, unescaped(part.slice(3, -3).replace(/^\n/, ''))));
      quote = undefined;
      continue;
    }
    part.split('\n').forEach((line, index, lines) => {
      const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
      if (quoted) {
        if (quote) {
          quote.append(el('br'));
        } else {
          quote = el('blockquote');
          nodes.push(quote);
        }
        quote.append(...inline(quoted[1]));
        return;
      }
      const afterQuote = quote !== undefined;
      quote = undefined;
      nodes.push(...inline(line));
      if (index < lines.length - 1 && !(afterQuote && line === '')) nodes.push(el('br'));
    });
  }
  return nodes;
}

/** Bold, italic, struck, code, links and mentions of one line. */
function inline(line) {
  const nodes = [];
  const pattern = /<([^<>]+)>|`([^`]+)`|(?<![\p{L}\p{N}])([*_~])(?=\S)(.+?)(?<=\S)\3(?![\p{L}\p{N}])/gu;
  let from = 0;
  for (const match of line.matchAll(pattern)) {
    nodes.push(emoji(unescaped(line.slice(from, match.index))));
    from = match.index + match[0].length;
    if (match[1] !== undefined) nodes.push(reference(match[1]));
    else if (match[2] !== undefined) nodes.push(el('code', {}, unescaped(match[2])));
    else nodes.push(el(MARKS[match[3]], {}, ...inline(match[4])));
  }
  nodes.push(emoji(unescaped(line.slice(from))));
  return nodes.filter((node) => node !== '');
}

/** What stands in `<…>`. */
function reference(inside) {
  const [target, label] = inside.split('|', 2);
  const words = label === undefined ? undefined : unescaped(label);
  if (target.startsWith('@')) return el('span', { class: 'mention' }, `@${words ?? target.slice(1)}`);
  if (target.startsWith('#')) return el('span', { class: 'mention' }, `#${words ?? target.slice(1)}`);
  if (target.startsWith('!date^')) return words ?? '';
  if (target.startsWith('!'))
    return el('span', { class: 'mention loud' }, `@${words ?? target.slice(1).split('^')[0]}`);
  return link(unescaped(target), {}, words ?? unescaped(target));
}
