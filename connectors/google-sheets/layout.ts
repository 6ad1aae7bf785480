import { type CheckFinding, clip, nearest } from 'versive-relay/connector';
import { columnName } from './a1.ts';
import type { TabProperties } from './client.ts';
import { TabProblem } from './errors.ts';

/** The columns of a destination. */
export interface ColumnNames {
  names: string[];
  /** The one of them that an interview's row is found by. */
  key: string;
}

/** Where the columns are; counted from 0. */
export interface Layout {
  gid: number;
  /** By name. */
  positions: Map<string, number>;
  /** The column that rows are found by. */
  key: number;
  /** The first column of the sheet that has a name, of whomever: where the table begins. */
  first: number;
  /** The last column of ours. */
  last: number;
}

/**
 * Finds the columns by their names.
 * @param header the names in row 1, trimmed
 * @throws TabProblem when one is missing or there twice
 */
export function layoutOf(tab: TabProperties, header: string[], columns: ColumnNames): Layout {
  const found = columns.names.map((name) => {
    const places = header.flatMap((one, index) => (one === name ? [index] : []));
    return { name, places, quoted: `"${name}"` };
  });
  const missing = found.filter(({ places }) => places.length === 0).map(({ quoted }) => quoted);
  const findings = found.flatMap(({ places, quoted }): CheckFinding[] => {
    if (places.length < 2) return [];
    const letters = places.map(columnName).join(' and ');
    const message = `The tab "${tab.title}" has more than one column ${quoted}: ${letters}.`;
    return [{ level: 'error', message, fix: `Rename all but one of the columns ${quoted} in row 1 of the tab.` }];
  });
  if (missing.length > 0) {
    const renamed = hintsOf(found, header, columns);
    const others = header.filter((name) => name !== '').join(', ');
    const noun = missing.length === 1 ? 'column' : 'columns';
    findings.push({
      level: 'error',
      message: `The tab "${tab.title}" has no ${noun} ${missing.join(', ')}. Row 1 has: ${clip(others, 500)}.`,
      fix: `${renamed}Write ${missing.join(', ')} into free cells of row 1, wherever you like, or list under \`columns:\` only what the tab has.`,
    });
  }
  if (findings.length > 0) throw new TabProblem(findings);
  const positions = new Map(found.map(({ name, places: [place = 0] }) => [name, place]));
  const first = header.findIndex((name) => name !== '');
  const key = positions.get(columns.key) ?? 0;
  return { gid: tab.gid, positions, key, first, last: Math.max(...positions.values()) };
}

/** Which column of the tab a missing one may have become: a person renames a header easily. */
function hintsOf(found: { name: string; places: number[] }[], header: string[], columns: ColumnNames): string {
  const strangers = header.filter((name) => name !== '' && !columns.names.includes(name));
  return found
    .filter(({ places }) => places.length === 0)
    .map(({ name }) => {
      const near = nearest(name, strangers);
      if (near === undefined) return '';
      return `If "${name}" is "${near}" now, name it so in the config, or rename it back in row 1. `;
    })
    .join('');
}
