import { setTimeout as sleep } from 'node:timers/promises';

/** What a dead-man's-switch service is told. */
export type PingState = 'start' | 'success' | 'fail';

export interface PingOptions {
  /** `{state}` in it becomes the state; without it `/start` and `/fail` are put behind the path, and nothing for a success. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Further attempts after the first. */
  readonly retries: number;
}

const RETRY_MS = 500;

/** The address for one state. */
export function pingUrl(url: string, state: PingState): string {
  if (/\{state\}/i.test(url)) return url.replace(/\{state\}/gi, state);
  if (state === 'success') return url;
  const parsed = new URL(url);
  parsed.pathname = `${parsed.pathname.replace(/\/$/, '')}/${state}`;
  return parsed.href;
}

/**
 * Tells the service, with `body` as what it keeps. Never throws: resolves to why it could not be told, without the
 * address, which is a secret with most services; '' when it was.
 */
export async function ping(options: PingOptions, state: PingState, body: string): Promise<string> {
  let why = '';
  for (let attempt = 0; attempt <= options.retries; attempt++) {
    if (attempt > 0) await sleep(RETRY_MS * attempt);
    why = await attemptOnce(options, state, body);
    if (why === '') return '';
  }
  return why;
}

async function attemptOnce({ url, timeoutMs }: PingOptions, state: PingState, body: string): Promise<string> {
  try {
    const response = await fetch(pingUrl(url, state), {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'follow',
    });
    await response.body?.cancel();
    return response.ok ? '' : `the service answered with ${response.status}`;
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
    const { cause } = error as Error;
    const code = (cause as { readonly code?: unknown } | undefined)?.code;
    return typeof code === 'string'
      ? `the service cannot be reached (${code})`
      : 'the service cannot be reached';
  }
}
