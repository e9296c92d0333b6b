//! Files with certificates and keys, in whatever form they come. No error shows what is in a key.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use rustls::pki_types::PrivateKeyDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::auth::token::pem;
use crate::wire::ClientIdentity;

/// Every certificate of a file, in order, as DER.
pub(super) fn chain(option: &str, file: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let bytes = read(option, file)?;
    certificates(&bytes, file).with_context(|| format!("{option} {}", file.display()))
}

/// A certificate of the client with the key that belongs to it, from a file of its own or from the same one.
pub(super) fn identity(certificate: &Path, key: Option<&Path>) -> anyhow::Result<ClientIdentity> {
    let chain = chain("--client-cert", certificate)?;
    let (option, file) = key.map_or(("--client-cert", certificate), |key| ("--client-key", key));
    let bytes = read(option, file)?;
    let key = private_key(&bytes, file).with_context(|| {
        let own = if key.is_none() { "; a key in a file of its own is given with --client-key" } else { "" };
        format!("{option} {}{own}", file.display())
    })?;
    Ok(ClientIdentity { chain, key })
}

fn read(option: &str, file: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let bytes = fs::read(file).with_context(|| format!("{option}: cannot read {}", file.display()))?;
    Ok(Zeroizing::new(bytes))
}

fn certificates(bytes: &[u8], file: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let text = String::from_utf8_lossy(bytes);
    let blocks = pem::blocks(&text)?;
    if blocks.is_empty() {
        ensure_x509(bytes).with_context(|| unknown_form(bytes, file, "PEM, or X.509 as DER", "-nokeys"))?;
        return Ok(vec![bytes.to_vec()]);
    }
    let mut chain = Vec::new();
    for (block, number) in blocks.iter().filter(|block| block.label == "CERTIFICATE").zip(1..) {
        let der = block.decode().map_err(anyhow::Error::from);
        let der = der.and_then(|der| ensure_x509(&der).map(|()| der.to_vec()));
        chain.push(der.with_context(|| format!("certificate {number} in it is damaged"))?);
    }
    let labels = blocks.iter().map(|block| block.label).collect::<Vec<_>>();
    anyhow::ensure!(!chain.is_empty(), "{}", no_certificate(&labels, file));
    Ok(chain)
}

fn private_key(bytes: &[u8], file: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let shown = file.display();
    let text = String::from_utf8_lossy(bytes);
    let blocks = pem::blocks(&text)?;
    let is_encrypted = blocks.iter().any(pem::PemBlock::is_encrypted);
    anyhow::ensure!(
        !is_encrypted,
        "the key in it is encrypted; take the password off: openssl pkey -in {shown} -out plain.pem"
    );
    anyhow::ensure!(
        !blocks.iter().any(|block| block.label == "OPENSSH PRIVATE KEY"),
        "the key in it has the form of OpenSSH; convert it: ssh-keygen -p -N '' -m PEM -f {shown}"
    );
    if blocks.is_empty() {
        let key = PrivateKeyDer::try_from(bytes).map_err(|_| {
            unknown_form(bytes, file, "a private key as PEM (PKCS #8, PKCS #1 or SEC 1)", "-nocerts -noenc")
        })?;
        return Ok(Zeroizing::new(key.secret_der().to_vec()));
    }
    let key = blocks.iter().find(|block| KEYS.contains(&block.label)).with_context(|| {
        let labels = blocks.iter().map(|block| block.label).collect::<Vec<_>>();
        format!("it holds {}, expected a private key as PEM", labels.join(", "))
    })?;
    Ok(key.decode()?)
}

/// PKCS #8, PKCS #1 and SEC 1.
const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

fn ensure_x509(der: &[u8]) -> anyhow::Result<()> {
    let (rest, _) =
        X509Certificate::from_der(der).map_err(|_| anyhow::anyhow!("it is no certificate of X.509"))?;
    anyhow::ensure!(rest.is_empty(), "more stands behind the certificate");
    Ok(())
}

fn no_certificate(labels: &[&str], file: &Path) -> String {
    let shown = file.display();
    let found = labels.join(", ");
    let command = if labels.iter().any(|label| ["TRUSTED CERTIFICATE", "X509 CERTIFICATE"].contains(label)) {
        format!("; convert it: openssl x509 -in {shown} -out certificate.pem")
    } else if labels.iter().any(|label| label.starts_with("PKCS")) {
        format!("; convert it: openssl pkcs7 -in {shown} -print_certs -out certificates.pem")
    } else {
        String::new()
    };
    format!("it holds {found}, expected CERTIFICATE{command}")
}

/// Names a file that is neither PEM nor what was hoped for.
fn unknown_form(bytes: &[u8], file: &Path, expected: &str, parts: &str) -> anyhow::Error {
    let shown = file.display();
    let holds = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    if bytes.starts_with(JAVA_KEY_STORE) {
        return anyhow::anyhow!(
            "it is a key store of Java; convert it: keytool -importkeystore -srckeystore {shown} -destkeystore store.p12 \
             -deststoretype PKCS12, and that: openssl pkcs12 -in store.p12 {parts} -out out.pem"
        );
    }
    if bytes.first() == Some(&SEQUENCE) && holds(PKCS7_SIGNED_DATA) && !holds(PKCS12_VERSION) {
        return anyhow::anyhow!(
            "it is PKCS #7 as DER; convert it: openssl pkcs7 -inform der -in {shown} -print_certs -out certificates.pem"
        );
    }
    if bytes.first() == Some(&SEQUENCE) && holds(PKCS12_VERSION) {
        return anyhow::anyhow!(
            "it is PKCS #12; convert it: openssl pkcs12 -in {shown} {parts} -out out.pem"
        );
    }
    anyhow::anyhow!("expected {expected}")
}

/// The first byte of DER that holds several things.
const SEQUENCE: u8 = 0x30;
const JAVA_KEY_STORE: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
/// The object identifier 1.2.840.113549.1.7.2 (RFC 2315 section 14).
const PKCS7_SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// Version 3, as PKCS #12 begins with (RFC 7292 section 4), before the sequence of its content.
const PKCS12_VERSION: &[u8] = &[0x02, 0x01, 0x03, 0x30];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn key_pem() -> String {
        let key = base64_simd::STANDARD.encode_to_string(wire::certificate().unwrap().key.as_slice());
        format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n")
    }

    fn shown(result: anyhow::Result<Vec<Vec<u8>>>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn a_bundle_is_read_whole_and_whatever_else_stands_in_it_is_passed_over() {
        let [one, two] = [wire::certificate().unwrap(), wire::certificate().unwrap()];
        let key = key_pem();
        let bundle = format!("Issuer: somebody\n{}{key}\n{}", one.certificate_pem(), two.certificate_pem());
        // As laxly as keys are read (RFC 7468 section 2), and with names in an older alphabet.
        let bundle = bundle.replacen("MII", "\n\n M I\tI", 1);
        let bundle = [b"Subject: M\xfcller\n".as_slice(), bundle.as_bytes()].concat();
        let read = certificates(&bundle, Path::new("bundle.pem")).unwrap();
        assert_eq!(read, [one.certificate.clone(), two.certificate]);
        assert_eq!(certificates(&one.certificate, Path::new("one.der")).unwrap(), [one.certificate]);
        assert!(private_key(&bundle, Path::new("bundle.pem")).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_named_with_what_to_do() {
        let pem = wire::certificate().unwrap().certificate_pem();
        let damaged = pem.replacen("MII", "MIJ", 1);
        let key = key_pem();
        let pkcs12 = [&[0x30, 0x82, 0x0a, 0x00][..], PKCS12_VERSION, PKCS7_SIGNED_DATA].concat();
        let pkcs7 = [&[0x30, 0x82, 0x0a, 0x00][..], PKCS7_SIGNED_DATA].concat();
        for (bytes, words) in [
            (damaged.as_bytes(), "certificate 1 in it is damaged"),
            (key.as_bytes(), "it holds PRIVATE KEY, expected CERTIFICATE"),
            (pem.replace("CERT", "TRUSTED CERT").as_bytes(), "openssl x509 -in f -out"),
            (pem.replace("CERTIFICATE", "PKCS7").as_bytes(), "openssl pkcs7 -in f -print_certs"),
            (&pkcs12, "openssl pkcs12 -in f -nokeys -out"),
            (&pkcs7, "openssl pkcs7 -inform der -in f"),
            (JAVA_KEY_STORE, "keytool"),
            (b"hello", "expected PEM, or X.509 as DER"),
            (b"", "expected PEM, or X.509 as DER"),
        ] {
            let message = shown(certificates(bytes, Path::new("f")));
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_named_with_what_to_do() {
        let label = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        for (text, words) in [
            (label("ENCRYPTED PRIVATE KEY"), "openssl pkey -in f"),
            (older.to_owned(), "openssl pkey -in f"),
            (label("OPENSSH PRIVATE KEY"), "ssh-keygen"),
            (label("CERTIFICATE"), "it holds CERTIFICATE, expected a private key"),
            ("hello".to_owned(), "expected a private key as PEM"),
        ] {
            let message = format!("{:#}", private_key(text.as_bytes(), Path::new("f")).unwrap_err());
            assert!(message.contains(words), "{message}");
        }
    }
}
