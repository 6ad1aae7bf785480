import path from 'node:path';
import { styleText } from 'node:util';
import type { Config, DestinationConfig } from '../config/config.ts';
import { openDestination } from '../config/open.ts';
import type { Destination, Drawn, Item } from '../connector.ts';
import type { JsonValue } from '../model.ts';
import { TemplateRenderError } from '../render/template.ts';
import { outline } from './outline.ts';
import { plain } from './words.ts';

/** What a destination would be sent. */
export interface Previewed {
  /** Undefined when its connector cannot show it, or it would be rejected. */
  preview: JsonValue | undefined;
  /** The same for a person. */
  drawn: Drawn[][];
  /** Why the template could not be rendered. */
  error: string | undefined;
}

/** Asks an opened destination what it would send; makes no call. */
export function previewOf(opened: Destination, item: Item): Previewed {
  try {
    const preview = opened.preview?.(item);
    const drawn = opened.draw?.(item) ?? (preview === undefined ? [] : outline(preview));
    return { preview, drawn, error: undefined };
  } catch (error) {
    if (!(error instanceof TemplateRenderError)) throw error;
    return { preview: undefined, drawn: [], error: error.message };
  }
}

/** Opens a destination, asks it what it would send, and closes it again. Makes no call. */
export async function previewAt(
  config: Config,
  destination: DestinationConfig,
  item: Item,
): Promise<Previewed & { target: string }> {
  const opened = openDestination(destination, { folder: path.dirname(config.file), timezone: config.timezone });
  try {
    return { ...previewOf(opened, item), target: opened.target };
  } finally {
    await opened.close?.();
  }
}

/** Writes what was drawn, indented; nothing that came from outside steers the terminal. */
export function printDrawn(drawn: Drawn[][], scrub: (text: string) => string, stream: NodeJS.WriteStream): void {
  const paint = (style: 'bold' | 'dim', text: string) => (text === '' ? '' : styleText(style, text, { stream }));
  for (const line of drawn) {
    const painted = line.map((piece) => {
      if (typeof piece === 'string') return plain(scrub(piece));
      return 'bold' in piece ? paint('bold', plain(scrub(piece.bold))) : paint('dim', plain(scrub(piece.dim)));
    });
    stream.write(`${`  ${painted.join('')}`.trimEnd()}\n`);
  }
}

/** The lines of a drawing as text. */
export function textOf(drawn: Drawn[][]): string[] {
  const words = (piece: Drawn) => (typeof piece === 'string' ? piece : 'bold' in piece ? piece.bold : piece.dim);
  return drawn.map((line) => line.map(words).join('').trimEnd());
}
