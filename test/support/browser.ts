import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';

/** Where systems have it. Playwright's own download is not used. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const executablePath = process.env['REKINDLE_CHROMIUM'] ?? PLACES.find((path) => existsSync(path));

/**
 * A suite that needs a real browser. Without one the whole suite is skipped, and the output says why; with
 * REKINDLE_REQUIRE_SERVER=1 a missing browser is a failure instead, as a missing server is.
 */
export function describeBrowser(title: string, suite: () => void): void {
  if (executablePath !== undefined) return void describe(title, suite);
  const absence = 'chromium is not installed';
  if (process.env['REKINDLE_REQUIRE_SERVER'] === '1') throw new Error(`${title}: ${absence}`);
  console.warn(`skipped: ${title}: ${absence}`);
  describe.skip(`${title} [${absence}]`, suite);
}

/** A browser without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', '--disable-gpu'] });
}
