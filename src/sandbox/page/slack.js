import { el, icon, keyed, link } from './dom.js';
import { emoji, mrkdwn, unescaped } from './mrkdwn.js';

const HASH = 'M6.500 2 5 14M11 2 9.500 14M2.500 5.500h11.500M2 10.500h11.500';
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** Draws the workspace: a sidebar with the channels, and the open channel. Gives `draw(snapshot)`. */
export function slackWindow(root, announce) {
  const rooms = el('ul', { class: 'slack-rooms' });
  const title = el('h2');
  const topic = el('span', { class: 'slack-topic' });
  const feed = el('div', { class: 'slack-feed', tabindex: '0', role: 'region', 'aria-label': 'Messages' });
  const empty = el('p', { class: 'empty' }, 'Quiet so far. The first interview is on its way.');
  let open;
  let snapshot = { channels: [] };

  root.replaceChildren(
    el(
      'nav',
      { class: 'slack-side', 'aria-label': 'Channels' },
      el(
        'div',
        { class: 'slack-team' },
        el('span', { class: 'slack-logo', 'aria-hidden': 'true' }, 'H'),
        el('strong', {}, 'Harbor'),
        icon('m4.500 6.500 3.500 3.500 3.500-3.500'),
      ),
      el('p', { class: 'slack-label' }, 'Channels'),
      rooms,
      el('p', { class: 'slack-label' }, 'Apps'),
      el(
        'ul',
        { class: 'slack-rooms' },
        el('li', {}, el('span', { class: 'slack-room app' }, avatar(), 'Versive Relay')),
      ),
    ),
    el(
      'div',
      { class: 'slack-main' },
      el(
        'header',
        { class: 'slack-head' },
        icon(HASH),
        title,
        topic,
        el('span', { class: 'fault-flag', 'data-service': 'slack' }),
      ),
      feed,
      el(
        'div',
        { class: 'slack-compose', 'aria-hidden': 'true' },
        el('span', {}, 'Message the channel'),
        icon('M2 3l12 5-12 5 1.500-5z'),
      ),
    ),
  );

  function draw(next = snapshot) {
    snapshot = next;
    const channels = snapshot.channels;
    const shown = channels.find((channel) => channel.id === open) ?? channels[0];
    keyed(
      rooms,
      channels.map(({ id, name, messages }) => ({ id, name, count: messages.length, open: id === shown?.id })),
      (room) => room.id,
      (room) =>
        el(
          'li',
          {},
          el(
            'button',
            {
              type: 'button',
              class: 'slack-room',
              'aria-current': room.open ? 'true' : undefined,
              onclick: () => choose(room.id),
            },
            icon(HASH),
            el('span', {}, room.name),
            room.count > 0 &&
              el('span', { class: 'badge', 'aria-label': `${room.count} messages` }, String(room.count)),
          ),
        ),
    );
    title.textContent = shown?.name ?? 'no channels';
    feed.setAttribute('aria-label', `Messages in ${shown?.name ?? 'Slack'}`);
    topic.textContent = shown?.messages.length === 1 ? '1 message' : `${shown?.messages.length ?? 0} messages`;
    const messages = shown?.messages ?? [];
    const atEnd = feed.scrollHeight - feed.scrollTop - feed.clientHeight < 120 || feed.drawn !== true;
    empty.remove();
    const fresh = keyed(
      feed,
      messages,
      (message) => `${shown.id} ${message.ts}`,
      (message) => messageNode(message),
    );
    if (messages.length === 0) feed.append(empty);
    if (atEnd) feed.scrollTop = feed.scrollHeight;
    for (const message of fresh.slice(-1)) announce(`New message in ${shown.name}: ${unescaped(message.text ?? '')}`);
  }

  function choose(id) {
    open = id;
    feed.drawn = false;
    draw();
  }
  return draw;
}

function avatar() {
  return el('img', { class: 'avatar', src: 'icon.svg', alt: '' });
}

function messageNode(message) {
  const date = new Date(Number(message.ts) * 1000);
  const blocks = message.blocks ?? [];
  return el(
    'article',
    { class: 'slack-message' },
    avatar(),
    el(
      'div',
      { class: 'slack-body' },
      el(
        'p',
        { class: 'slack-from' },
        el('strong', {}, 'Versive Relay'),
        el('span', { class: 'app-tag' }, 'APP'),
        el('time', { datetime: date.toISOString(), title: DAY.format(date) }, TIME.format(date)),
        message.edited && el('span', { class: 'edited' }, '(edited)'),
      ),
      blocks.length > 0 ? blocks.map(blockNode) : el('div', { class: 'block section' }, mrkdwn(message.text)),
    ),
  );
}

function blockNode(block) {
  switch (block.type) {
    case 'header':
      return el('h3', { class: 'block header' }, textNodes(block.text));
    case 'section':
      return el(
        'div',
        { class: 'block section' },
        el(
          'div',
          { class: 'grow' },
          block.text && el('div', { class: 'section-text' }, textNodes(block.text)),
          block.fields &&
            el(
              'div',
              { class: 'fields' },
              block.fields.map((field) => el('div', {}, textNodes(field))),
            ),
        ),
        block.accessory && elementNode(block.accessory),
      );
    case 'context':
      return el(
        'div',
        { class: 'block context' },
        (block.elements ?? []).map((element) =>
          el('span', {}, element.type === 'image' ? (element.alt_text ?? '') : textNodes(element)),
        ),
      );
    case 'actions':
      return el('div', { class: 'block actions' }, (block.elements ?? []).map(elementNode));
    case 'divider':
      return el('hr', { class: 'block' });
    case 'image':
      return el('div', { class: 'block image' }, `🖼 ${block.alt_text ?? block.title?.text ?? 'image'}`);
    case 'markdown':
      return el('div', { class: 'block section' }, el('div', { class: 'plain' }, block.text ?? ''));
    case 'rich_text':
      return el('div', { class: 'block section' }, el('div', { class: 'grow' }, (block.elements ?? []).map(richNode)));
    default:
      return el('div', { class: 'block plain' }, `[${block.type}]`);
  }
}

function textNodes(text) {
  if (!text) return [];
  return text.type === 'mrkdwn' ? mrkdwn(text.text) : [emoji(text.text ?? '')];
}

function elementNode(element) {
  if (element.type !== 'button') return el('span', { class: 'slack-button' }, element.alt_text ?? element.type);
  const style = element.style ? ` ${element.style}` : '';
  return link(element.url, { class: `slack-button${style}` }, textNodes(element.text));
}

function richNode(part) {
  const tag =
    { rich_text_quote: 'blockquote', rich_text_preformatted: 'pre', rich_text_list: 'ul' }[part.type] ?? 'div';
  const children = (part.elements ?? []).map((element) => {
    if (element.type?.startsWith('rich_text')) return el('li', {}, richNode(element));
    if (element.type === 'link') return link(element.url, {}, element.text ?? element.url);
    const mark = element.style?.bold ? 'strong' : element.style?.italic ? 'em' : element.style?.code ? 'code' : 'span';
    return el(mark, {}, element.text ?? '');
  });
  return el(tag, {}, children);
}
