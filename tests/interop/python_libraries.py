"""Tokens and keys of bearerbench against PyJWT, joserfc, jwcrypto and cryptography: called by `run`."""

import base64
import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import jwcrypto.jwk
import jwcrypto.jws
import jwt as pyjwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None

ISSUER, AUDIENCE = "https://as.example", "https://api.example/"


class NotKnown(Exception):
    """The library does not do this algorithm, in this version."""


def claims():
    now = int(time.time())
    return {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "sub", "client_id": "client", "scope": "read",
        "iat": now, "exp": now + 300, "jti": "1",
    }


def header(alg):
    return {"alg": alg, "typ": "at+jwt", "kid": "theirs"}


def shape(ours):
    """Key type, and curve, bits or bytes: what another library needs to make a key like it."""
    size = len(decode(ours[{"RSA": "n", "oct": "k"}[ours["kty"]]])) if ours["kty"] in ("RSA", "oct") else None
    return ours["kty"], ours.get("crv"), size


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class PyJwt:
    name = "PyJWT"

    def known(self, alg):
        return alg != "none" and alg in pyjwt.algorithms.get_default_algorithms()

    def verify(self, alg, key, token):
        key = pyjwt.PyJWK.from_dict(json.loads((key / "key.jwk").read_text()), algorithm=alg)
        # A private key verifies by its public half; PyJWT wants that half.
        public = key.key.public_key() if hasattr(key.key, "public_key") else key.key
        pyjwt.decode(token, public, algorithms=[alg], audience=AUDIENCE, issuer=ISSUER)

    def issue(self, alg, ours):
        kind, curve, size = shape(ours)
        algorithm = pyjwt.algorithms.get_default_algorithms()[alg]
        if kind == "oct":
            key = public = b"theirs--" * (size // 8)
        else:
            key = generate(kind, curve, alg, size)
            public = key.public_key()
        token = pyjwt.encode(claims(), key, algorithm=alg, headers=header(alg))
        return token, algorithm.to_jwk(public)


class Joserfc:
    name = "joserfc"

    def known(self, alg):
        return alg != "none" and alg in joserfc.jws.JWSRegistry.algorithms

    def verify(self, alg, key, token):
        key = joserfc.jwk.import_key(json.loads((key / "key.jwk").read_text()))
        read = joserfc.jwt.decode(token, key, algorithms=[alg])
        assert read.claims["iss"] == ISSUER

    def issue(self, alg, ours):
        kind, curve, size = shape(ours)
        key = joserfc.jwk.generate_key(kind, curve or size * 8)
        token = joserfc.jwt.encode(header(alg), claims(), key, algorithms=[alg])
        return token, json.dumps(key.as_dict(private=kind == "oct"))


class Jwcrypto:
    name = "jwcrypto"

    def known(self, alg):
        return alg in jwcrypto.jws.default_allowed_algs

    def verify(self, alg, key, token):
        jws = jwcrypto.jws.JWS()
        jws.allowed_algs = [alg]
        jws.deserialize(token, jwcrypto.jwk.JWK.from_json((key / "key.jwk").read_text()))
        assert json.loads(jws.payload)["iss"] == ISSUER

    def issue(self, alg, ours):
        kind, curve, size = shape(ours)
        settings = {"AKP": {"alg": alg}, "EC": {"crv": curve}, "OKP": {"crv": curve}}
        key = jwcrypto.jwk.JWK.generate(kty=kind, **settings.get(kind, {"size": size and size * 8}))
        jws = jwcrypto.jws.JWS(json.dumps(claims()))
        jws.allowed_algs = [alg]
        jws.add_signature(key, alg, json.dumps(header(alg)))
        public = key.export() if kind == "oct" else key.export_public()
        return jws.serialize(compact=True), public


class Cryptography:
    """No JOSE here: the JWS is taken apart by hand, and keys are PEM."""

    name = "cryptography"

    def known(self, alg):
        return alg in ("RS256", "PS256", "ES256", "ES384", "Ed25519") or (mldsa is not None and alg[:7] == "ML-DSA-")\
            and alg in ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")

    def verify(self, alg, key, token):
        message, signature = token.rsplit(".", 1)
        message, signature = message.encode(), decode(signature)
        key = serialization.load_pem_public_key((key / "public.pem").read_bytes())
        if alg.startswith("ES"):
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            signature = utils.encode_dss_signature(r, s)
        key.verify(signature, message, *parameters(alg))

    def issue(self, alg, ours):
        kind, curve, size = shape(ours)
        key = generate(kind, curve, alg, size)
        message = ".".join(encode(json.dumps(part).encode()) for part in (header(alg), claims()))
        signature = key.sign(message.encode(), *parameters(alg))
        if alg.startswith("ES"):
            r, s = utils.decode_dss_signature(signature)
            length = key.curve.key_size // 8
            signature = r.to_bytes(length, "big") + s.to_bytes(length, "big")
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"{message}.{encode(signature)}", public.decode()

    def key_pair_agrees(self, key):
        """Their private key out of our PEM has the public half that we wrote beside it."""
        private = serialization.load_pem_private_key((key / "key.pem").read_bytes(), None)
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        assert private.public_key().public_bytes(*form) == (key / "public.pem").read_bytes(), "the halves differ"

    def private_pem(self, key):
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return serialization.load_pem_private_key((key / "key.pem").read_bytes(), None).private_bytes(*form)


def parameters(alg):
    if alg == "RS256":
        return padding.PKCS1v15(), hashes.SHA256()
    if alg == "PS256":
        return padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH), hashes.SHA256()
    if alg.startswith("ES"):
        return (ec.ECDSA(hashes.SHA256() if alg == "ES256" else hashes.SHA384()),)
    return ()


def generate(kind, curve, alg, size):
    if kind == "RSA":
        return rsa.generate_private_key(65537, size * 8)
    if kind == "EC":
        return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[curve])
    if kind == "OKP":
        return ed25519.Ed25519PrivateKey.generate()
    private = {"ML-DSA-44": "MLDSA44PrivateKey", "ML-DSA-65": "MLDSA65PrivateKey", "ML-DSA-87": "MLDSA87PrivateKey"}
    if mldsa is None or alg not in private:
        raise NotKnown
    return getattr(mldsa, private[alg]).generate()


def ours_there(library, scheme, folder):
    if not library.known(scheme):
        raise NotKnown
    token = (folder / ("pem.jwt" if library.name == "cryptography" else "jwk.jwt")).read_text().strip()
    library.verify(scheme, folder, token)
    message, signature = token.rsplit(".", 1)
    at = len(message) // 2
    changed = f"{message[:at]}{'A' if message[at] != 'A' else 'B'}{message[at + 1:]}.{signature}"
    try:
        library.verify(scheme, folder, changed)
    except Exception:
        pass
    else:
        raise AssertionError("they accept a token that was changed")
    if library.name == "cryptography":
        library.key_pair_agrees(folder)


def theirs_here(library, scheme, folder, program):
    # RFC 9864 names Ed25519; libraries before it call the same EdDSA.
    alg = "EdDSA" if scheme == "Ed25519" and not library.known(scheme) and library.known("EdDSA") else scheme
    if not library.known(alg):
        raise NotKnown
    token, public = library.issue(alg, json.loads((folder / "key.jwk").read_text()))
    with tempfile.NamedTemporaryFile("w") as key:
        key.write(public)
        key.flush()
        command = [program, "token", "verify", "--key", key.name, "--alg", scheme]
        command += ["--issuer", ISSUER, "--audience", AUDIENCE, "--scope", "read", token]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(done.stdout.replace("\n", "; ") + done.stderr)
    if library.name == "cryptography":
        resigned(library, scheme, folder, program)
    return f"ok, as {alg}" if alg != scheme else "ok"


def resigned(library, scheme, folder, program):
    """Our private key, written again as PEM by them, still signs what our public half verifies."""
    with tempfile.NamedTemporaryFile("wb") as key:
        key.write(library.private_pem(folder))
        key.flush()
        issue = [program, "token", "issue", "--key", key.name, "--alg", scheme, "--iss", ISSUER, "--aud", AUDIENCE]
        token = subprocess.run(issue, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    verify = [program, "token", "verify", "--key", folder / "public.pem", "--alg", scheme, token]
    subprocess.run(verify, capture_output=True, timeout=60, check=True)


def main(program, ours):
    failed = False
    for folder in sorted(Path(ours).iterdir()):
        for library in (PyJwt(), Joserfc(), Jwcrypto(), Cryptography()):
            for direction in ("ours there", "theirs here"):
                try:
                    if direction == "ours there":
                        result = ours_there(library, folder.name, folder) or "ok"
                    else:
                        result = theirs_here(library, folder.name, folder, program)
                except NotKnown:
                    result = "not known by that version"
                except Exception as error:
                    failed, result = True, f"FAILED: {type(error).__name__}: {error}"
                name = f"{library.name} {version(library.name)}"
                print(f"{folder.name:20} {name:20} {direction:12} {result}", flush=True)
    return int(failed)


sys.exit(main(*sys.argv[1:]))
