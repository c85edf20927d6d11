// Reads answers: JSON from bytes, within bounds. The engine's own parser calls itself as deep as an
// answer is nested, so brackets are counted first; and white space, of which an answer may have
// megabytes, is cut before the bytes become text.

const DEEPEST = 64;

/** A failure of the contract, as an exception. */
export class Fault extends Error {
  constructor(kind, message, hint, setting = null, after = null) {
    super(message);
    this.failure = { kind, message, hint, setting, vendorCode: null, retryAfterSeconds: after };
  }
}

/** The failure of an exception. Anything that is no `Fault` is a mistake in this connector. */
export function fail(error) {
  if (error instanceof Fault) return error.failure;
  throw error;
}

export const isText = (value) => typeof value === 'string';

const unreadable = (what) => new Fault('unexpected-response', `The answer ${what}.`, 'Try again in a few minutes. If it stays, report it to the publisher of this connector.');

/** The JSON of a body. */
export function json(body) {
  const text = utf8(trimmed(body));
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (quoted) {
      if (sign === 0x5c) at += 1;
      else if (sign === 0x22) quoted = false;
    } else if (sign === 0x22) quoted = true;
    else if (sign === 0x5b || sign === 0x7b) depth += 1;
    else if (sign === 0x5d || sign === 0x7d) depth -= 1;
    if (depth > DEEPEST) throw unreadable('is nested too deep');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('is not JSON');
  }
}

/** The body without the white space at its end, looked at four bytes at a time. */
function trimmed(body) {
  let end = body.length;
  const isSpace = (byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  for (;;) {
    while (end > 0 && (body.byteOffset + end) % 4 !== 0 && isSpace(body[end - 1])) end -= 1;
    if (end < 4 || (body.byteOffset + end) % 4 !== 0) break;
    const start = (4 - (body.byteOffset % 4)) % 4;
    const words = new Uint32Array(body.buffer, body.byteOffset + start, (end - start) >> 2);
    let last = words.length;
    while (last > 0 && words[last - 1] === 0x20202020) last -= 1;
    end = start + last * 4;
    if (end === 0 || !isSpace(body[end - 1])) break;
    end -= 1;
  }
  return body.subarray(0, end);
}

/** Bytes as text. The engine has no TextDecoder. */
function utf8(bytes) {
  const parts = [];
  let units = [];
  const refuse = () => { throw unreadable('is not UTF-8'); };
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at];
    at += 1;
    let point = first;
    if (first >= 0x80) {
      const more = first < 0xc2 ? refuse() : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : refuse();
      point = first & (0x3f >> more);
      for (let left = more; left > 0; left -= 1) {
        const next = bytes[at];
        at += 1;
        if (next === undefined || (next & 0xc0) !== 0x80) refuse();
        point = (point << 6) | (next & 0x3f);
      }
      const least = [0, 0x80, 0x800, 0x10000][more];
      if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) refuse();
    }
    if (point > 0xffff) units.push(0xd7c0 + (point >> 10), 0xdc00 | (point & 0x3ff));
    else units.push(point);
    if (units.length >= 4096) {
      parts.push(String.fromCharCode.apply(null, units));
      units = [];
    }
  }
  parts.push(String.fromCharCode.apply(null, units));
  return parts.join('');
}
