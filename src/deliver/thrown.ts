import { type Failure, unknown } from '../outcome.ts';
import { TemplateRenderError } from '../render/template.ts';

/** The outcome of a connector that threw. */
export function thrown(error: unknown): Failure {
  if (error instanceof TemplateRenderError) {
    return {
      kind: 'reject',
      reason: 'invalid',
      detail: `a template could not be rendered: ${error.message}`,
      fix: 'Correct the template in the config.',
    };
  }
  if (error instanceof Error && error.name === 'AbortError') return unknown('timeout', 'the relay was stopped');
  return unknown('bug', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
