// A request's body as JSON, within limits. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html

import { concat } from "../crypto/bytes.ts";
import { limits } from "../domain/limits.ts";
import { KmsError } from "../errors.ts";

const MAX_BODY_BYTES = limits.server.body.standard;
const MAX_JSON_DEPTH = limits.server.json.standard;

/**
 * The text of a body. Throws RequestEntityTooLargeException without reading more than the limit,
 * and SerializationException where the body breaks off.
 */
export async function bodyText(request: Request): Promise<string> {
  const length = request.headers.get("content-length");
  if (length !== null) {
    if (Number(length) > MAX_BODY_BYTES) throw tooLarge();
    return request.text().catch(brokenOff);
  }
  return request.body ? limitedText(request.body).catch(brokenOff) : "";
}

/** The bytes of a body, as they were signed; throws what `bodyText` throws. */
export async function bodyBytes(request: Request): Promise<Uint8Array> {
  const length = request.headers.get("content-length");
  if (length !== null) {
    if (Number(length) > MAX_BODY_BYTES) throw tooLarge();
    return new Uint8Array(await request.arrayBuffer().catch(brokenOff));
  }
  return request.body ? limitedBytes(request.body).catch(brokenOff) : new Uint8Array(0);
}

async function limitedBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return concat(...chunks);
}

/** A chunked body, whose length is known only at its end. */
async function limitedText(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The JSON of a body; an empty one counts as `{}`. Throws SerializationException. */
export function parseBody(text: string): unknown {
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new KmsError("SerializationException", "The request is not valid JSON.");
  }
  if (isDeeper(body, MAX_JSON_DEPTH)) {
    throw new KmsError("SerializationException", `JSON deeper than ${MAX_JSON_DEPTH} levels.`);
  }
  return body;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const name in value) {
    if (isDeeper((value as Record<string, unknown>)[name], levels - 1)) return true;
  }
  return false;
}

/** What the caller's connection did to its body is no failure of ours. */
function brokenOff(error: unknown): never {
  if (error instanceof KmsError) throw error;
  throw new KmsError("SerializationException", "The body of the request breaks off.");
}

const tooLarge = () =>
  new KmsError(
    "RequestEntityTooLargeException",
    `The body is larger than ${MAX_BODY_BYTES} bytes.`,
  );
