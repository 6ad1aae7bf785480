import type { JsonObject, JsonValue, Payload } from '../../../src/model.ts';
import { makePayload } from '../../support/item.ts';

export function hostilePayloads(): Payload[] {
  return hostilePayloadsByTitle().map(([, payload]) => payload());
}

/** What an event may hold: verified, with both ids, and otherwise anything. */
export function hostilePayloadsByTitle(): [title: string, payload: () => Payload][] {
  const event = (interview: JsonObject, study: JsonObject = {}): Payload => ({
    event_type: 'interview.completed',
    interview: { id: 'itv_hostile', ...interview },
    study: { id: 'study_hostile', ...study },
  });
  const everywhere = (value: JsonValue): Payload => {
    const fill = (fields: JsonObject) => Object.fromEntries(Object.keys(fields).map((key) => [key, value]));
    const usual = makePayload();
    return event({ ...fill(usual.interview), id: 'itv_hostile' }, { ...fill(usual.study), id: 'study_hostile' });
  };
  const conversation = (turns: number, content: string): Payload =>
    event({
      parsed_conversation_json: Array.from({ length: turns }, (_, i) => ({
        role: i % 2 === 0 ? 'assistant' : 'user',
        content,
      })),
    });
  const markup =
    '<!channel> <@U012AB3CD> </p> *b* _i_ ~s~ `c` ```x``` &amp; {{ 7 | times: 6 }} =1+1 \u0000 \ud800 \u202e';
  const nested = (depth: number): JsonValue => (depth === 0 ? 'end' : { a: nested(depth - 1) });
  return [
    ['null everywhere', () => everywhere(null)],
    ['numbers everywhere', () => everywhere(7)],
    ['lists everywhere', () => everywhere([1, null, { a: [] }])],
    ['empty texts everywhere', () => everywhere('')],
    ['nothing but the two ids', () => event({})],
    [
      'metadata named after what objects inherit',
      () => {
        const metadata = '{"__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":null,"":"x"}';
        return event({ metadata: JSON.parse(metadata) }, { metadata: JSON.parse(metadata) });
      },
    ],
    [
      'metadata of 500 keys',
      () =>
        event({ metadata: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key ${i}`, 'v'.repeat(300)])) }),
    ],
    ['metadata 200 levels deep', () => event({ metadata: { deep: nested(200) } })],
    ['markup everywhere', () => everywhere(markup)],
    [
      'markup in metadata and turns',
      () => ({
        ...conversation(4, markup),
        study: { id: 's', title: markup, mode: markup, metadata: { [markup]: markup } },
      }),
    ],
    ['endless texts everywhere', () => everywhere('&<'.repeat(6_000))],
    ['addresses that are none', () => event({ recording_url: 'javascript:alert(1)', link: 'see <here>' })],
    [
      'an endless address',
      () =>
        event({
          recording_url: `https://example.com/${'a'.repeat(6_000)}`,
          link: `https://example.com/?${'&'.repeat(3_000)}`,
        }),
    ],
    ['a 300 KB turn without a space', () => conversation(2, 'x'.repeat(300_000))],
    ['a 300 KB turn of joined emoji', () => conversation(2, '👩‍👩‍👧‍👦'.repeat(27_000))],
    ['1,500 turns', () => conversation(1_500, 'I would say that the second one was easier. '.repeat(5))],
  ];
}
