import type { BlockObjectRequest } from '@notionhq/client';
import { clip, pieces } from 'versive-relay/connector';

/** https://developers.notion.com/reference/request-limits, in UTF-16 units, elements and bytes. */
export const LIMITS = {
  /** Of one rich text item. */
  text: 2000,
  /** Of any array: rich text items, children, people, options. */
  array: 100,
  url: 2000,
  /** Of an email address or phone number. */
  contact: 200,
  /** Of an option's or file's name. */
  name: 100,
  /** Of a request: 500 KB, less room for its envelope. */
  bytes: 480_000,
} as const;

export interface RichText {
  type: 'text';
  text: { content: string; link?: { url: string } };
  annotations?: { bold?: boolean; color?: 'gray' };
}

/** The text without what Notion cannot keep: halves of characters, and control characters other than tab and newline. */
export function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '');
}

/** A cleaned text as rich text items, cut with an ellipsis where it is longer than a property can hold. */
export function richText(text: string): RichText[] {
  if (text === '') return [];
  const contents = pieces(text, LIMITS.text);
  const kept = contents.slice(0, LIMITS.array);
  const beyond = contents[LIMITS.array];
  if (beyond !== undefined) kept.push(clip(`${kept.pop() ?? ''}${beyond}`, LIMITS.text));
  return kept.map((content) => ({ type: 'text', text: { content } }));
}

export function bold(content: string): RichText {
  return { type: 'text', text: { content }, annotations: { bold: true } };
}

/** An address that Notion takes as a link, or undefined. */
export function webAddress(text: string): string | undefined {
  const url = URL.parse(text.trim());
  const usable =
    url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.href.length <= LIMITS.url;
  return usable ? url.href : undefined;
}

/** Bytes that a value takes in a request. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** How many of the blocks, from one on, go into so many bytes and one array. */
export function fitting(blocks: BlockObjectRequest[], from: number, bytes: number = LIMITS.bytes): number {
  let left = bytes;
  const over = blocks.slice(from, from + LIMITS.array).findIndex((block) => {
    left -= bytesOf(block) + 1;
    return left < 0;
  });
  return over < 0 ? Math.min(blocks.length - from, LIMITS.array) : over;
}
