import { createHash } from 'node:crypto';
import { PAGE_SCRIPT, PAGE_STYLE } from './page/page.generated.js';
import type { PageData } from './page-data.js';

/**
 * The page as one file. Its policy lets it run its own script and style, known by their hashes, and nothing else: it
 * loads nothing and sends nothing. What came from the dataset stands in it as JSON that the script shows as text.
 */
export function pageHtml(data: PageData): string {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(PAGE_SCRIPT)}`,
    `style-src ${hashOf(PAGE_STYLE)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(data.source)}: rekindle report</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<noscript><p>The tables and charts of this page are made by its script, which is switched off here.</p></noscript>
<div id="page"></div>
<script type="application/json" id="data">${jsonInMarkup(data)}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** JSON that no parser of markup takes for anything else. */
const jsonInMarkup = (data: PageData): string =>
  JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
