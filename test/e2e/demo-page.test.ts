import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import sparticuz from '@sparticuz/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type RunningDemo, startDemo } from '../../src/sandbox/demo.ts';

/** The sample whose participant says everything that could be taken for markup. */
const HOSTILE = 'vid_HX0RPL';

suite('the demo page in Chromium', () => {
  let demo: RunningDemo;
  let browser: Browser;
  let page: Page;
  /** Console errors, uncaught errors, dialogs and requests that left the sandbox. */
  const complaints: string[] = [];

  before(async () => {
    demo = await startDemo();
    browser = await chromium.launch({
      executablePath: await sparticuz.executablePath(),
      args: [...sparticuz.args, '--no-sandbox'],
      headless: true,
    });
    // Software rendering makes motion dear, and nothing here is about it.
    page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(demo.url)) complaints.push(`a request to ${request.url()}`);
    });
    await page.goto(demo.url);
  });

  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  const messages = () => page.locator('.slack-message');
  const pages = () => page.locator('.notion-table tbody tr');
  const cell = (text: string) => page.locator('.sheets-grid td', { hasText: text });
  const lane = (name: string) => page.locator(`.lane[data-destination="${name}"]`);

  test('an interview appears in Slack, in Notion and in the sheet', async () => {
    await page.getByText('Quiet so far').waitFor();
    const [sent] = await demo.send(1);
    assert.ok(sent);
    await messages().filter({ hasText: sent.participant }).getByRole('heading', { name: sent.study }).waitFor();
    await pages().filter({ hasText: sent.participant }).waitFor();
    await page.locator('.notion-page h3', { hasText: sent.participant }).waitFor();
    await page.locator('.notion-body').getByText('a spreadsheet that one man named Arne understood').waitFor();
    await cell(sent.participant).waitFor();
    await page.locator('.lane[data-destination="tracker"] .lane-count', { hasText: '1' }).waitFor();
  });

  test('a click sends another, and says where the routes take it', async () => {
    const before = await messages().count();
    await page.getByRole('button', { name: 'Send an interview' }).click();
    await page.getByRole('status').filter({ hasText: 'the routes take it to research-alerts' }).waitFor();
    await messages().nth(before).waitFor();
    await cell('vid_4CW8RD').waitFor();
  });

  test('a service that says 429 is waited for, and gets the interview then', async () => {
    const before = await messages().count();
    await page.getByLabel('Make').selectOption('slack');
    await page.getByRole('button', { name: '429' }).click();
    await page.locator('.lane[data-destination="research-alerts"][data-state="retrying"]').waitFor();
    assert.match((await lane('research-alerts').textContent()) ?? '', /told to wait, again in \d s/);
    assert.equal(await messages().count(), before);
    await messages().nth(before).waitFor();
    await page.locator('.lane[data-destination="research-alerts"][data-state="idle"]').waitFor();
    assert.equal(await messages().count(), before + 1);
  });

  test('what a participant says is shown as text, and runs nothing', async () => {
    let sent = await demo.send(1);
    while (sent[0]?.participant !== HOSTILE) sent = await demo.send(1);
    await messages().filter({ hasText: HOSTILE }).getByText('<b>QA</b> & "pen-testing"').waitFor();
    await pages().filter({ hasText: HOSTILE }).getByRole('button').click();
    const body = page.locator('.notion-body');
    await body.getByText('<img src=x onerror=alert(1)>').first().waitFor();
    await body.getByText('<!channel> and <@U123> and <!here|hey>').first().waitFor();
    await cell(HOSTILE).click();
    await page.locator('.sheets-formula', { hasText: HOSTILE }).waitFor();
    assert.equal(await page.locator('main :is(script, iframe, b, object, [onerror], [href^="javascript"])').count(), 0);
    assert.equal(await page.locator('.slack-message .mention').count(), 0);
    const formulas = demo.sandbox.sheets.snapshot().spreadsheets.flatMap(({ tabs }) => tabs.map((tab) => tab.formulas));
    assert.deepEqual(formulas.flat(), []);
  });

  test('it can be used by keyboard, and fits a phone', async () => {
    await page.locator('.sheets-scroll').focus();
    const place = page.locator('.sheets-name');
    const start = await place.textContent();
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await place.textContent(), start);
    for (const [width, height] of [
      [390, 844],
      [1440, 900],
    ] as const) {
      await page.setViewportSize({ width, height });
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      assert.equal(overflow, 0, `at ${width} px`);
    }
  });

  test('the page allows nothing from elsewhere, and nothing complained', async () => {
    const answer = await fetch(demo.url);
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self'/);
    assert.deepEqual(complaints, []);
  });
});
