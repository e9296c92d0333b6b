//! Who does the work of a classical scheme.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::token::signature::jsonwebtoken::BackEnd;

/// The library that signs and verifies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Library {
    /// aws-lc-rs: AWS-LC, in C and assembly, with keys prepared once.
    #[default]
    AwsLcRs,
    /// The crates of `RustCrypto`, in Rust, with keys prepared once.
    RustCrypto,
    /// jsonwebtoken over aws-lc-rs: prepares the key for every token.
    JsonwebtokenAwsLcRs,
    /// jsonwebtoken over the crates of `RustCrypto`: prepares the key for every token.
    JsonwebtokenRustCrypto,
}

impl Library {
    /// The settings that choose each of them, for `variants`. The default comes first.
    pub(super) fn settings() -> Vec<toml::Table> {
        let others = [Self::RustCrypto, Self::JsonwebtokenAwsLcRs, Self::JsonwebtokenRustCrypto];
        let others = others.map(|library| setting("library", library));
        std::iter::once(toml::Table::new()).chain(others).collect()
    }

    /// jsonwebtoken makes no keys.
    pub(super) fn makes_keys(self) -> bool {
        matches!(self, Self::AwsLcRs | Self::RustCrypto)
    }

    /// What it is called, where `rust_crypto` is the crate that `RustCrypto` has for the scheme.
    pub(super) fn name(self, rust_crypto: &'static str) -> &'static str {
        match self {
            Self::AwsLcRs => "aws-lc-rs",
            Self::RustCrypto => rust_crypto,
            Self::JsonwebtokenAwsLcRs => BackEnd::AwsLcRs.name(),
            Self::JsonwebtokenRustCrypto => BackEnd::RustCrypto.name(),
        }
    }
}

/// A table of one setting.
pub(super) fn setting(name: &str, value: impl Serialize) -> toml::Table {
    let value = toml::Value::try_from(value).expect("a setting is a word or a number");
    toml::Table::from_iter([(name.to_owned(), value)])
}
