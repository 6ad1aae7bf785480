/** Renders what destinations would send of sample events, without a call: what fails here fails for real interviews too. */
import type { Destination, Item } from '../connector.ts';
import type { JsonValue, Payload } from '../model.ts';
import type { Template } from '../options.ts';
import { renderItem } from '../render/item.ts';
import { compileTemplate, TemplateRenderError } from '../render/template.ts';
import type { DestinationConfig } from './config.ts';
import type { Located } from './locate.ts';
import { lookAt } from './open.ts';
import type { Report } from './report.ts';
import type { OwnTemplate } from './template-list.ts';

/** An event to render templates with. */
export interface Sample {
  /** What is special about it, as in `an interview with everything`. */
  name: string;
  payload: Payload;
  /** Has it all that events can have, so that no message may come out empty? */
  full: boolean;
}

export interface TrialPlace {
  folder: string;
  timezone: string;
  report: Report;
}

/** Tells of the templates of one destination that fail, and when the whole of what it sends would be refused. */
export async function tryDestination(
  destination: DestinationConfig,
  { located, templates }: { located: Located; templates: OwnTemplate[] },
  samples: readonly Sample[],
  { folder, timezone, report }: TrialPlace,
): Promise<void> {
  const items = samples.map((sample) => ({ sample, item: itemOf(sample, destination.name, timezone) }));
  const failed = templates.filter((template) => !tryTemplate(template, { items, located, timezone, report }));
  const full = items.find(({ sample }) => sample.full);
  // Of a config with errors, the parts that were read could look like another one.
  if (failed.length > 0 || !full || report.failed) return;
  const look = (opened: Destination) => previewOf(opened, full.item);
  const refusal = refusalIn(await lookAt(destination, { folder, timezone }, { located, report }, look));
  if (!refusal) return;
  report.at(located, {
    level: 'warning',
    code: 'RELAY_CONFIG_TEMPLATE',
    message: `${full.sample.name} would be rejected here: ${refusal.message}`,
    fix: refusal.fix,
  });
}

interface Trial {
  items: { sample: Sample; item: Item }[];
  located: Located;
  timezone: string;
  report: Report;
}

/** Tells of the first sample that a template cannot be rendered with; true when there is none. */
function tryTemplate({ path, source }: OwnTemplate, { items, located, timezone, report }: Trial): boolean {
  const render = compileTemplate(source, { timezone });
  for (const { sample, item } of items) {
    // A second try: on a busy machine a good template can meet its time limit.
    const problem = failureOf(render, item) && failureOf(render, item);
    if (!problem) continue;
    const { message, ...place } = problem;
    report.options(located, [
      {
        level: sample.full ? 'error' : 'warning',
        code: 'RELAY_CONFIG_TEMPLATE',
        path,
        message: `the template fails with ${sample.name}: ${message}`,
        fix: 'Each such interview would be rejected. Correct the template; the verb preview shows what it gives.',
        place,
      },
    ]);
    return false;
  }
  return true;
}

function failureOf(render: Template, item: Item): TemplateRenderError['problem'] | undefined {
  try {
    render(item);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateRenderError) return error.problem;
    throw error;
  }
}

/** Why a connector would not send what it shows of an item, if so. Some show that in place of what they would send. */
function refusalIn(shown: JsonValue | undefined): { message: string; fix: string | undefined } | undefined {
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) return undefined;
  const { kind, detail, fix } = shown;
  if ((kind !== 'reject' && kind !== 'halt') || typeof detail !== 'string') return undefined;
  return { message: detail, fix: typeof fix === 'string' ? fix : undefined };
}

function previewOf(opened: Destination, item: Item): JsonValue | undefined {
  try {
    return opened.preview?.(item);
  } catch (error) {
    return {
      kind: 'reject',
      detail: `its connector ends in an unexpected ${error instanceof Error ? error.name : typeof error}`,
    };
  }
}

/** What a connector gets of a sample: a first delivery, by a source whose name says nothing. */
export function itemOf({ payload }: Sample, destination: string, timezone: string): Item {
  const { event_type: eventType, interview } = payload;
  const event = { id: 'e1', eventType, source: 'versive', svixId: 'msg_sample', receivedAt: Date.now() };
  const identity = { destination, subject: interview.id, generation: 1 };
  const body = Buffer.from(JSON.stringify(payload));
  return renderItem({ event, body, identity, receipt: undefined, earlier: [] }, timezone);
}
