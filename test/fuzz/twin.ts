// The same sources, bundled without WebAssembly.
export { checkText, digestText, linesText, unpackText } from './works.js';
