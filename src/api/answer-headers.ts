// The headers of every answer of KMS, but for its type and the pages that may read it.

/**
 * Recorded on AWS (go-cloud's replays of 2023 and 2024): nothing on the way may keep an answer, least of all
 * a plaintext.
 */
export const answerHeaders = (requestId: string) => ({
  "x-amzn-requestid": requestId,
  "cache-control": "no-cache, no-store, must-revalidate, private",
  expires: "0",
  pragma: "no-cache",
});
