/** Finds the texts in a line of YAML as people mean them: `${…}`, `{{ … }}` and `{% … %}` are parts of a text. */

/** A text without quotes. */
export interface Entry {
  /** Offsets in the line. */
  start: number;
  end: number;
  text: string;
  /** Does it stand in [ ] or { }? */
  inBrackets: boolean;
}

/**
 * The unquoted texts of a line, without the keys outside of brackets. A ` #` ends the line outside of brackets only: within
 * them it is what people mean as text when a bracket closes after it.
 * @param depth brackets that lines above left open
 */
export function entriesOf(line: string, depth: number): { entries: Entry[]; depth: number } {
  const scan = new Scan(line, depth);
  scan.run();
  return { entries: scan.entries, depth: scan.depth };
}

class Scan {
  readonly entries: Entry[] = [];
  readonly #line: string;
  depth: number;
  #at = 0;
  #start = 0;
  #keyed: boolean;

  constructor(line: string, depth: number) {
    this.#line = line;
    this.depth = depth;
    this.#keyed = depth > 0;
  }

  run(): void {
    const line = this.#line;
    while (this.#at < line.length) {
      const jump = this.#atom();
      if (jump !== undefined) this.#at = jump;
      else if (this.depth === 0 && this.#isComment()) break;
      else this.#step(line.charAt(this.#at));
    }
    this.#end(Math.min(this.#at, line.length));
  }

  /** Where a quoted text, a substitution or a part of a template ends that begins here. */
  #atom(): number | undefined {
    const line = this.#line;
    const rest = line.slice(this.#at);
    if (this.#isStart() && /^["']/.test(rest)) {
      const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(rest)?.[0];
      if (quoted !== undefined) {
        this.#start = this.#at + quoted.length;
        return this.#start;
      }
    }
    const part = /^(?:\{\{.*?\}\}|\{%.*?%\})/.exec(rest)?.[0];
    if (part !== undefined) return this.#at + part.length;
    if (rest.startsWith('{{') || rest.startsWith('{%')) return line.length;
    if (!rest.startsWith('${')) return undefined;
    let open = 0;
    for (let at = this.#at + 1; at < line.length; at += 1) {
      if (line[at] === '{') open += 1;
      if (line[at] === '}') open -= 1;
      if (open === 0) return at + 1;
    }
    return undefined;
  }

  #step(character: string): void {
    const next = this.#line.charAt(this.#at + 1);
    const isBlank = next === '' || /\s/.test(next);
    if ((character === '[' || character === '{') && (this.depth > 0 || this.#isStart())) {
      this.#cut();
      this.depth += 1;
    } else if (this.depth > 0 && (character === ']' || character === '}')) {
      this.#cut();
      this.depth -= 1;
    } else if (this.depth > 0 && character === ',') {
      this.#cut();
    } else if (character === ':' && isBlank && (this.depth > 0 || !this.#keyed)) {
      if (this.depth > 0) this.#cut();
      this.#keyed = true;
      this.#start = this.#at + 1;
    } else if (character === '-' && isBlank && this.depth === 0 && !this.#keyed && this.#isStart()) {
      this.#start = this.#at + 1;
    }
    this.#at += 1;
  }

  #isComment(): boolean {
    return this.#line[this.#at] === '#' && (this.#at === 0 || /\s/.test(this.#line.charAt(this.#at - 1)));
  }

  /** Does a text begin here? */
  #isStart(): boolean {
    return this.#line.slice(this.#start, this.#at).trim() === '';
  }

  /** Ends a text before a character that is no part of any. */
  #cut(): void {
    this.#end(this.#at);
    this.#start = this.#at + 1;
  }

  #end(end: number): void {
    const whole = this.#line.slice(this.#start, end);
    const text = whole.trim();
    if (text === '') return;
    const start = this.#start + whole.indexOf(text);
    this.entries.push({ start, end: start + text.length, text, inBrackets: this.depth > 0 });
  }
}
