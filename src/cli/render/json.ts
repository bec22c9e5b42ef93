import { isUtf8 } from 'node:buffer';

/** The version of every JSON object; raised only when a field changes its meaning or goes. */
export const SCHEMA_VERSION = 1;

export type Json =
  | string
  | number
  | boolean
  | null
  | bigint
  | readonly Json[]
  | { readonly [name: string]: Json };

/** Bytes (one character per byte): text when they are valid UTF-8, else `{"base64": "…"}`. */
export function jsonBytes(latin1: string): Json {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

/** One line of JSON. Integers beyond 2^53 stand as decimal strings, so that no reader rounds them. */
export function jsonLine(value: Json): string {
  return `${harmless(JSON.stringify(value, replaceBigInt))}\n`;
}

/** A report: `schemaVersion` first, indented for people. */
export function jsonReport(fields: Readonly<Record<string, Json>>): string {
  return `${harmless(JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...fields }, replaceBigInt, 2))}\n`;
}

/** What JSON allows as it stands and a terminal acts on, or a reader is deceived by: escaped, it means the same. */
const DECEIVING = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const harmless = (json: string): string =>
  json.replace(DECEIVING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

function replaceBigInt(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
