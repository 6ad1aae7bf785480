import { el, icon, keyed, move } from './dom.js';

const LEAST_COLUMNS = 12;
const LEAST_ROWS = 16;
const SPARE_ROWS = 6;
const TOOLS = [
  'M6 4.500 3 7.500l3 3M3.500 7.500h6a3 3 0 0 1 0 6H8',
  'm10 4.500 3 3-3 3M12.500 7.500h-6a3 3 0 0 0 0 6H8',
  'M4.500 6V3h7v3M4.500 11.500h-2V6h11v5.500h-2M4.500 9.500h7v4h-7z',
  'M5 3h4a2.300 2.300 0 0 1 0 4.800H5zM5 7.800h4.600a2.500 2.500 0 0 1 0 5.200H5z',
  'M7.500 3h4M4.500 13h4M9.500 3l-3 10',
  'M2.500 3.500h11v9h-11zM8 3.500v9M2.500 8h11',
  'M3 4h10M3 7h6M3 10h10M3 13h6',
];

/** `A`, `B`, … `Z`, `AA`. */
function columnName(index) {
  return index < 26 ? String.fromCharCode(65 + index) : columnName(Math.floor(index / 26) - 1) + columnName(index % 26);
}

/** Draws the spreadsheet: menus, formula bar, grid and tabs. Gives `draw(snapshot)`. */
export function sheetsWindow(root, announce) {
  const title = el('h2');
  const place = el('span', { class: 'sheets-name' }, 'A1');
  const formula = el('output', { class: 'sheets-formula', 'aria-label': 'Content of the selected cell' });
  const head = el('tr');
  const body = el('tbody');
  const table = el('table', { class: 'sheets-grid' }, el('thead', {}, head), body);
  const scroll = el(
    'div',
    { class: 'sheets-scroll', tabindex: '0', role: 'region', 'aria-label': 'Grid; arrow keys move the selected cell' },
    table,
  );
  const tabs = el('div', { class: 'sheets-tabs', role: 'group', 'aria-label': 'Tabs' });
  let open;
  let selected = [0, 0];
  let grid = [];
  let snapshot;
  let shownRows;

  root.replaceChildren(
    el(
      'header',
      { class: 'sheets-top' },
      el(
        'span',
        { class: 'sheets-logo', 'aria-hidden': 'true' },
        icon('M3.500 6h9M3.500 9.500h9M8 6v7M3.500 3h9v10h-9z'),
      ),
      el(
        'div',
        {},
        title,
        el(
          'p',
          { class: 'sheets-menu', 'aria-hidden': 'true' },
          ['File', 'Edit', 'View', 'Insert', 'Format', 'Data', 'Tools'].map((word) => el('span', {}, word)),
        ),
      ),
      el('span', { class: 'fault-flag', 'data-service': 'sheets' }),
      el('span', { class: 'sheets-share', 'aria-hidden': 'true' }, 'Share'),
    ),
    el(
      'div',
      { class: 'sheets-tools', 'aria-hidden': 'true' },
      TOOLS.map((path) => icon(path)),
      el('span', {}, '100%'),
      el('span', {}, 'Arial'),
      el('span', {}, '10'),
    ),
    el('div', { class: 'sheets-bar' }, place, el('em', { 'aria-hidden': 'true' }, 'fx'), formula),
    scroll,
    tabs,
  );

  scroll.addEventListener('keydown', (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    select(selected[0] + step[0], selected[1] + step[1]);
  });
  body.addEventListener('click', (event) => {
    const cell = event.target.closest('td');
    if (cell) select(cell.parentElement.sectionRowIndex, cell.cellIndex - 1);
  });

  function draw(next = snapshot) {
    snapshot = next;
    const book =
      snapshot.spreadsheets.find(({ tabs: sheets }) => sheets.some(({ rows }) => rows.length > 0)) ??
      snapshot.spreadsheets[0];
    if (!book) return;
    title.textContent = book.title;
    const sheet =
      book.tabs.find(({ title: name }) => name === open) ??
      book.tabs.find(({ rows }) => rows.length > 0) ??
      book.tabs[0];
    if (!sheet) return;
    keyed(
      tabs,
      book.tabs.map(({ title: name }) => ({ name, on: name === sheet.title })),
      ({ name }) => name,
      ({ name, on }) =>
        el(
          'button',
          {
            type: 'button',
            'aria-pressed': String(on),
            onclick: () => {
              open = name;
              body.drawn = false;
              draw();
            },
          },
          name,
        ),
    );
    grid = sheet.rows;
    const columns = Math.max(LEAST_COLUMNS, ...grid.map((row) => row.length));
    keyed(
      head,
      Array.from({ length: columns + 1 }, (_, index) => index),
      (index) => index,
      (index) =>
        el('th', index === 0 ? { class: 'corner' } : { scope: 'col' }, index === 0 ? '' : columnName(index - 1)),
    );
    const rows = Math.max(LEAST_ROWS, grid.length + SPARE_ROWS);
    const items = Array.from({ length: rows }, (_, index) => ({ columns, cells: grid[index] ?? [] }));
    // What arrives is a row that fills: the empty ones were there before.
    const before = shownRows;
    shownRows = { title: sheet.title, count: grid.length };
    keyed(body, items, (_row, index) => `${sheet.title} ${index}`, rowNode);
    if (before?.title === sheet.title && grid.length > before.count) {
      for (let index = before.count; index < grid.length; index++) move(body.children[index], 'arrived');
      keepInView(grid.length - 1);
      announce(`Row ${grid.length} added to ${book.title}`);
    }
    select(...selected, false);
  }

  function rowNode({ columns, cells }, index) {
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, String(index + 1)),
      Array.from({ length: columns }, (_, column) => {
        const value = cells[column] ?? '';
        const kind = typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : undefined;
        return el('td', { class: kind }, shown(value));
      }),
    );
  }

  function keepInView(index) {
    const row = body.children[index];
    const below = row.offsetTop + row.offsetHeight * 2 - scroll.clientHeight;
    if (below > scroll.scrollTop) scroll.scrollTop = below;
  }

  function select(row, column, follow = true) {
    const cell = body.rows[row]?.cells[column + 1];
    if (!cell || column < 0) return;
    for (const old of body.querySelectorAll('.selected')) old.classList.remove('selected');
    selected = [row, column];
    cell.classList.add('selected');
    place.textContent = `${columnName(column)}${row + 1}`;
    formula.textContent = shown(grid[row]?.[column] ?? '', Number.POSITIVE_INFINITY);
    if (follow) cell.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
  return draw;
}

/** A cell shows the beginning of long text; the formula bar shows all of it. */
function shown(value, most = 160) {
  const text = typeof value === 'boolean' ? String(value).toUpperCase() : String(value);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
