#!/usr/bin/env node
import { commandLineOf } from '../src/cli/invocation.js';
import { processIo, run } from '../src/cli/run.js';

// It is about the SDK's own future, and would be mail from every nightly run that reads from S3.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
process.exitCode = await run(commandLineOf(process.argv), processIo());
