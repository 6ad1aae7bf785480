import { el, icon, link } from './dom.js';

const SIMPLE = {
  paragraph: 'p',
  heading_1: 'h4',
  heading_2: 'h4',
  heading_3: 'h5',
  heading_4: 'h5',
  quote: 'blockquote',
};
const LISTS = { bulleted_list_item: 'ul', numbered_list_item: 'ol' };
const MEDIA = new Set(['bookmark', 'embed', 'link_preview', 'video', 'audio', 'file']);

/** Notion's rich text: runs with a weight, a colour and a link. */
function richText(runs) {
  return runs.map(({ content, bold, color, link: href }) => {
    let node = document.createTextNode(content);
    if (bold) node = el('strong', {}, node);
    if (color !== 'default' && /^[a-z_]+$/.test(color)) node = el('span', { class: `ink ${color}` }, node);
    return href ? link(href, { class: 'inline' }, node) : node;
  });
}

/** The nodes of a page's blocks; neighbouring list items share a list. */
export function blockNodes(blocks, depth = 0) {
  const nodes = [];
  let list;
  for (const block of blocks) {
    const tag = LISTS[block.type];
    if (!tag) {
      list = undefined;
      nodes.push(blockNode(block, depth));
      continue;
    }
    if (list?.localName !== tag) {
      list = el(tag);
      nodes.push(list);
    }
    list.append(el('li', {}, richText(block.text), inside(block, depth)));
  }
  return nodes;
}

function inside(block, depth) {
  const more = block.more > 0 && el('p', { class: 'dim' }, `… and ${block.more} more`);
  return [...blockNodes(block.children, depth + 1), more];
}

function blockNode(block, depth) {
  const words = richText(block.text);
  const children = inside(block, depth);
  const tag = SIMPLE[block.type];
  if (block.type === 'toggle' || (tag && block.type.startsWith('heading') && block.children.length > 0)) {
    return el('details', { open: depth === 0 }, el('summary', { class: block.type }, words), children);
  }
  if (block.type === 'quote') return el('blockquote', {}, words, children);
  if (tag) {
    const node = el(tag, { class: block.type }, words);
    return block.children.length > 0 ? el('div', {}, node, el('div', { class: 'indent' }, children)) : node;
  }
  if (block.type === 'callout') {
    const text = el('div', {}, el('div', { class: 'callout-text' }, words), children);
    return el('aside', { class: 'callout' }, el('span', { 'aria-hidden': 'true' }, block.emoji ?? '💡'), text);
  }
  if (block.type === 'divider') return el('hr');
  if (block.type === 'code') return el('pre', {}, words);
  if (MEDIA.has(block.type)) {
    const href = block.text.find((run) => run.link)?.link;
    const label = block.text.map(({ content }) => content).join('') || href || block.type;
    return link(href, { class: 'bookmark' }, icon('M5.500 3.500v9l7-4.500z', { filled: true }), el('span', {}, label));
  }
  return el('p', { class: 'dim' }, `[${block.type}]`);
}
