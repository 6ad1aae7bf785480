import type { Sample } from '../config/trial.ts';
import { sampleInterview } from '../sandbox/samples.ts';

/** The events that `check` renders templates with: one that has everything, and one with every gap that Versive leaves. */
export function sampleEvents(): [full: Sample, sparse: Sample] {
  const { interview, study, ...payload } = sampleInterview(0);
  const { started_at: _, ended_at: __, ...timeless } = interview;
  const sparse = {
    ...timeless,
    metadata: {},
    active_time: 0,
    recording_url: null,
    transcript: '',
    parsed_conversation_json: {},
  };
  return [
    { name: 'an interview that has everything', full: true, payload: { ...payload, interview, study } },
    {
      name: 'an interview without times, recording, transcript and metadata',
      full: false,
      payload: { ...payload, interview: sparse, study: { ...study, metadata: {} } },
    },
  ];
}
