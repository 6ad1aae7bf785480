import type { Item, JsonValue } from 'versive-relay/connector';
import type { Property } from './schema.ts';

/**
 * What fills a property when the config has no `properties:`, by the property's name: what interviews are known to
 * have, then their metadata. Undefined for a name that says nothing.
 */
export function knownValue(item: Item, { name, type }: Property): JsonValue | undefined {
  const { view, payload } = item;
  if (type === 'title') return pageTitle(item);
  switch (plain(name)) {
    case 'interviewid':
      return item.identity.subject;
    case 'study':
    case 'studytitle':
    case 'studyname':
      return view.studyTitle;
    case 'studyid':
      return payload.study.id;
    case 'participant':
    case 'participantid':
    case 'vid':
      return view.participant;
    case 'duration':
    case 'minutes':
    case 'durationminutes':
    case 'durationmin':
      return type === 'number' ? minutes(view.seconds) : view.duration;
    case 'seconds':
    case 'activetime':
      return view.seconds;
    case 'completed':
    case 'completedat':
    case 'ended':
    case 'endedat':
    case 'date':
    case 'interviewdate':
      return type === 'date' ? (view.endedAt ?? view.startedAt)?.toISOString() : view.when;
    case 'started':
    case 'startedat':
      return view.startedAt?.toISOString();
    case 'recording':
    case 'recordingurl':
      return view.recordingUrl;
    case 'link':
    case 'interviewlink':
    case 'versivelink':
      return view.link;
    case 'mode':
      return view.mode;
    case 'quotes':
    case 'highlights':
      return view.quotes.map((quote) => `“${quote}”`).join('\n');
    case 'mock':
    case 'ismock':
    case 'test':
      return view.isMock;
    case 'status':
    case 'language':
      return payload.interview[plain(name)] ?? metadata(item, name);
    default:
      return metadata(item, name);
  }
}

/** As the page is called without a template for its title. */
export function pageTitle({ view }: Item): string {
  return `${view.studyTitle} · ${view.participant}`;
}

function metadata({ view }: Item, name: string): string | undefined {
  return view.metadata.find(([key]) => plain(key) === plain(name))?.[1];
}

/** `Interview ID`, `interview_id` and `interviewId` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function minutes(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds / 60);
}
