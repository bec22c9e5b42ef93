import { OutputError } from '../errors.js';

const PLACES: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ['nobody listens there', 'start the server, or check host and port'],
  ENOENT: ['there is no such socket', 'check the path, and `unixsocket` in the redis.conf of the server'],
  EACCES: ['permission to the socket is denied', 'check `unixsocketperm` in the redis.conf of the server'],
  ENOTFOUND: ['the host is not known', 'check its name'],
  EAI_AGAIN: ['the name of the host could not be resolved', 'check the name, and the network'],
  ETIMEDOUT: ['it does not answer', 'check host and port, and whether a firewall is between'],
  EHOSTUNREACH: ['there is no way to that host', 'check host and network'],
  ENETUNREACH: ['there is no way to that network', 'check host and network'],
  ECONNRESET: ['it closed the connection', 'does it want TLS (rediss://), or not (redis://)?'],
  EPIPE: ['it closed the connection', 'its log tells why'],
};

const REFUSALS: readonly (readonly [RegExp, string, string])[] = [
  [/^WRONGPASS|invalid password/, 'user or password is wrong', 'check --user and the password'],
  [
    /^NOAUTH|Authentication required/i,
    'it wants a password',
    'give REKINDLE_PASSWORD, --askpass, or a password in the address; --user for an ACL user',
  ],
  [/^NOPERM/, 'the user may not do that', 'give a user whose ACL allows it'],
  [/^LOADING/, 'it is still loading its own dataset', 'wait until it is ready, and try again'],
  [/^READONLY/, 'it is a replica and takes no writes', 'give the address of its master'],
  [
    /^OOM/,
    'its memory is full (maxmemory)',
    'raise maxmemory, or bring back less with --match, --db, --type',
  ],
  [/^MISCONF/, 'it cannot save to its disk and refuses writes', 'its log tells why: is the disk full?'],
  [/^NOREPLICAS/, 'it has too few replicas to take writes', 'bring its replicas back'],
  [/^MASTERDOWN/, 'it is a replica whose master is gone', 'give the address of a master'],
  [/^CLUSTERDOWN/, 'its cluster is down', '`redis-cli --cluster check` tells what is missing'],
  [/^(NOSCRIPT|UNKNOWN)|unknown command/i, 'it does not know the command', 'its version may be too old'],
];

/** What became of a connection that could not be made or broke, in words. Never holds what was sent. */
export function connectionErrorOf(error: unknown, label: string): OutputError {
  if (error instanceof OutputError) return error;
  const { code, message, name } = error as NodeJS.ErrnoException;
  if (name === 'ReplyError') return replyErrorOf(message, label, '');
  const place = PLACES[code ?? ''];
  if (place !== undefined) return new OutputError(label, place[0], place[1]);
  if (
    /certificate|self.signed|altnames|CERT_|ERR_TLS|ERR_SSL|SSL routines|wrong version number/i.test(
      `${code} ${message}`,
    )
  ) {
    return new OutputError(
      label,
      `TLS fails: ${message}`,
      'give its authority with --tls-ca, a certificate of your own with --tls-cert and --tls-key, or --insecure',
    );
  }
  if (/timeout|timed out/i.test(message)) {
    return new OutputError(
      label,
      'it does not answer',
      'check host and port, and whether it wants TLS (rediss://)',
    );
  }
  if (/closed|ended|hang up/i.test(message)) {
    return new OutputError(
      label,
      'it closed the connection',
      'does it want TLS (rediss://)? its log tells why',
    );
  }
  return new OutputError(label, `the connection failed: ${message}`);
}

/** What a server answered to a command, in words; `subject` names the key it was about, '' when none. */
export function replyErrorOf(reply: string, label: string, subject: string): OutputError {
  // Old servers repeat what they did not understand, and that may hold a password or a value.
  const message = reply.replace(/,? with args beginning with:.*/s, '');
  const known = REFUSALS.find(([pattern]) => pattern.test(message));
  const about = subject === '' ? '' : `${subject}: `;
  if (known === undefined) return new OutputError(label, `${about}it answered: ${message}`);
  return new OutputError(label, `${about}${known[1]} (it answered: ${message})`, known[2]);
}
