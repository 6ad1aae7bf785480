import { el, keyed } from './dom.js';

const SERVICE_NAMES = { slack: 'Slack', notion: 'Notion', sheets: 'Sheets' };
const FAULTS = {
  429: { body: { kind: '429', times: 1, retryAfter: 5 }, words: 'says “too many requests, come back in 5 seconds”' },
  500: { body: { kind: '500', times: 2 }, words: 'fails with an internal error, twice' },
  hang: { body: { kind: 'hang', times: 1 }, words: 'takes the next call and never answers' },
};
const REASONS = {
  rate_limited: 'told to wait',
  server: 'service failed',
  timeout: 'no answer',
  network: 'connection broke',
  auth: 'token refused',
  forbidden: 'no access',
  not_found: 'not found',
  invalid: 'refused',
  too_large: 'too large',
  bug: 'bug',
};

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const json = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(json.error ?? `the sandbox answered ${answer.status}`);
  return json;
}

/** The bar at the top: the buttons, what waits to fail, and the lanes of the relay. */
export function bar({ announce }) {
  const toast = document.getElementById('toast');
  const send = document.getElementById('send');
  const service = document.getElementById('fault-service');
  const lanes = document.getElementById('lanes');
  const totals = document.getElementById('totals');
  let hasRelay = false;
  let hide;
  let shownRelay = null;

  function say(words) {
    toast.textContent = words;
    toast.hidden = false;
    clearTimeout(hide);
    hide = setTimeout(() => {
      toast.hidden = true;
    }, 6000);
  }

  async function act(button, action) {
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      say(`That did not work: ${error.message}`);
    } finally {
      button.disabled = false;
    }
  }

  send.addEventListener('click', () =>
    act(send, async () => {
      const { sent } = await call('POST', '/sandbox/send');
      say(sent.map(route).join(' '));
    }),
  );
  for (const button of document.querySelectorAll('[data-fault]')) {
    button.addEventListener('click', () =>
      act(button, async () => {
        const fault = FAULTS[button.dataset.fault];
        await call('POST', '/sandbox/faults', { service: service.value, ...fault.body });
        // An interview on its way makes the fault seen at once.
        if (hasRelay) await call('POST', `/sandbox/send?service=${service.value}`);
        say(`${SERVICE_NAMES[service.value]} ${fault.words}. Watch its lane: nothing is lost.`);
      }),
    );
  }

  /** Marks the services whose next calls will fail. */
  function drawFaults(faults) {
    for (const flag of document.querySelectorAll('.fault-flag')) {
      const waiting = faults[flag.dataset.service] ?? [];
      flag.textContent = waiting
        .map((fault) => `next ${fault.times === 1 ? 'call' : `${fault.times} calls`}: ${fault.kind}`)
        .join(', ');
      flag.hidden = waiting.length === 0;
    }
  }

  function drawRelay(relay) {
    hasRelay = relay !== null;
    send.hidden = !hasRelay;
    shownRelay = relay;
    drawLanes();
  }

  function drawLanes() {
    const destinations = shownRelay?.destinations ?? [];
    const sum = (field) => destinations.reduce((total, destination) => total + destination[field], 0);
    const numbers = shownRelay
      ? [
          ['delivered', sum('delivered')],
          ['on their way', sum('pending') + sum('retrying')],
          ['failed', sum('failed')],
        ]
      : [];
    if (shownRelay?.events !== undefined) numbers.unshift(['interviews', shownRelay.events]);
    totals.replaceChildren(
      ...numbers.map(([label, value]) =>
        el(
          'span',
          { class: label === 'failed' && value > 0 ? 'bad' : undefined },
          el('b', {}, String(value)),
          ` ${label}`,
        ),
      ),
    );
    const news = keyed(lanes, destinations.map(laneState), ({ name }) => name, laneNode);
    for (const lane of news) if (lane.state === 'halted') announce(`${lane.name} stands still: ${lane.words}`);
  }

  setInterval(() => {
    if (shownRelay?.destinations.some(({ retrying }) => retrying > 0)) drawLanes();
  }, 500);
  return { drawFaults, drawRelay };
}

/** Where an interview goes, in a sentence. */
function route({ study, participant, destinations }) {
  const to =
    destinations.length > 0 ? `the routes take it to ${destinations.join(', ')}` : 'no route takes it; it is kept';
  return `“${study}” with ${participant} was sent: ${to}.`;
}

/** One word for a lane, and why. */
function laneState(destination) {
  const { name, connector, delivered, pending, retrying, failed, reason, nextAttemptAt, halted } = destination;
  const seconds = nextAttemptAt === undefined ? 0 : Math.ceil((nextAttemptAt - Date.now()) / 1000);
  const because = REASONS[reason] ?? reason ?? 'failed';
  let state = 'idle';
  let words = 'up to date';
  if (halted) [state, words] = ['halted', halted];
  else if (retrying > 0)
    [state, words] = ['retrying', `${because}, ${seconds > 0 ? `again in ${seconds} s` : 'trying again'}`];
  else if (pending > 0) [state, words] = ['busy', `${pending} on ${pending === 1 ? 'its' : 'their'} way`];
  else if (delivered === 0) words = 'nothing yet';
  if (failed > 0 && state === 'idle') [state, words] = ['failed', `${failed} failed`];
  return { name, connector, delivered, waiting: pending + retrying, state, words };
}

function laneNode({ name, connector, delivered, state, words }) {
  return el(
    'li',
    { class: 'lane', 'data-state': state, 'data-destination': name },
    el('span', { class: `mark ${connector}`, 'aria-hidden': 'true' }),
    el('span', { class: 'lane-name' }, name),
    el('span', { class: 'lane-words' }, words),
    el('span', { class: 'lane-count', title: 'delivered' }, String(delivered)),
  );
}
