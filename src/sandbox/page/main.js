import { bar } from './bar.js';
import { notionWindow } from './notion.js';
import { sheetsWindow } from './sheets.js';
import { slackWindow } from './slack.js';

const news = document.getElementById('news');
const connection = document.getElementById('connection');
const connectionText = document.getElementById('connection-text');

/** Tells people who do not see the page what arrived; the newest word wins. */
function announce(words) {
  news.textContent = words;
}

const windows = {
  slack: slackWindow(document.getElementById('slack'), announce),
  notion: notionWindow(document.getElementById('notion'), announce),
  sheets: sheetsWindow(document.getElementById('sheets'), announce),
};
const { drawFaults, drawRelay } = bar({ announce });

function connected(state, words) {
  connection.dataset.state = state;
  connectionText.textContent = words;
}

const stream = new EventSource('/sandbox/events');
stream.addEventListener('open', () => connected('live', 'live'));
stream.addEventListener('error', () => connected('gone', 'stopped; start the demo again'));
const draws = { ...windows, faults: drawFaults, relay: drawRelay };
for (const [part, draw] of Object.entries(draws)) {
  stream.addEventListener(part, (event) => draw(JSON.parse(event.data)));
}
