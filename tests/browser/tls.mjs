// TLS on this machine: a throw-away authority with a certificate for this machine's names, and a
// small proxy that ends TLS before a program, as a platform has one in production.
import { spawnSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { request as plain } from "node:http";
import { createServer, request as encrypted } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { folder } from "./platform.mjs";

const AUTHORITY = `[req]
distinguished_name = name
prompt = no
x509_extensions = authority
[name]
CN = Throw-away authority of a test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
`;
const SERVER = `basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
`;

/** An authority, and a certificate of it for `localhost` and `127.0.0.1`. They last a day. */
export function certificates() {
  const home = folder();
  const at = (name) => join(home, name);
  const openssl = (...args) => {
    const done = spawnSync("openssl", args, { encoding: "utf8", cwd: home });
    if (done.status !== 0) throw new Error(`openssl: ${done.error ?? done.stderr}`);
  };
  writeFileSync(at("authority.cnf"), AUTHORITY);
  writeFileSync(at("server.cnf"), SERVER);
  const fresh = ["-newkey", "rsa:2048", "-nodes", "-config", "authority.cnf"];
  openssl("req", "-x509", ...fresh, "-days", "1", "-keyout", "ca.key", "-out", "ca.pem");
  openssl("req", "-new", ...fresh, "-subj", "/CN=localhost", "-keyout", "server.key",
    "-out", "server.csr");
  openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
    "-set_serial", "2", "-days", "1", "-extfile", "server.cnf", "-out", "server.pem");
  const files = ["ca.pem", "server.key", "server.pem"];
  const [ca, key, cert] = files.map((name) => readFileSync(at(name)));
  const spki = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return {
    ca, key, cert,
    /** Where a program finds the authority. */
    file: at("ca.pem"),
    /** The option by which Chromium takes this one key and no other that it does not know. */
    option: "--ignore-certificate-errors-spki-list="
      + createHash("sha256").update(spki).digest("base64"),
  };
}

/** A server over TLS on a free port of this machine, until it is stopped. */
export async function secured({ key, cert }, handler) {
  const server = createServer({ key, cert }, handler);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: server.address().port,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Ends TLS before the program whose port `leads` is told, and passes the host on. What `keeps` says
 * of a path is how long it waits before that. */
export async function proxy(made) {
  let port, keeps = () => 0;
  const server = await secured(made, async (incoming, answer) => {
    const headers = {
      ...incoming.headers,
      "x-forwarded-for": incoming.socket.remoteAddress,
      "x-forwarded-proto": "https",
    };
    const { method, url: path } = incoming;
    await sleep(keeps(path));
    const passed = plain({ host: "127.0.0.1", port, method, path, headers }, (got) => {
      answer.writeHead(got.statusCode, got.rawHeaders);
      got.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    incoming.pipe(passed);
  });
  return {
    ...server,
    url: `https://localhost:${server.port}`,
    leads(to) {
      port = to;
    },
    slow(how) {
      keeps = how;
    },
  };
}

/** As `fetch`, with the trust in this authority alone. */
export const sender = ({ ca }) => (url, { method = "GET", headers = {}, body } = {}) =>
  new Promise((done, failed) => {
    const sent = encrypted(url, { method, headers, ca, agent: false }, async (got) => {
      const parts = await got.toArray();
      const { statusCode: status, headers: told } = got;
      const text = Buffer.concat(parts).toString();
      done({
        status, headers: told, ok: status < 300,
        text: async () => text, json: async () => JSON.parse(text),
      });
    });
    sent.on("error", failed);
    sent.end(body);
  });
