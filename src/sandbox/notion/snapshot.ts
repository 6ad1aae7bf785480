import type { JsonObject } from '../../model.ts';
import { type NotionBlock, type NotionPage, type NotionWorkspace, plainText } from './workspace.ts';

/** What the demo page shows of the stand-in: data sources with their newest pages first. */
export interface NotionSnapshot {
  dataSources: {
    id: string;
    title: string;
    properties: { name: string; type: string }[];
    /** All of them, also those that are not shown. */
    count: number;
    pages: PageSnapshot[];
  }[];
}

interface PageSnapshot {
  id: string;
  url: string;
  title: string;
  /** Epoch milliseconds of the last edit. */
  edited: number;
  properties: { name: string; type: string; text: string; color?: string }[];
  blocks: BlockSnapshot[];
}

interface BlockSnapshot {
  id: string;
  type: string;
  text: { content: string; bold: boolean; color: string; link: string | null }[];
  /** Of a callout. */
  emoji?: string;
  children: BlockSnapshot[];
  /** Children that are left out here, because a person would not scroll so far. */
  more: number;
}

/** The newest pages of a data source that a snapshot holds. */
const SHOWN_PAGES = 20;
/** The first blocks of a page or block that a snapshot holds. */
const SHOWN_BLOCKS = 60;

export function snapshotOf(workspace: NotionWorkspace): NotionSnapshot {
  const dataSources = [...workspace.dataSources.values()].map(({ id, title, properties }) => {
    const pages = workspace.pagesOf(id).filter((page) => !page.inTrash);
    return {
      id,
      title,
      properties: [...properties.values()].map(({ name, type }) => ({ name, type })),
      count: pages.length,
      pages: pages
        .slice(-SHOWN_PAGES)
        .reverse()
        .map((page) => pageSnapshot(workspace, page)),
    };
  });
  return { dataSources };
}

function pageSnapshot(workspace: NotionWorkspace, page: NotionPage): PageSnapshot {
  const columns = [...(workspace.dataSources.get(page.dataSource)?.properties.values() ?? [])];
  const properties = columns.map(({ name, type }) => {
    const value = type === 'created_time' ? page.createdTime : page.values.get(name);
    const color = value !== null && typeof value === 'object' && 'color' in value ? value.color : undefined;
    return { name, type, text: plainText(value), ...(typeof color === 'string' && { color }) };
  });
  return {
    id: page.id,
    url: page.url,
    title: properties.find(({ type }) => type === 'title')?.text ?? '',
    edited: Date.parse(page.editedTime),
    properties,
    blocks: workspace
      .childrenOf(page)
      .slice(0, SHOWN_BLOCKS)
      .map((block) => blockSnapshot(workspace, block)),
  };
}

function blockSnapshot(workspace: NotionWorkspace, block: NotionBlock): BlockSnapshot {
  const items = Array.isArray(block.content.rich_text) ? (block.content.rich_text as JsonObject[]) : [];
  const { emoji } = (block.content.icon ?? {}) as { emoji?: string };
  const children = workspace.childrenOf(block);
  return {
    id: block.id,
    type: block.type,
    text: items.map((item) => {
      const { bold, color } = item.annotations as { bold: boolean; color: string };
      return { content: String(item.plain_text), bold, color, link: typeof item.href === 'string' ? item.href : null };
    }),
    ...(emoji !== undefined && { emoji }),
    children: children.slice(0, SHOWN_BLOCKS).map((child) => blockSnapshot(workspace, child)),
    more: Math.max(0, children.length - SHOWN_BLOCKS),
  };
}
