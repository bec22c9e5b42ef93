#!/usr/bin/env node
import { processIo, run } from '../src/cli/run.js';

process.exitCode = await run(['check-aof', ...process.argv.slice(2)], processIo());
