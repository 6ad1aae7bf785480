import { el, icon, keyed, link, move } from './dom.js';
import { blockNodes } from './notion-blocks.js';

const TYPE_ICONS = {
  title: 'M3 4h10M8 4v9',
  rich_text: 'M3 4.500h10M3 8h10M3 11.500h6',
  number: 'M6.500 3 5 13M11 3 9.500 13M3 6.500h10.500M2.500 10H13',
  select: 'M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zM5.800 7.200 8 9.400l2.200-2.200',
  multi_select: 'M6 4.500h7.500M6 8h7.500M6 11.500h7.500M3 4.500h.1M3 8h.1M3 11.500h.1',
  status:
    'M8 2.500v2M8 11.500v2M2.500 8h2M11.500 8h2M4.200 4.200l1.400 1.400M10.400 10.400l1.400 1.400M4.200 11.800l1.400-1.400M10.400 5.600l1.400-1.400',
  date: 'M3 4h10v9H3zM3 6.800h10M5.800 2.500v2.500M10.200 2.500v2.500',
  url: 'M6.800 9.200a2.500 2.500 0 0 0 3.600 0l2-2a2.500 2.500 0 0 0-3.600-3.600l-.9.9M9.200 6.800a2.500 2.500 0 0 0-3.600 0l-2 2a2.500 2.500 0 0 0 3.600 3.600l.9-.9',
  checkbox: 'M3 3h10v10H3zM5.500 8l2 2 3.200-4',
  people:
    'M8 8.200a2.400 2.400 0 1 0 0-4.800 2.400 2.400 0 0 0 0 4.800zM3.500 13c.4-2.200 2.200-3.300 4.500-3.300s4.100 1.100 4.500 3.300',
};
const PAGE = 'M4 2.500h5.500L12.500 5.500v8H4zM9.500 2.500v3h3M6 8.500h4.500M6 11h4.500';
const TALK = 'M2.500 3.500h11v7.500H7.500L4.800 13.300V11H2.500zM5 6h6M5 8.500h4';
const DRAWER = 'M2.500 3h11v10h-11zM2.500 8h11M6.500 5.500h3M6.500 10.500h3';
const DATE = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const SHOWN_COLUMNS = 7;
/** The title stands above; the rest is what Notion computes. */
const UNSEEN = new Set(['title', 'created_time', 'last_edited_time', 'unique_id', 'formula']);

/** Draws the data source as a table, and the page that is open beside it. Gives `draw(snapshot)`. */
export function notionWindow(root, announce) {
  const title = el('h2');
  const crumb = el('span');
  const head = el('tr');
  const body = el('tbody');
  const count = el('span', { class: 'notion-count' });
  const scroll = el(
    'div',
    { class: 'notion-scroll', tabindex: '0', role: 'region', 'aria-label': 'Table of interviews' },
    el('table', { class: 'notion-table' }, el('thead', {}, head), body),
    el('p', { class: 'notion-foot' }, 'Count ', count),
  );
  const peek = el('article', { class: 'notion-peek', tabindex: '0', 'aria-label': 'Open page' });
  let chosen;
  let snapshot;

  root.replaceChildren(
    el(
      'div',
      { class: 'notion-database' },
      el(
        'header',
        { class: 'notion-top' },
        icon(PAGE),
        el('span', { class: 'dim' }, 'Research /'),
        crumb,
        el('span', { class: 'fault-flag', 'data-service': 'notion' }),
      ),
      el('div', { class: 'notion-title' }, icon(DRAWER, { class: 'notion-icon' }), title),
      el(
        'div',
        { class: 'notion-views', 'aria-hidden': 'true' },
        el('span', { class: 'view on' }, icon('M2.500 3.500h11v9h-11zM2.500 6.500h11M6.500 6.500v6'), 'Table'),
        el('span', { class: 'view' }, icon('M2.500 3.500h3v9h-3zM7 3.500h3v6H7zM11.500 3.500h2v9h-2'), 'Board'),
        el('span', { class: 'notion-new' }, 'New'),
      ),
      scroll,
    ),
    peek,
  );

  function draw(next = snapshot) {
    snapshot = next;
    const source = snapshot.dataSources.find(({ count: pages }) => pages > 0) ?? snapshot.dataSources[0];
    if (!source) return;
    title.textContent = source.title;
    crumb.textContent = source.title;
    const columns = columnsOf(source);
    keyed(
      head,
      columns,
      (column) => column.name,
      (column) => el('th', { scope: 'col' }, icon(TYPE_ICONS[column.type] ?? TYPE_ICONS.rich_text), column.name),
    );
    const shown = source.pages.find(({ id }) => id === chosen) ?? source.pages[0];
    const rows = source.pages.map((page) => ({
      id: page.id,
      open: page.id === shown?.id,
      title: page.title,
      cells: columns.map(({ name }) => page.properties.find((property) => property.name === name) ?? null),
    }));
    const fresh = keyed(body, rows, (row) => row.id, rowNode);
    count.textContent = String(source.count);
    drawPage(shown);
    if (fresh.length > 0) announce(`New page in Notion: ${fresh[0].title}`);
  }

  function rowNode(row) {
    return el(
      'tr',
      { class: row.open ? 'open' : undefined },
      row.cells.map((value, index) => {
        if (index > 0) return el('td', {}, valueNodes(value));
        return el(
          'th',
          { scope: 'row' },
          el(
            'button',
            { type: 'button', 'aria-pressed': String(row.open), onclick: () => choose(row.id) },
            icon(PAGE),
            el('span', {}, row.title || 'Untitled'),
          ),
        );
      }),
    );
  }

  function choose(id) {
    chosen = id;
    draw();
    peek.scrollTop = 0;
    peek.focus({ preventScroll: false });
  }

  let drawn = '';
  function drawPage(page) {
    if (!page) {
      peek.replaceChildren(el('p', { class: 'empty' }, 'Pages appear here as interviews arrive.'));
      return;
    }
    const print = JSON.stringify(page);
    if (print === drawn) return;
    const same = peek.dataset.page === page.id;
    const top = peek.scrollTop;
    drawn = print;
    peek.dataset.page = page.id;
    const filled = page.properties.filter((property) => !UNSEEN.has(property.type) && !isEmpty(property));
    peek.replaceChildren(
      el(
        'div',
        { class: 'notion-page' },
        icon(TALK, { class: 'notion-icon' }),
        el('h3', {}, page.title || 'Untitled'),
        el(
          'dl',
          { class: 'notion-properties' },
          filled.map((property) =>
            el(
              'div',
              {},
              el('dt', {}, icon(TYPE_ICONS[property.type] ?? TYPE_ICONS.rich_text), property.name),
              el('dd', { class: property.type }, valueNodes(property)),
            ),
          ),
        ),
        el('hr'),
        el('div', { class: 'notion-body' }, blockNodes(page.blocks)),
      ),
    );
    peek.scrollTop = same ? top : 0;
    if (!same) move(peek.firstElementChild, 'arrived');
  }
  return draw;
}

/** The title first, then the columns in which something stands. */
function columnsOf({ properties, pages }) {
  const isUsed = ({ name }) =>
    pages.some((page) => page.properties.some((property) => property.name === name && !isEmpty(property)));
  const columns = properties.filter(({ type }) => type !== 'title');
  const used = columns.filter(isUsed).sort((a, b) => width(a) - width(b));
  const title = properties.filter(({ type }) => type === 'title');
  return [...title, ...used, ...columns.filter((column) => !used.includes(column))].slice(0, SHOWN_COLUMNS);
}

/** Chips and numbers first: what tells most in little space. */
function width({ type }) {
  const order = ['status', 'select', 'multi_select', 'number', 'date', 'checkbox'];
  return order.includes(type) ? order.indexOf(type) : order.length;
}

function isEmpty(property) {
  return property.text === '' || (property.type === 'checkbox' && property.text === 'false');
}

function color(name) {
  return /^[a-z_]+$/.test(name ?? '') ? name : 'default';
}

function valueNodes(property) {
  if (!property || isEmpty(property)) return [];
  const { type, text } = property;
  switch (type) {
    case 'select':
      return [el('span', { class: `chip ${color(property.color)}` }, text)];
    case 'multi_select':
      return text.split(', ').map((name) => el('span', { class: `chip ${color(property.color)}` }, name));
    case 'status':
      return [el('span', { class: `chip round ${color(property.color)}` }, el('i', { 'aria-hidden': 'true' }), text)];
    case 'date':
    case 'created_time':
    case 'last_edited_time':
      return [dateText(text)];
    case 'url':
      return [link(text, { class: 'url' }, text.replace(/^https?:\/\//, ''))];
    case 'checkbox':
      return [el('span', { class: 'checked', role: 'img', 'aria-label': 'checked' }, '✓')];
    default:
      return [text];
  }
}

function dateText(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) || text.length <= 10 ? text : DATE.format(date);
}
