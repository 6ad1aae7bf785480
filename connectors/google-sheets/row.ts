import type { Item } from 'versive-relay/connector';
import type { Cell } from './columns.ts';

/** An item on its way into a row. */
export interface Row {
  item: Item;
  /** The text in its key column. */
  key: string;
  values: Map<string, Exclude<Cell, null>>;
  /** The row that it has already, counted from 1. */
  at?: number | undefined;
  /** The column that it begins in there, counted from 0, when its append landed beside the columns. */
  stray?: number | undefined;
}

/** Whether a row's key can be no other interview's. */
export function holdsSubject({ key, item }: Row): boolean {
  return key.includes(item.identity.subject.toWellFormed());
}
