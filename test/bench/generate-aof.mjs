import { makeProse, Random } from './output.mjs';

// An application's log: sessions and cached pages with expiry, counters, user profiles, tags, leaderboards, timelines
// and job queues, rate limits, locks, events. About 125 bytes a command, and one key left for four commands.

const START_MS = 1772366400000;
const DAY_MS = 86400000;
const PROSE = 1 << 16;

/** How many of each kind of thing there are at 1 GB; smaller logs have proportionally fewer. */
const POPULATION = {
  pages: 500_000,
  counters: 120_000,
  users: 380_000,
  tags: 60_000,
  boards: 30_000,
  lists: 90_000,
};

class Application {
  constructor(output, size, seed) {
    this.output = output;
    this.random = new Random(seed);
    this.prose = makeProse(this.random, PROSE + 4096);
    this.commands = 0;
    this.clockMs = START_MS;
    this.sequence = 0;
    this.sessions = [];
    const scale = size / 1e9;
    this.population = Object.fromEntries(
      Object.entries(POPULATION).map(([name, count]) => [name, Math.max(10, Math.round(count * scale))]),
    );
  }

  /** One record in RESP. */
  command(...args) {
    let text = `*${args.length}\r\n`;
    for (const arg of args) text += `$${arg.length}\r\n${arg}\r\n`;
    this.output.text(text);
    this.output.record();
    this.commands++;
  }

  transaction(body) {
    this.command('MULTI');
    body();
    this.command('EXEC');
  }

  value(min, max) {
    const length = min + this.random.below(max - min);
    const at = this.random.below(PROSE);
    return this.prose.slice(at, at + length);
  }

  /** Years ahead, so that nothing has expired when the log is loaded. */
  expiry() {
    return String(this.clockMs + DAY_MS * 3000 + this.random.below(2 ** 31));
  }

  user() {
    return this.random.popular(this.population.users);
  }

  tick() {
    this.clockMs += this.random.below(2);
    if (this.clockMs % 1000 === 0) {
      this.output.text(`#TS:${this.clockMs / 1000}\r\n`);
      this.clockMs++;
    }
  }
}

const ACTIONS = [
  [
    190,
    function openSession(app) {
      const key = `session:${app.random.hex(24)}`;
      app.command('SET', key, `{"user":${app.user()},${app.value(60, 260)}}`, 'PXAT', app.expiry());
      if (app.random.below(4) === 0) app.sessions.push(key);
      if (app.sessions.length > 1000) app.command('DEL', app.sessions.shift());
    },
  ],
  [
    110,
    function cachePage(app) {
      const key = `cache:page:${app.random.popular(app.population.pages)}`;
      const value = app.value(20, app.random.below(20) === 0 ? 2500 : 350);
      if (app.random.below(2) === 0) app.command('SET', key, value);
      else app.command('SET', key, value, 'PXAT', app.expiry());
    },
  ],
  [
    130,
    function count(app) {
      const key = `counter:${app.random.popular(app.population.counters)}:hits`;
      if (app.random.below(5) > 0) app.command('INCR', key);
      else app.command('INCRBY', key, String(1 + app.random.below(500)));
    },
  ],
  [
    110,
    function saveProfile(app) {
      const id = app.user();
      app.command(
        'HSET',
        `user:${id}`,
        'name',
        `user ${id}`,
        'email',
        `u${id}@example.com`,
        'seen',
        String(app.clockMs),
        'bio',
        app.value(10, 100),
      );
    },
  ],
  [
    60,
    function touchProfile(app) {
      const key = `user:${app.user()}`;
      const pick = app.random.below(10);
      if (pick < 6) app.command('HINCRBY', key, 'visits', '1');
      else if (pick < 9) app.command('HSET', key, 'seen', String(app.clockMs));
      else app.command('HDEL', key, 'bio');
    },
  ],
  [
    70,
    function tag(app) {
      const key = `tag:${app.random.popular(app.population.tags)}:members`;
      if (app.random.below(5) > 0) app.command('SADD', key, String(app.user()), String(app.user()));
      else app.command('SREM', key, String(app.user()));
    },
  ],
  [
    80,
    function score(app) {
      // Five boards of everybody, and many small ones.
      const board =
        app.random.below(4) === 0 ? app.random.below(5) : app.random.popular(app.population.boards);
      const key = `board:${board}`;
      const member = `player:${app.user()}`;
      const pick = app.random.below(10);
      if (pick < 6) app.command('ZADD', key, String(app.random.below(1e6)), member);
      else if (pick < 8) app.command('ZADD', key, String(app.random.below(1e6) / 100), member);
      else if (pick < 9) app.command('ZINCRBY', key, '1.5', member);
      else app.command('ZREM', key, member);
    },
  ],
  [
    35,
    function post(app) {
      const key = `timeline:${app.random.popular(app.population.lists)}`;
      app.transaction(() => {
        app.command('LPUSH', key, app.value(20, 120));
        app.command('LTRIM', key, '0', '99');
      });
    },
  ],
  [
    50,
    function queueJob(app) {
      const key = `queue:${app.random.below(50)}`;
      app.command('LPUSH', key, `{"job":"${app.random.hex(8)}",${app.value(20, 80)}}`);
      app.command('RPOP', key);
    },
  ],
  [
    40,
    function limitRate(app) {
      const key = `rate:${app.user()}:${Math.floor(app.clockMs / 60000)}`;
      app.command('INCR', key);
      app.command('PEXPIREAT', key, app.expiry());
    },
  ],
  [
    20,
    function lock(app) {
      const key = `lock:${app.random.hex(8)}`;
      app.command('SET', key, app.random.hex(16), 'NX', 'PXAT', app.expiry());
      app.command('DEL', key);
    },
  ],
  [
    25,
    function forget(app) {
      const key = `cache:page:${app.random.popular(app.population.pages)}`;
      if (app.random.below(2) === 0) app.command('DEL', key);
      else app.command('UNLINK', key, `cache:page:${app.random.popular(app.population.pages)}`);
    },
  ],
  [
    10,
    function logEvent(app) {
      const id = `${app.clockMs}-${app.sequence++}`;
      app.command(
        'XADD',
        `events:${app.random.below(20)}`,
        'MAXLEN',
        '=',
        '10000',
        id,
        'kind',
        'view',
        'user',
        String(app.user()),
      );
    },
  ],
  [
    5,
    function audit(app) {
      app.command('SELECT', '1');
      app.command('RPUSH', `audit:${app.random.below(1000)}`, app.value(30, 90));
      app.command('SELECT', '0');
    },
  ],
  [
    10,
    function transfer(app) {
      app.transaction(() => {
        app.command('DECRBY', `balance:${app.user()}`, '5');
        app.command('INCRBY', `balance:${app.user()}`, '5');
        app.command('APPEND', `ledger:${app.random.popular(app.population.tags)}`, app.value(10, 30));
      });
    },
  ],
];

const TOTAL_WEIGHT = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);
const WHEEL = ACTIONS.flatMap(([weight, act]) => Array(weight).fill(act));

/** Fills `output` with about `size` bytes of commands and closes it. */
export function writeAof(output, size, seed) {
  const app = new Application(output, size, seed);
  output.text(`#TS:${START_MS / 1000}\r\n`);
  app.command('SELECT', '0');
  while (output.size < size) {
    app.tick();
    WHEEL[app.random.below(TOTAL_WEIGHT)](app);
  }
  output.close();
  return { bytes: output.size, commands: app.commands };
}
