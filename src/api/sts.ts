// The part of AWS STS that clients of KMS call on the same endpoint: who am I. Terraform's provider
// asks it for the account. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

import { rootArn } from "../domain/arn.ts";
import { errorTable, KmsError, type Refusal } from "../errors.ts";
import type { WorkerSettings } from "../settings.ts";
import { callerOf, requireOpen } from "./caller.ts";
import { bodyText } from "./json.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** Whether a request is of AWS's Query protocol, which STS speaks and KMS does not. */
export const isQuery = ({ headers }: Request) =>
  headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;

/** Answers an STS request. Throws only what is no refusal. */
export async function answerSts(
  request: Request,
  settings: WorkerSettings,
  requestId: string,
): Promise<Response> {
  try {
    requireOpen(settings);
    const caller = callerOf(request.headers.get("authorization"), settings, "sts");
    const action = new URLSearchParams(await bodyText(request)).get("Action");
    if (action !== "GetCallerIdentity") throw new KmsError("UnknownOperationException");
    const { region, accountId } = caller;
    const identity =
      element("Arn", rootArn(region, accountId)) +
      element("UserId", accountId) +
      element("Account", accountId);
    return xml(200, action, element(`${action}Result`, identity) + metadata(requestId));
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    return refused(error.refusal, requestId);
  }
}

function refused({ type, message }: Refusal, requestId: string): Response {
  // The Query protocol's names have no suffix: InvalidAction is its UnknownOperationException.
  const code =
    type === "UnknownOperationException" ? "InvalidAction" : type.replace("Exception", "");
  const fault =
    element("Type", "Sender") + element("Code", code) + element("Message", escaped(message ?? ""));
  const body = element("Error", fault) + element("RequestId", requestId);
  return xml(errorTable[type].status, "Error", body);
}

const metadata = (requestId: string) =>
  element("ResponseMetadata", element("RequestId", requestId));

function xml(status: number, name: string, content: string): Response {
  const body = `<${name}Response xmlns="${NAMESPACE}">${content}</${name}Response>`;
  return new Response(body, { status, headers: { "content-type": "text/xml" } });
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const element = (name: string, content: string) => `<${name}>${content}</${name}>`;
