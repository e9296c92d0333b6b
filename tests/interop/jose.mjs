// Tokens and keys of bearerbench against jose (npm): called by `run`.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as jose from "jose";

const [program, ours] = process.argv.slice(2);
const ISSUER = "https://as.example";
const AUDIENCE = "https://api.example/";
const manifest = createRequire(import.meta.url).resolve("jose/package.json");
const version = JSON.parse(readFileSync(manifest, "utf8")).version;

class NotKnown extends Error {}

async function main() {
    let failed = false;
    for (const scheme of readdirSync(ours).sort()) {
        for (const [direction, check] of [["ours there", oursThere], ["theirs here", theirsHere]]) {
            let result;
            try {
                result = (await check(scheme, join(ours, scheme))) ?? "ok";
            } catch (error) {
                const known = !(error instanceof NotKnown);
                failed ||= known;
                result = known ? `FAILED: ${error.name}: ${error.message}` : "not known by that version";
            }
            console.log([scheme.padEnd(20), `jose ${version}`.padEnd(20), direction.padEnd(12), result].join(" "));
        }
    }
    return failed ? 1 : 0;
}

// A key that it can make is one that it knows; whether that depends on the WebCrypto of this node is all one.
async function generated(alg, key) {
    try {
        if (key.kty === "oct") {
            if (!/^HS(256|384|512)$/.test(alg)) throw new NotKnown();
            const secret = await jose.generateSecret(alg, { extractable: true });
            return { privateKey: secret, publicKey: secret };
        }
        return await jose.generateKeyPair(alg, { extractable: true });
    } catch {
        throw new NotKnown();
    }
}

async function oursThere(scheme, folder) {
    const key = JSON.parse(readFileSync(join(folder, "key.jwk"), "utf8"));
    await generated(scheme, key);
    const token = readFileSync(join(folder, "jwk.jwt"), "utf8").trim();
    await verified(token, await jose.importJWK(publicHalf(key), scheme), scheme);
    if (key.kty === "oct") return;
    try {
        readFileSync(join(folder, "public.pem"));
    } catch {
        return;
    }
    // The other key, which is PEM on both sides.
    const spki = await jose.importSPKI(readFileSync(join(folder, "public.pem"), "utf8"), scheme);
    await verified(readFileSync(join(folder, "pem.jwt"), "utf8").trim(), spki, scheme);
    await jose.importPKCS8(readFileSync(join(folder, "key.pem"), "utf8"), scheme);
}

function publicHalf({ d, p, q, dp, dq, qi, priv, ...rest }) {
    return rest;
}

async function verified(token, key, alg) {
    const expected = { algorithms: [alg], issuer: ISSUER, audience: AUDIENCE, typ: "at+jwt" };
    await jose.jwtVerify(token, key, expected);
    const at = Math.floor(token.lastIndexOf(".") / 2);
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    const accepted = await jose.jwtVerify(changed, key, expected).then(() => true, () => false);
    if (accepted) throw new Error("it accepts a token that was changed");
}

async function theirsHere(scheme, folder) {
    const key = JSON.parse(readFileSync(join(folder, "key.jwk"), "utf8"));
    const { privateKey, publicKey } = await generated(scheme, key);
    const token = await new jose.SignJWT({ client_id: "client", scope: "read" })
        .setProtectedHeader({ alg: scheme, typ: "at+jwt", kid: "theirs" })
        .setIssuer(ISSUER).setAudience(AUDIENCE).setSubject("sub").setJti("1")
        .setIssuedAt().setExpirationTime("5m").sign(privateKey);
    accepted(scheme, token, JSON.stringify(await jose.exportJWK(publicKey)));
    if (key.kty !== "oct" && key.kty !== "AKP") accepted(scheme, token, await jose.exportSPKI(publicKey));
}

// Fails unless bearerbench accepts the token with this key.
function accepted(scheme, token, key) {
    const folder = mkdtempSync(join(tmpdir(), "interop-"));
    try {
        const file = join(folder, "key");
        writeFileSync(file, key);
        const options = ["--alg", scheme, "--issuer", ISSUER, "--audience", AUDIENCE, "--scope", "read"];
        execFileSync(program, ["token", "verify", "--key", file, ...options, token], { timeout: 60_000, stdio: "pipe" });
    } finally {
        rmSync(folder, { recursive: true });
    }
}

process.exitCode = await main();
