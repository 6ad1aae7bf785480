import type { InterviewView, Turn } from '../connector.ts';
import type { JsonValue, Payload } from '../model.ts';
import { lazily } from './lazily.ts';
import { flattenMetadata } from './metadata.ts';
import { printDuration, printMoment, readMoment } from './moment.ts';
import { chooseQuotes } from './quotes.ts';
import { field, printLabel, words } from './shape.ts';
import { readTurns } from './turns.ts';

/** By far the most work, and many destinations show none. */
const QUOTES = lazily<InterviewView>('quotes', ({ turns }) => chooseQuotes(participantTurns(turns)));

/**
 * What people want to know of an interview. Never throws, whatever JSON the payload holds, and takes time in proportion to
 * its size.
 * @param timezone IANA name, checked when the config was read
 */
export function interviewView(payload: Payload, timezone: string): InterviewView {
  const interview = field(payload, 'interview');
  const study = field(payload, 'study');
  const startedAt = readMoment(field(interview, 'started_at'));
  const endedAt = readMoment(field(interview, 'ended_at'));
  const seconds = interviewSeconds(interview);
  const moment = endedAt ?? startedAt ?? readMoment(field(interview, 'created_at'));
  const turns = readTurns(interview);
  const answers = participantTurns(turns);
  const view: Omit<InterviewView, 'quotes'> = {
    studyTitle: words(study, 'title') || 'Untitled study',
    participant: words(interview, 'vid', 'id'),
    startedAt,
    endedAt,
    seconds,
    duration: seconds === undefined ? '' : printDuration(seconds),
    when: moment === undefined ? '' : printMoment(moment, timezone),
    mode: printLabel(words(study, 'mode')),
    turns,
    participantWords: answers.join('\n\n'),
    metadata: flattenMetadata(field(interview, 'metadata')),
    recordingUrl: webAddress(field(interview, 'recording_url')),
    link: webAddress(field(interview, 'link')),
    isMock: field(interview, 'is_mock') === true,
  };
  return Object.defineProperty(view, 'quotes', QUOTES) as InterviewView;
}

/** What the participant surely said: an unlabelled transcript may be anybody's words. */
function participantTurns(turns: Turn[]): string[] {
  return turns.filter(({ speaker }) => speaker === 'Participant').map(({ text }) => text);
}

/** Seconds of an interview: `active_time`, or the time between start and end. */
export function interviewSeconds(interview: JsonValue | undefined): number | undefined {
  const [start, end] = [readMoment(field(interview, 'started_at')), readMoment(field(interview, 'ended_at'))];
  return readSeconds(field(interview, 'active_time')) ?? secondsBetween(start, end);
}

/** A count of seconds, as a number or as numeric text. */
export function readSeconds(value: JsonValue | undefined): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function secondsBetween(start: Date | undefined, end: Date | undefined): number | undefined {
  if (start === undefined || end === undefined || end < start) return undefined;
  return Math.round((end.getTime() - start.getTime()) / 1000);
}

/** Only http and https: a `javascript:` address must not become a button. */
function webAddress(value: JsonValue | undefined): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value.trim()) : null;
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}
