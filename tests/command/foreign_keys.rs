//! Keys that other programs made: read, or named with the command that converts them.

use std::fs;

use bearerbench::wire::certificate;

use crate::keys::{ISSUE, Keys, VERIFY};

/// A text in a block.
fn pem(label: &str, base64: &str) -> String {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// The public key of RFC 8410 section 10.1.
const ED25519: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

/// A key was read if the token is what is refused.
fn is_read(keys: &Keys, text: &str) {
    keys.write("key", text);
    let refused = keys.0.ended(&[&VERIFY[..], &["key", "x"]].concat());
    assert_eq!(refused.code, Some(1), "{text:?}: {refused:#?}");
}

/// RFC 7468 section 2, `laxtextualmsg`.
#[test]
fn white_space_stands_in_a_block_wherever_it_likes() {
    let keys = Keys::new();
    let lines = |ending: &str, columns: usize| {
        let lines: Vec<_> = ED25519
            .as_bytes()
            .chunks(columns)
            .map(|line| std::str::from_utf8(line).expect("ASCII"))
            .collect();
        format!("{ending}{}{ending}", lines.join(ending))
    };
    for body in [
        lines("\n", 48),
        lines("\n", 76),
        lines("\r\n", 64),
        lines("\r", 20),
        lines(" \t\n", 64),
        lines("\n\n", 64),
        lines("\n    ", 64),
        lines("\n", 1),
        ED25519.to_owned(),
        format!(" {ED25519}"),
    ] {
        for (before, behind) in [("", ""), ("\n \n", " \n\n"), ("subject=nobody\n", "\nissuer=nobody")] {
            is_read(
                &keys,
                &format!("{before}-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----{behind}"),
            );
        }
    }
}

#[test]
fn texts_that_are_no_keys_are_refused_with_what_to_do() {
    let keys = Keys::new();
    let good = pem("PUBLIC KEY", ED25519);
    let x25519 = pem("PUBLIC KEY", &ED25519.replace("K2Vw", "K2Vu"));
    let certificate = pem("CERTIFICATE", "MAMCAQA=");
    let cases = [
        ("hello".to_owned(), "neither a JWK, nor a JWK Set, nor PEM"),
        (ED25519.to_owned(), "the lines -----BEGIN ...----- and -----END ...----- around it are missing"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA".to_owned(), "it has no line -----END PUBLIC KEY-----"),
        (good.replace("END PUBLIC", "END PRIVATE"), "it has no line -----END PUBLIC KEY-----"),
        (good.replacen("KEY-----", "KEY----", 1), "a line with -----BEGIN is damaged"),
        (good.replace("BQYD", "BQ!D"), "something else than base64"),
        (good.replace("BQYD", "BQ\\nYD"), "printf %b"),
        (good.replace("BQYD", "BQD"), "or it is cut off"),
        (pem("PUBLIC KEY", "MAMCAQA="), "SubjectPublicKeyInfo"),
        (pem("PRIVATE KEY", "MAMCAQA="), "PKCS#8"),
        (pem("RSA PRIVATE KEY", "MAMCAQA="), "say so, like --alg RS256"),
        (certificate.clone(), "openssl x509 -pubkey"),
        (pem("ENCRYPTED PRIVATE KEY", "MAMCAQA="), "decrypt it first"),
        (pem("OPENSSH PRIVATE KEY", "MAMCAQA="), "ssh-keygen -p"),
        (pem("PKCS #7 SIGNED DATA", "MAMCAQA="), "\"PKCS #7 SIGNED DATA\", expected"),
        (x25519.clone(), "X25519 (1.3.101.110), which is not supported"),
        (good.clone() + &x25519, "block 2 of the file, \"PUBLIC KEY\": a key for X25519"),
        (certificate.clone() + &pem("DH PARAMETERS", "MAMCAQA="), "block 2 of the file"),
    ];
    for (text, words) in cases {
        keys.write("key", &text);
        let refused = keys.0.refused(&[&VERIFY[..], &["key", "x"]].concat()).exits(2);
        assert!(refused.stderr.contains(words), "{words:?} is not in {refused:#?}");
        assert!(!refused.stderr.contains("Gb9ECWmE"), "{refused:#?} tells what stands in the block");
    }
    is_read(&keys, &(certificate + &good));
    is_read(&keys, &(good.clone() + &good));
    let other = [&VERIFY[..], &["key", "--alg", "ES256", "x"]].concat();
    keys.0.refused(&other).exits(2).says(&["the PEM key is for Ed25519, not for ES256"]);
}

#[test]
fn a_certificate_as_der_is_named_with_the_command_that_takes_the_key_out_of_it() {
    let keys = Keys::new();
    keys.write("certificate.der", certificate().expect("it is made here").certificate);
    let words = ["an X.509 certificate as DER", "openssl x509 -inform der -pubkey -noout -in FILE"];
    keys.issue_refused("certificate.der", &words);
    keys.verify_refused("certificate.der", &words);
    let serve = "serve authorization-server --listen 127.0.0.1:0 --signing-key certificate.der";
    keys.0.refused(&serve.split(' ').collect::<Vec<_>>()).exits(2).says(&words);
}

/// What openssl and ssh-keygen make, each in the file of its name.
const OTHERS: &str = r#"
exec 2> /dev/null
ec="-algorithm EC -pkeyopt ec_paramgen_curve"
openssl genpkey $ec:P-256 -out ec
openssl ec -in ec -out ec.sec1
openssl ec -in ec -no_public -out ec.private
openssl pkey -in ec -pubout -out ec.public
for form in compressed hybrid; do
    openssl pkey -in ec -ec_conv_form $form -out ec.$form
    openssl ec -in ec -conv_form $form -out ec.sec1-$form
    openssl pkey -in ec -pubout -ec_conv_form $form -out ec.public-$form
done
openssl ecparam -name secp384r1 -genkey -out parameters
openssl req -x509 -new -key ec -subj /CN=x -out certificate
openssl x509 -in certificate -outform DER -out certificate.der
cat certificate ec > ec.certified
tr -d '\n' < ec > ec.line
sed 's/$/ \r/' ec > ec.spaces
openssl ecparam -name prime256v1 -genkey -param_enc explicit -out explicit
for curve in P-521 secp256k1 brainpoolP256r1; do
    openssl genpkey $ec:$curve -out $curve
    openssl ec -in $curve -out $curve.sec1
    openssl pkey -in $curve -pubout -out $curve.public
done
for curve in ED25519 ED448 X25519; do
    openssl genpkey -algorithm $curve -out $curve
    openssl pkey -in $curve -pubout -out $curve.public
done
rsa="-pkeyopt rsa_keygen_bits:2048"
openssl genpkey -algorithm RSA $rsa -out rsa
openssl rsa -in rsa -traditional -out rsa.pkcs1
openssl pkey -in rsa -pubout -out rsa.public
openssl rsa -in rsa -RSAPublicKey_out -out rsa.public-pkcs1
openssl genpkey -algorithm RSA $rsa -pkeyopt rsa_keygen_primes:3 -out three-primes
pss=-pkeyopt\ rsa_pss_keygen
openssl genpkey -algorithm RSA-PSS $rsa -out pss
openssl pkey -in pss -pubout -out pss.public
openssl genpkey -algorithm RSA-PSS $rsa ${pss}_md:sha256 ${pss}_mgf1_md:sha256 ${pss}_saltlen:32 -out ps256
openssl pkey -in ps256 -pubout -out ps256.public
openssl genpkey -algorithm RSA-PSS $rsa ${pss}_md:sha384 -out ps384
openssl pkcs8 -topk8 -in ec -passout pass:x -out encrypted
openssl rsa -in rsa -traditional -aes128 -passout pass:x -out encrypted.pkcs1
openssl ec -in ec -aes128 -passout pass:x -out encrypted.sec1
openssl pkey -in ec -outform DER -out der
openssl pkey -in ec -pubout -outform DER -out der.public
openssl pkcs12 -export -inkey ec -in certificate -passout pass:x -out pkcs12
ssh-keygen -q -t ecdsa -N '' -f openssh
cat ec.public rsa.public > several
"#;

#[test]
#[ignore = "needs openssl and ssh-keygen"]
fn keys_of_openssl_are_read_and_what_is_not_read_is_named_with_the_command_that_converts_it() {
    let keys = Keys::new();
    keys.shell(OTHERS).exits(0);
    for (private, public) in [
        ("ec", "ec.public"),
        ("ec.sec1", "ec.public-compressed"),
        ("ec.private", "ec.public"),
        ("ec.compressed", "ec"),
        ("ec.hybrid", "ec.sec1"),
        ("ec.sec1-compressed", "ec.certified"),
        ("ec.sec1-hybrid", "ec.line"),
        ("ec.certified", "ec.spaces"),
        ("ec.line", "ec.public"),
        ("ec.spaces", "ec.public"),
        ("parameters", "parameters"),
        ("ED25519", "ED25519.public"),
        ("pss", "pss.public"),
        ("ps256", "ps256.public"),
    ] {
        keys.signs_and_verifies(private, public, &[]);
    }
    for (private, public) in [("rsa", "rsa.public"), ("rsa.pkcs1", "rsa.public-pkcs1")] {
        for alg in ["RS256", "PS256"] {
            keys.signs_and_verifies(private, public, &["--alg", alg]);
        }
        keys.issue_refused(private, &["--alg RS256 or --alg PS256"]);
        keys.verify_refused(public, &["--alg RS256 or --alg PS256"]);
    }
    keys.signs_and_verifies("ps256", "ps256.public", &["--alg", "PS256"]);
    let ps256 = [&ISSUE[..], &["ps256", "--alg", "RS256"]].concat();
    keys.0.refused(&ps256).exits(2).says(&["the PEM key is for PS256, not for RS256"]);
    let decrypt = "openssl pkey -in FILE -out PLAIN";
    for (name, words) in [
        ("P-521", "secp521r1 (1.3.132.0.35), which is not supported"),
        ("P-521.sec1", "secp521r1"),
        ("P-521.public", "secp521r1"),
        ("secp256k1", "secp256k1"),
        ("secp256k1.sec1", "secp256k1"),
        ("secp256k1.public", "secp256k1"),
        ("brainpoolP256r1.public", "brainpoolP256r1"),
        ("ec.public-hybrid", "openssl pkey -pubin -ec_conv_form uncompressed"),
        ("explicit", "openssl pkey -ec_param_enc named_curve"),
        ("ED448", "Ed448 (1.3.101.113), which is not supported"),
        ("ED448.public", "Ed448"),
        ("X25519", "X25519"),
        ("ps384", "RSASSA-PSS with other parameters than PS256"),
        ("encrypted", decrypt),
        ("encrypted.pkcs1", decrypt),
        ("encrypted.sec1", decrypt),
        ("certificate", "openssl x509 -pubkey -noout"),
        ("certificate.der", "openssl x509 -inform der -pubkey -noout -in FILE"),
        ("der", "openssl pkey -inform DER"),
        ("der.public", "openssl pkey -inform DER"),
        ("pkcs12", "openssl pkcs12"),
        ("openssh", "ssh-keygen -p -N '' -m PKCS8 -f COPY"),
        ("openssh.pub", "ssh-keygen -e -m PKCS8 -f FILE"),
    ] {
        keys.issue_refused(name, &[words]);
        keys.verify_refused(name, &[words]);
    }
    keys.0
        .refused(&[&ISSUE[..], &["three-primes", "--alg", "RS256"]].concat())
        .exits(2)
        .says(&["two primes"]);
    // The commands do what they say.
    for command in [
        "openssl pkey -in encrypted.sec1 -passin pass:x -out plain",
        "openssl pkey -in encrypted -passin pass:x -out plain",
        "openssl pkey -inform DER -in der > plain",
        "openssl pkcs12 -nodes -nocerts -in pkcs12 -passin pass:x > plain",
    ] {
        keys.shell(&format!("{command} 2> /dev/null")).exits(0);
        keys.signs_and_verifies("plain", "ec.public", &[]);
    }
    keys.shell("openssl x509 -pubkey -noout -in certificate > plain").exits(0);
    keys.signs_and_verifies("ec", "plain", &[]);
    keys.shell("openssl x509 -inform der -pubkey -noout -in certificate.der > plain").exits(0);
    keys.signs_and_verifies("ec", "plain", &[]);
    keys.shell("openssl pkey -ec_param_enc named_curve -in explicit -out plain").exits(0);
    keys.signs_and_verifies("plain", "plain", &[]);
    keys.shell("openssl pkey -pubin -ec_conv_form uncompressed -in ec.public-hybrid -out plain").exits(0);
    keys.signs_and_verifies("ec", "plain", &[]);
    keys.shell("ssh-keygen -e -m PKCS8 -f openssh.pub > plain; ssh-keygen -q -p -N '' -m PKCS8 -f openssh")
        .exits(0);
    keys.signs_and_verifies("openssh", "plain", &[]);
    // Several keys are told apart by their names, which are their thumbprints.
    keys.0.refused(&[&VERIFY[..], &["several", "x"]].concat()).exits(2).says(&["block 2", "--alg RS256"]);
    keys.shell("cat ec.public ED25519.public > several; cat ED25519 ec.sec1 > private").exits(0);
    keys.signs_and_verifies("ED25519", "several", &[]);
    keys.signs_and_verifies("ec", "several", &[]);
    keys.issue_refused("private", &["2 private keys"]);
}

/// This program and openssl write the same key alike.
#[test]
#[ignore = "needs openssl"]
fn pem_is_what_openssl_writes() {
    let keys = Keys::new();
    for alg in ["RS256", "PS256", "ES256", "ES384", "Ed25519"] {
        let keygen = ["token", "keygen", "--quiet", "--alg", alg, "--format", "pem"];
        keys.0.ended(&[&keygen[..], &["--force", "--out", "key", "--public", "public"]].concat()).exits(0);
        keys.shell("openssl pkey -in key > key.other; openssl pkey -in key -pubout > public.other").exits(0);
        let text = |name: &str| fs::read_to_string(keys.0.path().join(name)).expect("it was made");
        assert_eq!(text("key"), text("key.other"), "{alg}");
        assert_eq!(text("public"), text("public.other"), "{alg}");
    }
}
