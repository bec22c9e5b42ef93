import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { describeBrowser, launchBrowser } from '../support/browser.js';
import { temporaryDirectory } from '../support/temporary.js';

const HOSTILE = [
  '<img src=x onerror=document.title=1>',
  '</script><script>document.title=2</script>',
  '\'"><svg onload=document.title=3>',
  'line\u2028and\u2029more',
  'left\u202eright',
  'tab\tand\u0000zero',
  '__proto__',
  '{{7*7}}',
];

function command(...words: readonly (string | Buffer)[]): Buffer {
  const parts = words.map((word) => Buffer.from(word as string));
  const bulks = parts.map((part) => Buffer.concat([Buffer.from(`$${part.length}\r\n`), part, CRLF]));
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...bulks]);
}

const CRLF = Buffer.from('\r\n');

/** A log whose keys are out to harm, and of so many others that tables have pages. */
function hostileLog(): Buffer {
  const parts: (string | Buffer)[] = ['#TS:1772362800\r\n', command('SELECT', '0')];
  for (const [i, name] of HOSTILE.entries()) parts.push(command('SET', name, 'x'.repeat(5000 - i)));
  parts.push(command('SET', Buffer.from([0xff, 0xfe, 0x41]), 'y'));
  for (let i = 0; i < 1500; i++) {
    if (i % 10 === 0) parts.push(`#TS:${1772362800 + i}\r\n`);
    parts.push(command('SET', `user:${i}:${i % 3 === 0 ? 'name' : 'mail'}`, 'v'.repeat(i % 90)));
    if (i === 700) parts.push(command('RENAME', '__proto__', '<b>bold</b>'), command('FLUSHDB'));
    if (i === 720) for (const name of HOSTILE) parts.push(command('SET', name, 'x'.repeat(5000)));
  }
  for (let i = 0; i < 60; i++) parts.push(command('RPUSH', `queue:jobs:${i}`, 'a', 'b', 'c'));
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

describeBrowser('the page of a report', () => {
  const directory = temporaryDirectory('report-page');
  const complaints: string[] = [];
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const source = join(directory, 'hostile.aof');
    writeFileSync(source, hostileLog());
    const done = await runCli([
      'report',
      source,
      '-o',
      join(directory, 'report.html'),
      '--now',
      '1772366400',
    ]);
    expect(done).toMatchObject({ exit: 0, stderr: '' });
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(request.url());
    });
    await page.goto(`file://${join(directory, 'report.html')}`);
    await page.waitForSelector('#page[data-ready]');
  });

  afterAll(async () => {
    await browser.close();
  });

  it('shows hostile names as text', async () => {
    expect(await page.title()).toMatch(/hostile\.aof: rekindle report$/);
    expect(await page.locator('img, iframe, object, [onload], [onerror]').count()).toBe(0);
    const names = await page.locator('#keys tbody th').allTextContents();
    expect(names).toContain('"<img src=x onerror=document.title=1>"');
    expect(names).toContain('"line\\xe2\\x80\\xa8and\\xe2\\x80\\xa9more"');
    expect(names).toContain('"left\\xe2\\x80\\xaeright"');
    // Characters that turn or break lines are nowhere in the file but as escapes.
    expect(readFileSync(join(directory, 'report.html'), 'utf8')).not.toMatch(/[\u2028\u2029\u202e\u0000]/);
  });

  it('sorts and turns pages by keyboard alone', async () => {
    const keys = page.locator('#keys');
    const status = keys.locator('[role=status]');
    const first = () => keys.locator('tbody tr').first().locator('th').textContent();
    const sorted = () => keys.locator('th[aria-sort=descending], th[aria-sort=ascending]').textContent();
    expect(await sorted()).toBe('Memory');
    const total = /of ([\d,]+)$/.exec((await status.textContent())!)![1];
    await keys.getByRole('button', { name: 'Elements' }).focus();
    await page.keyboard.press('Enter');
    expect(await sorted()).toBe('Elements');
    expect(await first()).toMatch(/^queue:jobs:\d+$/);
    await keys.getByRole('button', { name: 'Next' }).focus();
    await page.keyboard.press('Space');
    expect(await status.textContent()).toBe(`51–100 of ${total}`);
    await keys.getByRole('searchbox').focus();
    await page.keyboard.type('onerror');
    expect(await status.textContent()).toBe('1–1 of 1');
    await keys.getByRole('searchbox').fill('');
    await keys.getByRole('combobox').selectOption('list');
    expect(await status.textContent()).toBe('1–50 of 60');
  });

  it('opens the treemap and goes back by keyboard alone', async () => {
    const map = page.getByRole('group', { name: 'Treemap of key prefixes' });
    const trail = page.getByRole('navigation', { name: 'Place in the treemap' });
    await map.getByRole('button', { name: /^user:\*:\*/ }).focus();
    await page.keyboard.press('Enter');
    expect(await trail.textContent()).toBe('all keysuser:*:*');
    expect(await map.locator('.name').allTextContents()).toEqual(['user:*:mail', 'user:*:name']);
    await map.locator('[tabindex]').first().focus();
    await page.keyboard.press('Escape');
    expect(await trail.textContent()).toBe('all keys');
  });

  it('marks dangerous commands on the timeline and leads to them', async () => {
    const marks = page.getByRole('group', { name: 'Dangerous commands' }).getByRole('button');
    expect(await marks.count()).toBe(1);
    await marks.first().focus();
    await page.keyboard.press('Enter');
    const rows = page.locator('#dangers tbody tr');
    expect(await rows.count()).toBe(2);
    expect(await rows.allTextContents()).toEqual([
      expect.stringContaining('RENAME __proto__ <b>bold</b>'),
      expect.stringContaining('FLUSHDB'),
    ]);
    expect(await page.evaluate('document.activeElement?.id')).toBe('dangers');
  });

  it('names everything that can be reached, and is legible in both themes', async () => {
    expect(await page.evaluate(NAMELESS)).toEqual([]);
    for (const theme of ['light', 'dark']) {
      await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`);
      expect(await page.evaluate(FAINT_TEXTS), theme).toEqual([]);
    }
  });

  it('fits a narrow window and paper', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(OVERFLOW)).toBe(0);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.contents').isVisible()).toBe(false);
    expect(await page.locator('#keys table').isVisible()).toBe(true);
    await page.emulateMedia({ media: 'screen' });
  });

  it('says nothing to the console and asks nothing of the network', () => {
    expect(complaints).toEqual([]);
  });
});

// What runs in the page is given as text: the compiler knows no document here.

/** What can be reached by keyboard and has no name. */
const NAMELESS = `[...document.querySelectorAll('button, a[href], input, select, [tabindex="0"]')]
  .filter((element) => {
    const label = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent;
    return label.trim() === '';
  })
  .map((element) => element.outerHTML)`;

const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Texts whose contrast with what is behind them is less than 4.5 to 1. */
const FAINT_TEXTS = `(() => {
  const channels = (text) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255, 255];
  };
  const known = new Map();
  const faint = new Set();
  for (const element of document.querySelectorAll('#page *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue;
    if (element.disabled || element.closest('[aria-hidden=true]')) continue;
    const style = getComputedStyle(element);
    const key = style.color + element.className + element.tagName + (element.parentElement?.className ?? '');
    if (known.has(key)) continue;
    known.set(key, true);
    const [a, b] = [luminance(channels(style.color)), luminance(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(key + ': ' + element.textContent.slice(0, 40));
  }
  return [...faint];
})()`;
