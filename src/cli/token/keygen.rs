//! `bearerbench token keygen`: a fresh key.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::pem::{self, PemError};
use crate::auth::token::signature::SignatureScheme;
use crate::cli::token::input::Unusable;
use crate::cli::token::keyfile;
use crate::cli::{Exit, output, part};
use crate::registry::Part;

/// Make a key: the private half goes to standard output or to a file
#[derive(Debug, Args)]
pub(super) struct Keygen {
    /// Signature scheme (see `bearerbench list`), like ML-DSA-65 or '{ kind = "RS256", bits = 3072 }'
    #[arg(long, value_parser = part::signature)]
    alg: Part<dyn SignatureScheme>,
    /// Format of the keys
    #[arg(long, default_value = "jwk")]
    format: Format,
    /// Also write the public half to this file, in the same format
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
    /// Write the private half to this file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Print no summary on standard error
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One JSON Web Key on one line (RFC 7517)
    Jwk,
    /// A JWK Set with one key
    Jwks,
    /// PKCS#8 and SPKI, as openssl writes them (RSA, ECDSA, Ed25519, ML-DSA, SLH-DSA)
    Pem,
}

#[derive(Serialize)]
struct Set<'a, T> {
    keys: [&'a T; 1],
}

impl Keygen {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        self.check_files()?;
        let key = self.alg.generate()?;
        let format = self.format.to_possible_value().expect("no form is hidden");
        let unusable = || Unusable(format!("--format {}", format.get_name()));
        let private = self.written(&key, pem::private).with_context(unusable)?;
        let public = match &self.public {
            Some(file) => Some((file, self.public_half(&key)?)),
            None => None,
        };
        match &self.out {
            Some(file) => keyfile::write(file, &private, keyfile::PRIVATE, self.force)?,
            None => output::print(&private)?,
        }
        if let Some((file, public)) = public {
            keyfile::write(file, &public, keyfile::PUBLIC, self.force)?;
        }
        if !self.quiet {
            output::tell(&self.note(&key));
        }
        Ok(Exit::Success)
    }

    /// Before a key is made, since making one may take long.
    fn check_files(&self) -> anyhow::Result<()> {
        for file in self.out.iter().chain(&self.public) {
            keyfile::must_not_exist(file, self.force)?;
        }
        if self.public.is_some() && self.public == self.out {
            return Err(anyhow::anyhow!("both halves would go to the same file"))
                .context(Unusable("--public".to_owned()));
        }
        Ok(())
    }

    fn public_half(&self, key: &PrivateJwk) -> anyhow::Result<Zeroizing<String>> {
        if !key.public.material.is_public() {
            return Err(anyhow::anyhow!("a key for {} has no public half", key.public.alg))
                .context(Unusable("--public".to_owned()));
        }
        self.written(&key.public, |key| pem::public(key).map(Zeroizing::new))
    }

    fn written<K: Serialize>(
        &self,
        key: &K,
        pem: impl FnOnce(&K) -> Result<Zeroizing<String>, PemError>,
    ) -> anyhow::Result<Zeroizing<String>> {
        Ok(match self.format {
            Format::Jwk => Zeroizing::new(serde_json::to_string(key)?),
            Format::Jwks => Zeroizing::new(serde_json::to_string(&Set { keys: [key] })?),
            Format::Pem => pem(key)?,
        })
    }

    fn note(&self, key: &PrivateJwk) -> String {
        let facts = self.alg.facts();
        // Another library makes it where this one cannot.
        let maker = if self.alg.makes_keys() { "made by" } else { "made for" };
        let place = self.out.as_ref().map_or("standard output".into(), |file| file.display().to_string());
        format!(
            "{} key, {}, {maker} {}; kid {}; private half on {place}",
            self.alg, facts.status, facts.library, key.public.kid
        )
    }
}
