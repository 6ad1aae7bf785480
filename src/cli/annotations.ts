import path from 'node:path';
import type { Finding } from '../errors.ts';

/** Prints findings so that GitHub Actions shows each beside its line: `::error file=…,line=…,col=…,title=…::message`. */
export function printAnnotations(findings: Finding[], stream: NodeJS.WritableStream): void {
  for (const { level, code, file, line, column, path: at, message, fix } of findings) {
    const properties = { file: fileInRepository(file), line, col: column, title: code };
    const named = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
    const words = `${at === '' ? '' : `${at}: `}${message}${fix === undefined ? '' : ` ${fix}`}`;
    stream.write(`::${level} ${named.join(',')}::${escapeData(words)}\n`);
  }
}

/** GitHub names files from the root of the repository, wherever a step works. */
function fileInRepository(file: string): string {
  const { GITHUB_WORKSPACE: root } = process.env;
  const inside = root ? path.relative(root, path.resolve(file)) : file;
  return inside.startsWith('..') ? file : inside;
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: what would end a message. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
