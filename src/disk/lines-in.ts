/** The lines of bytes without their ends, each made when it is asked for; the last one need not have an end. */
export function* linesIn(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = bytes.indexOf("\n", start);
    if (end < 0) end = bytes.length;
    yield bytes.subarray(start, end);
  }
}
