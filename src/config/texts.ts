/** A place in one of the config's files; line and column are one-based. */
export interface Place {
  /** The file as the command line, or `include:`, names it. */
  file: string;
  line: number;
  column: number;
}

interface File {
  name: string;
  /** Offset of its first character. */
  start: number;
  /** Offsets at which its lines begin; found when a place in it is first asked for. */
  lines: number[] | undefined;
}

/** The texts of a config's files, one after the other: an offset into them all tells its file too. */
export class Texts {
  readonly #files: File[] = [];
  #whole = '';

  /** All texts, with a line end after each. */
  get whole(): string {
    return this.#whole;
  }

  /** Gives the offset of the text's first character. */
  add(name: string, text: string): number {
    const start = this.#whole.length;
    this.#files.push({ name, start, lines: undefined });
    this.#whole += `${text}\n`;
    return start;
  }

  /** The name of the file that an offset stands in. */
  fileAt(offset: number): string {
    return this.#at(offset).name;
  }

  place(offset: number): Place {
    const file = this.#at(offset);
    file.lines ??= this.#linesOf(file);
    const line = lastUpTo(offset, file.lines.length, (index) => file.lines?.[index] ?? 0);
    return { file: file.name, line: line + 1, column: offset - (file.lines[line] ?? 0) + 1 };
  }

  #at(offset: number): File {
    const found = this.#files[lastUpTo(offset, this.#files.length, (index) => this.#files[index]?.start ?? 0)];
    return found ?? { name: '', start: 0, lines: undefined };
  }

  #linesOf({ start }: File): number[] {
    const end = this.#files.find((each) => each.start > start)?.start ?? this.#whole.length;
    const lines = [start];
    for (let at = this.#whole.indexOf('\n', start); at !== -1 && at < end; at = this.#whole.indexOf('\n', at + 1)) {
      lines.push(at + 1);
    }
    return lines;
  }
}

/** The last of `count` ascending numbers that is not above `value`; the first one, when all are. */
function lastUpTo(value: number, count: number, numberAt: (index: number) => number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numberAt(middle) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
