// The control API's principals: who is there, put there, and taken away. What is put is a
// configuration file as it is; secrets come in and never go out.

import { type Context, Hono } from "hono";
import { type Configuration, EMPTY } from "../configuration/configuration.ts";
import { ConfigurationError, readConfiguration } from "../configuration/document.ts";
import { KmsError } from "../errors.ts";
import { answer, type ControlEnv } from "./control.ts";
import { bodyText } from "./json.ts";
import { type KnownAccounts, knownAccounts } from "./known-accounts.ts";

export const accounts = new Hono<ControlEnv & { Variables: { known: KnownAccounts } }>();

accounts.use(async (c, next) => {
  c.set("known", knownAccounts(c.env, c.get("settings"), c.get("generation")));
  return next();
});

accounts.get("/", async (c) => {
  const known = c.get("known");
  if (known.elsewhere !== null) return elsewhere(c, known.elsewhere);
  const configuration = (await known.tenant.configuration(null))?.configuration ?? EMPTY;
  return answer(c, withoutSecrets(configuration));
});

accounts.put("/", async (c) => {
  const known = c.get("known");
  if (known.elsewhere !== null) return elsewhere(c, known.elsewhere);
  let configuration: Configuration;
  try {
    configuration = await readConfiguration(await bodyText(c.req.raw));
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return answer(c, { error: `line ${error.line}: ${error.message}`, line: error.line }, 400);
    }
    if (error instanceof KmsError) return answer(c, { error: error.message }, 413);
    throw error;
  }
  return replaced(c, known, configuration);
});

accounts.delete("/", async (c) => {
  const known = c.get("known");
  if (known.elsewhere !== null) return elsewhere(c, known.elsewhere);
  return replaced(c, known, EMPTY);
});

async function replaced(c: Context, known: KnownAccounts, configuration: Configuration) {
  await known.replace(configuration);
  return answer(c, withoutSecrets(configuration));
}

const elsewhere = (c: Context, where: string) =>
  answer(c, { error: `The accounts come from ${where}: change them there.` }, 409);

/** Who is there with the IDs of their access keys, and which managed policies. */
const withoutSecrets = ({ accounts: list }: Configuration) => ({
  accounts: Object.fromEntries(
    list.map(({ id, users, roles, policies = [] }) => [
      id,
      {
        users: Object.fromEntries(
          users.map(({ path, name, accessKeys }) => [
            path + name,
            { accessKeys: accessKeys.map((key) => ({ id: key.id })) },
          ]),
        ),
        roles: roles.map(({ path, name }) => path + name),
        ...(policies.length > 0 && { policies: policies.map(({ path, name }) => path + name) }),
      },
    ]),
  ),
});
