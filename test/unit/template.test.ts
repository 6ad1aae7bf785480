import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/model.ts';
import {
  compileStructure,
  compileTemplate,
  TemplateError,
  type TemplateProblem,
  TemplateRenderError,
} from '../../src/render/template.ts';
import { makeItem, makePayload } from '../support/item.ts';

const berlin = { timezone: 'Europe/Berlin' };
const item = makeItem();

function render(source: string, interview: JsonObject = {}): string {
  return compileTemplate(source, berlin)(makeItem(makePayload({ interview })));
}

function value(source: string, interview: JsonObject = {}): JsonValue {
  return compileTemplate(source, berlin).value(makeItem(makePayload({ interview })));
}

function problems(compile: () => unknown): TemplateProblem[] {
  try {
    compile();
  } catch (error) {
    assert.ok(error instanceof TemplateError);
    return error.problems;
  }
  assert.fail('it compiled');
}

suite('a template', () => {
  const CASES: [source: string, text: string][] = [
    ['{{ study.title }} · {{ interview.vid }}', 'Checkout research · participant-17'],
    ['{{ interview.active_time | minutes }}', '9'],
    ['{{ interview.active_time | duration }}', '9 m 29 s'],
    ['{{ interview | duration }}', '9 m 29 s'],
    ['{{ interview.nothing | minutes }}{{ interview.nothing | duration }}{{ interview.nothing | date }}', ''],
    ['{{ interview.ended_at | date }}', '23 Nov 2026, 15:04'],
    ['{{ interview.ended_at | date: "%Y-%m-%d %H:%M" }}', '2026-11-23 15:04'],
    ['{{ interview.ended_at | date: "%H:%M", "America/New_York" }}', '09:04'],
    ['{{ "soon" | date: "%Y" }}', 'soon'],
    [
      '{{ interview | quotes: 1 }}',
      'But I was really confused by the shipping step because the price changed after I entered my address.',
    ],
    [
      '{% assign said = interview | quotes %}{% for q in said %}<{{ q | clip: 12 }}>{% endfor %}',
      '<But I was…><Honestly,…>',
    ],
    ['{% assign turns = interview | turns %}{{ turns.size }} {{ turns[1].speaker }}', '6 Participant'],
    [
      '{{ interview.transcript | turns | first | json }}',
      '{"role":"interviewer","speaker":"Interviewer","text":"Hi, thanks for joining! What did you think of the new checkout?"}',
    ],
    ['{{ interview | participant_words | truncatewords: 4 }}', 'Hello, happy to help....'],
    ['{{ interview.metadata }}', '{"plan":"enterprise","seats":40}'],
    ['{{ interview.metadata | pairs }}', 'plan: enterprise\nseats: 40'],
    ['{{ study.mode | label }}', 'Text and voice'],
    ['{{ interview.title | json }}', '"Checkout interview"'],
    ['{{ event.id }} {{ event.type }} {{ event.svix_id }} {{ source }}', 'e1 interview.completed msg_0001 versive'],
    ['{{ event.received_at | date }}', '23 Nov 2026, 15:05'],
    ['{% if interview.is_mock %}mock{% else %}real{% endif %}', 'real'],
    ['{{ nothing.at.all[3] }}{{ interview.constructor.name }}{{ constructor }}{{ interview.__proto__ }}', ''],
    ['{% raw %}{{ kept }}{% endraw %}', '{{ kept }}'],
    ['', ''],
  ];
  for (const [source, text] of CASES) test(source, () => assert.equal(render(source), text));

  test('keeps the type of a value that stands alone', () => {
    assert.equal(value('{{ interview.active_time }}'), 569);
    assert.equal(value(' {{ interview.active_time | minutes }}\n'), 9);
    assert.equal(value('{{ interview.is_mock }}'), false);
    assert.equal(value('{{ interview.vid }}'), 'participant-17');
    assert.deepEqual(value('{{ interview.metadata }}'), { plan: 'enterprise', seats: 40 });
    assert.equal(value('{{ interview.nothing }}'), null);
    assert.equal(value('{{ interview.active_time }} s'), '569 s');
    assert.equal(value('{{ interview | quotes: 1 }}'), render('{{ interview | quotes: 1 }}'));
  });

  test('that cannot be parsed says what is meant', () => {
    const [problem] = problems(() => compileTemplate('Hello\n  {{ study.title | upcse }}', berlin));
    assert.deepEqual(problem, {
      path: [],
      message: 'there is no filter "upcse". Did you mean "upcase"?',
      line: 2,
      column: 3,
    });
    const message = (source: string) => problems(() => compileTemplate(source, berlin))[0]?.message;
    assert.equal(message('{% iff x %}'), 'there is no tag "iff". Did you mean "if"?');
    assert.equal(message('{{ study.title'), 'output "{{ study.title" not closed');
    assert.equal(message('{{ intervew.id }}'), 'there is no "intervew". Did you mean "interview"?');
    for (const tag of ['include', 'render', 'layout']) {
      assert.equal(
        message(`{% ${tag} "/etc/passwd" %}`),
        `there is no tag "${tag}": templates cannot read other files.`,
      );
    }
  });

  test('may name fields that Versive does not document, and variables of its own', () => {
    const source = '{{ survey.score }} {% assign studio = 1 %}{{ studio }}';
    const payload = makePayload({ survey: { score: 9 } });
    assert.equal(compileTemplate(source, berlin)(makeItem(payload)), '9 1');
  });

  test('that runs away is stopped', () => {
    assert.throws(() => render('{% for i in (1..900000000) %}x{% endfor %}'), TemplateRenderError);
    assert.throws(
      () =>
        render('{% assign s = interview.transcript %}{% for i in (1..99) %}{% assign s = s | append: s %}{% endfor %}'),
      (error: unknown) => error instanceof TemplateRenderError && /limit exceeded/.test(error.message),
    );
  });
});

suite('a structure', () => {
  test('renders every text in it, and leaves the rest', () => {
    const compiled = compileStructure(
      { text: 'about {{ study.id }}', list: [1, true, null, '{{ interview.active_time }}'], '{{ key }}': { a: 'b' } },
      berlin,
    );
    assert.deepEqual(compiled(item), {
      text: 'about study_123',
      list: [1, true, null, 569],
      '{{ key }}': { a: 'b' },
    });
  });

  test('is all text where the option escapes', () => {
    const compiled = compileStructure(['{{ interview.active_time }}'], { ...berlin, escape: (text) => text });
    assert.deepEqual(compiled(item), ['569']);
  });

  test('tells of every template in it that cannot be parsed', () => {
    const source = { blocks: [{ text: '{{ a | nope }}' }, { text: 'fine' }, { text: '{% if %}' }] };
    assert.deepEqual(
      problems(() => compileStructure(source, berlin)).map(({ path }) => path),
      [
        ['blocks', 0, 'text'],
        ['blocks', 2, 'text'],
      ],
    );
  });
});

suite('no event', () => {
  const json = fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text) as JsonValue);

  test('gets markup past the escaping of an option', () => {
    const escapeMarkup = (text: string) =>
      text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    const templates = [
      '{{ interview.title }}',
      '{{ interview.title | raw }}',
      '{{ interview.metadata }}',
      '{{ interview.parsed_conversation_json | raw }}',
      '{% echo interview.title | raw %}',
      '{% liquid echo interview.title | upcase | raw %}',
      '{% capture c %}{{ interview.title }}{% endcapture %}{{ c | raw }}',
      '{% assign x = interview.title | append: ">" | prepend: "<" %}{{ x }}',
      '{% cycle interview.title, "b" %}{% for t in interview.metadata %}{{ t | last | raw }}{% endfor %}',
      '{{ interview.metadata }}{{ interview.metadata | pairs }}{{ interview.metadata | json }}',
      '{{ interview | quotes }}{{ interview | turns }}{{ interview | participant_words }}',
      '{{ interview.title | date: interview.title }}{{ "now" | date: interview.title }}',
      '{{ interview.title | url_encode }}{{ interview.title | escape_once }}{{ interview.title | strip_html | raw }}{{ interview.title | newline_to_br }}',
      '{{ interview.title | default: "<" }}{{ study.title }}',
    ].map((source) => compileTemplate(source, { timezone: 'UTC', escape: escapeMarkup }));
    const hostile = fc.oneof(
      fc.constantFrom('<!channel>', '<@U1>', '&lt;!here&gt;', '<https://x|y>', '%<', '<<', '{{ "<" }}', '%E0'),
      fc.string(),
    );
    fc.assert(
      fc.property(hostile, hostile, json, (title, words, anything) => {
        const turns = [{ role: 'user', content: `I love ${words} because it is ${title} here, honestly. ${words}` }];
        const interview = { title, metadata: { [words]: title, anything }, parsed_conversation_json: turns };
        const target = makeItem(makePayload({ interview, study: { title: anything } }));
        for (const template of templates) {
          for (const text of [template(target), template.value(target)]) {
            if (typeof text === 'string') assert.doesNotMatch(text, /[<>]|&(?!(?:amp|lt|gt);)/, template.source);
            else assert.ok(text === null || typeof text !== 'object', template.source);
          }
        }
      }),
    );
  });

  test('makes a template throw anything but what the relay expects', () => {
    const templates = [
      'upcase',
      'date',
      'quotes',
      'turns',
      'minutes',
      'duration',
      'pairs',
      'label',
      'clip',
      'json',
      'join',
      'sort',
      'url_decode',
    ].map((filter) => compileTemplate(`{{ interview.x | ${filter} }}`, berlin));
    const own = templates.slice(1, 10);
    fc.assert(
      fc.property(json, (x) => {
        const target = makeItem(makePayload({ interview: { x } }));
        for (const template of own) template(target);
        for (const template of templates) {
          try {
            template(target);
          } catch (error) {
            assert.ok(error instanceof TemplateRenderError, template.source);
          }
        }
      }),
    );
  });
});
