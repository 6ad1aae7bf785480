/** What a prompt of @inquirer/prompts is to be given. */
export interface AskContext {
  signal: AbortSignal;
}

/**
 * Asks questions on the terminal. Gives nothing, and says `without`, after Ctrl-C or when the input ends before the last
 * answer.
 */
export async function ask<T>(questions: (context: AskContext) => Promise<T>, without: string): Promise<T | undefined> {
  const ending = new AbortController();
  // A prompt whose input ends never settles: the process would run out of things to do instead.
  const end = () => ending.abort();
  process.once('beforeExit', end);
  try {
    return await questions({ signal: ending.signal });
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name !== 'ExitPromptError' && name !== 'AbortPromptError') throw error;
    const why = name === 'AbortPromptError' ? 'the input ended before the last answer: ' : '';
    process.stderr.write(`${why}${without}\n`);
    return undefined;
  } finally {
    process.off('beforeExit', end);
  }
}
