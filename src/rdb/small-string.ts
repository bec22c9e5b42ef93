import { STRING_INT8, STRING_INT32 } from './constants.js';
import type { Cursor } from './cursor.js';
import { EMBEDDED_MAX, integerBytes } from './text.js';

/** Where a short plain key and a plain value stand that are both in the window. */
export class SmallString {
  keyAt = 0;
  keyEnd = 0;
  /** First byte of the value's text; of an integer its length byte stands at `keyEnd`. */
  valueAt = 0;
  valueEnd = 0;
  /** In the words of OBJECT ENCODING. */
  encoding = '';

  /** Looks at the record whose type number stands at the cursor; false when it is not like that. */
  find({ bytes, position, end }: Cursor): boolean {
    const keyAt = position + 2;
    if (keyAt > end) return false;
    const keyEnd = keyAt + bytes[keyAt - 1]!;
    if (keyEnd - keyAt >= 0x40 || keyEnd + 2 > end) return false;
    let valueAt = keyEnd + 1;
    let length = bytes[keyEnd]!;
    if (length < 0x80) {
      if (length >= 0x40) length = ((length & 0x3f) << 8) | bytes[valueAt++]!;
      this.valueEnd = valueAt + length;
      this.encoding = length <= EMBEDDED_MAX ? 'embstr' : 'raw';
    } else {
      if (length < STRING_INT8 || length > STRING_INT32) return false;
      this.valueEnd = keyEnd + integerBytes(length, 0);
      this.encoding = 'int';
    }
    this.keyAt = keyAt;
    this.keyEnd = keyEnd;
    this.valueAt = valueAt;
    return this.valueEnd <= end;
  }
}
