// The headers of every answer of KMS, but for its type and the pages that may read it.

/**
 * Recorded on AWS (go-cloud's replays of 2023 and 2024): nothing on the way may keep an answer, least of all
 * a plaintext. SDKs learn from the date how wrong their clock is; it is the real one, as signatures are
 * held against.
 */
export const answerHeaders = (requestId: string) => ({
  date: new Date().toUTCString(),
  "x-amzn-requestid": requestId,
  "cache-control": "no-cache, no-store, must-revalidate, private",
  expires: "0",
  pragma: "no-cache",
});
