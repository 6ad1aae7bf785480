/**
 * The only ways in which this page makes elements. Text is always set as text: what participants said never becomes
 * markup, and nothing here takes HTML.
 */

const SVG = 'http://www.w3.org/2000/svg';

/** An element: `el('p', { class: 'note' }, 'words', child, …)`. Null, undefined and false children are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A small drawing: one path in a square of `size` units. */
export function icon(path, { size = 16, class: name = 'icon', filled = false } = {}) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('class', name);
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  shape.setAttribute(filled ? 'fill' : 'stroke', 'currentColor');
  if (!filled) {
    shape.setAttribute('fill', 'none');
    shape.setAttribute('stroke-width', '1.4');
    shape.setAttribute('stroke-linecap', 'round');
    shape.setAttribute('stroke-linejoin', 'round');
  }
  svg.append(shape);
  return svg;
}

/** A link that leaves the page, or its plain text when the address is none that a browser should open. */
export function link(href, attributes, ...children) {
  const safe = /^(https?:|mailto:)/i.test(String(href ?? ''));
  if (!safe) return el('span', attributes, ...children);
  return el('a', { ...attributes, href, target: '_blank', rel: 'noopener noreferrer' }, ...children);
}

/**
 * Brings the children of `parent` in line with `items`: what did not change stays, what is new glides in, what changed
 * is drawn again and flashes. Gives the keys that are new.
 */
export function keyed(parent, items, keyOf, render) {
  const known = parent.keyed ?? new Map();
  parent.keyed = known;
  const first = parent.drawn !== true;
  parent.drawn = true;
  const fresh = [];
  const wanted = new Set();
  items.forEach((item, index) => {
    const key = keyOf(item, index);
    wanted.add(key);
    const print = JSON.stringify(item);
    const before = known.get(key);
    if (before?.print !== print) {
      const node = render(item, index);
      if (before) {
        before.node.replaceWith(node);
        move(node, 'changed');
      } else {
        if (!first) move(node, 'arrived');
        fresh.push(item);
      }
      known.set(key, { print, node });
    }
    const { node } = known.get(key);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  for (const [key, { node }] of known) {
    if (wanted.has(key)) continue;
    node.remove();
    known.delete(key);
  }
  return first ? [] : fresh;
}

/** Lets a node move once, as motion.css says; a class that stayed would keep some browsers drawing. */
export function move(node, name) {
  node.classList.remove('arrived', 'changed');
  node.classList.add(name);
  node.addEventListener('animationend', () => node.classList.remove(name), { once: true });
}
