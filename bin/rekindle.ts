#!/usr/bin/env node
import { commandLineOf } from '../src/cli/invocation.js';
import { processIo, run } from '../src/cli/run.js';

process.exitCode = await run(commandLineOf(process.argv), processIo());
