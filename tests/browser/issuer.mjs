// A stand-in for an issuer of OpenID Connect, over TLS on this machine. It knows a few made-up
// people, and is as strict with its client as a real one: registered address, PKCE, secret, codes
// that work once. What it finds wrong with the client is in `faults`.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { secured } from "./tls.mjs";

const random = () => randomBytes(24).toString("base64url");
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const written = (text) => new URLSearchParams([["", `${text}`]]).toString().slice(1);
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * Starts an issuer. `people` has, by name, what their ID tokens say beside the usual claims, or in
 * place of them. `clients` has, by id, the `secret` or `null`, and `back`, the registered address.
 * `scope` is what each client must ask for.
 */
export async function issuer(made, { people, clients, scope }) {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = random();
  const key = { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
  const codes = new Map();
  const [faults, given] = [[], []];
  let url;

  const token = (client, nonce, person) => {
    const at = Math.floor(Date.now() / 1000);
    const usual = { iss: url, aud: client, sub: person, nonce, iat: at, exp: at + 300 };
    const text = `${part({ alg: "RS256", kid })}.${part({ ...usual, ...people[person] })}`;
    return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
  };

  /** The page on which a person says who they are. */
  const entrance = (asked) => {
    const client = clients[asked.get("client_id")];
    const [challenge, state] = [asked.get("code_challenge") ?? "", asked.get("state") ?? ""];
    const wrong = [
      ["client_id", client],
      ["redirect_uri", client?.back === asked.get("redirect_uri")],
      ["response_type", asked.get("response_type") === "code"],
      ["scope", asked.get("scope") === scope],
      ["code_challenge", asked.get("code_challenge_method") === "S256" && challenge.length === 43],
      ["state and nonce", state.length >= 22 && (asked.get("nonce") ?? "").length >= 22],
    ].filter(([, holds]) => !holds).map(([name]) => name);
    faults.push(...wrong);
    if (wrong.length) return [400, `<h1>Wrong: ${escaped(wrong.join(", "))}</h1>`];
    const hidden = [...asked].map(([name, value]) =>
      `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`);
    const buttons = [...Object.keys(people), "nobody"].map((name) =>
      `<button name="person" value="${escaped(name)}">${escaped(name)}</button>`);
    const fields = [...hidden, ...buttons].join("");
    return [200, `<h1>Sign in as</h1><form method="post">${fields}</form>`];
  };

  /** Sends a person back, with a code or with a refusal. */
  const signed = (form) => {
    const to = new URL(form.get("redirect_uri"));
    to.searchParams.set("state", form.get("state"));
    if (!people[form.get("person")]) {
      to.searchParams.set("error", "access_denied");
      to.searchParams.set("error_description", "the person <b>did not</b> sign in");
      return to.href;
    }
    const code = random();
    codes.set(code, Object.fromEntries(form));
    given.push(code);
    to.searchParams.set("code", code);
    return to.href;
  };

  /** Takes a code for tokens, or says why not. */
  const exchanged = (headers, form) => {
    const begun = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    const secret = clients[begun?.client_id]?.secret;
    // As in a form: a space is a plus (RFC 6749, section 2.3.1).
    const both = [begun?.client_id, secret].map((text) => written(text)).join(":");
    const basic = `Basic ${Buffer.from(both).toString("base64")}`;
    // A client with a secret shows it in the header. One without says its id in the form.
    const shown = secret
      ? headers.authorization === basic && !form.has("client_secret")
      : !headers.authorization && form.get("client_id") === begun?.client_id
        && !form.has("client_secret");
    const own = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const wrong = [
      ["code", begun],
      ["client", shown],
      ["grant_type", form.get("grant_type") === "authorization_code"],
      ["redirect_uri", begun?.redirect_uri === form.get("redirect_uri")],
      ["code_verifier", begun?.code_challenge === own],
    ].filter(([, holds]) => !holds).map(([name]) => name);
    faults.push(...wrong);
    if (wrong.length) return [400, { error: "invalid_grant" }];
    const [id, access] = [token(begun.client_id, begun.nonce, begun.person), random()];
    given.push(id, access);
    return [200, { access_token: access, token_type: "Bearer", expires_in: 300, id_token: id }];
  };

  const server = await secured(made, async (request, answer) => {
    const { pathname, searchParams } = new URL(request.url, url);
    const body = Buffer.concat(await request.toArray()).toString();
    const send = (status, kind, text) =>
      answer.writeHead(status, { "content-type": kind }).end(text);
    const json = ([status, value]) => send(status, "application/json", JSON.stringify(value));
    const page = ([status, text]) => send(status, "text/html; charset=utf-8",
      `<!doctype html><html lang="en"><title>Issuer</title><link rel="icon" href="data:,">${text}`);
    switch (`${request.method} ${pathname}`) {
      case "GET /.well-known/openid-configuration":
        return json([200, {
          issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`,
          jwks_uri: `${url}/keys`, response_types_supported: ["code"],
          subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"],
        }]);
      case "GET /keys":
        return json([200, { keys: [key] }]);
      case "GET /authorize":
        return page(entrance(searchParams));
      case "POST /authorize":
        return answer.writeHead(303, { location: signed(new URLSearchParams(body)) }).end();
      case "POST /token":
        return json(exchanged(request.headers, new URLSearchParams(body)));
      default:
        return page([404, "<h1>Not here</h1>"]);
    }
  });
  // Another host than the console's: to a browser, the issuer is another site.
  url = `https://127.0.0.1:${server.port}`;
  return {
    url, faults, stop: server.stop,
    /** All codes and tokens that were given out. */
    given,
  };
}
