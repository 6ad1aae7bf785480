import { createHash } from 'node:crypto';
import type { BlockObjectRequest } from '@notionhq/client';
import { clip, type Item, pieces, type Turn } from 'versive-relay/connector';
import { bold, clean, LIMITS, type RichText, richText, webAddress } from './rich-text.ts';

/** Metadata beyond so many entries is counted, not shown: it belongs into properties. */
const METADATA_SHOWN = 20;
const LABEL_LIMIT = 60;
const FACT_LIMIT = 300;
const QUOTE_LIMIT = 1000;

/** All that the relay writes into a page. */
export interface Body {
  /** Blocks of the page itself. With turns, the last of them is the toggle that holds them. */
  top: BlockObjectRequest[];
  /** The transcript: blocks inside the toggle. */
  turns: BlockObjectRequest[];
  /** Equal for equal bodies. */
  hash: string;
}

/** Facts, links, quotes, and the whole transcript, whatever its length. */
export function makeBody(item: Item): Body {
  const { view } = item;
  const turns = view.turns.flatMap(turnBlocks);
  const top: BlockObjectRequest[] = [
    {
      type: 'callout',
      callout: { icon: { type: 'emoji', emoji: '💬' }, color: 'gray_background', rich_text: facts(item) },
    },
  ];
  const addresses = links(item);
  if (addresses.length > 0) top.push({ type: 'paragraph', paragraph: { rich_text: addresses } });
  for (const quote of view.quotes) {
    top.push({ type: 'quote', quote: { rich_text: richText(clip(clean(quote), QUOTE_LIMIT)) } });
  }
  if (turns.length > 0) {
    const count = view.turns.length === 1 ? '1 turn' : `${view.turns.length} turns`;
    const title = richText(`Transcript · ${count}`);
    // A toggle, because it is one block to find again, to append to, and to replace, however much it holds.
    top.push({ type: 'heading_2', heading_2: { rich_text: title, is_toggleable: true } });
  } else {
    top.push({ type: 'paragraph', paragraph: { rich_text: richText('This interview came without a transcript.') } });
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([top, turns]))
    .digest('hex')
    .slice(0, 16);
  return { top, turns, hash };
}

/** The blocks of the page itself, with the first turns inside the toggle. */
export function withTurns({ top, turns }: Body, count: number): BlockObjectRequest[] {
  const last = top.at(-1);
  if (count === 0 || !last || !('heading_2' in last) || !last.heading_2) return top;
  const children = turns.slice(0, count) as NonNullable<typeof last.heading_2.children>;
  return [...top.slice(0, -1), { ...last, heading_2: { ...last.heading_2, children } }];
}

function facts({ view }: Item): RichText[] {
  const shown = view.metadata.slice(0, METADATA_SHOWN);
  const rows: [string, string][] = [
    ['Study', view.studyTitle],
    ['Participant', view.participant],
    ['When', view.when],
    ['Duration', view.duration],
    ['Mode', view.mode],
    ...shown,
  ];
  const told = rows
    .map(([label, value]) => [clip(clean(label), LABEL_LIMIT), clip(clean(value), FACT_LIMIT)] as const)
    .filter(([, value]) => value.trim() !== '');
  if (view.isMock) told.push(['Test', 'a mock interview']);
  const hidden = view.metadata.length - shown.length;
  if (hidden > 0) told.push(['Metadata', `${hidden} more entries`]);
  return told.flatMap(([label, value], index) => [
    bold(`${label}: `),
    { type: 'text', text: { content: index === told.length - 1 ? value : `${value}\n` } },
  ]);
}

function links({ view }: Item): RichText[] {
  const found = [
    ['▶ Watch the recording', view.recordingUrl],
    ['Open in Versive', view.link],
  ] as const;
  const usable = found.flatMap(([content, address]) => {
    const url = address === undefined ? undefined : webAddress(address);
    return url === undefined ? [] : [{ type: 'text' as const, text: { content, link: { url } } }];
  });
  return usable.flatMap((link, index) => (index === 0 ? [link] : [{ type: 'text', text: { content: '   ' } }, link]));
}

/** A turn is one paragraph that begins with its speaker; a long one goes on in paragraphs of its own. */
function turnBlocks({ role, speaker, text }: Turn): BlockObjectRequest[] {
  const words = clean(text);
  const paragraphs = words === '' ? [''] : pieces(words, LIMITS.text);
  return paragraphs.map((content, index) => {
    const items: RichText[] = content === '' ? [] : [{ type: 'text', text: { content } }];
    if (index > 0 || speaker === '') return { type: 'paragraph', paragraph: { rich_text: items } };
    const name: RichText = {
      ...bold(`${clip(clean(speaker), LABEL_LIMIT)}\n`),
      annotations: role === 'interviewer' ? { bold: true, color: 'gray' } : { bold: true },
    };
    return { type: 'paragraph', paragraph: { rich_text: [name, ...items] } };
  });
}
