//! Where the tokens of a load come from: a file, or an identity provider.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::cli::load::provider::{ProviderArgs, TokenService};
use crate::cli::load::renewal::Renewal;
use crate::cli::load::tls::TlsArgs;
use crate::cli::load::token_file::{self, FileTokens};
use crate::cli::part::part;
use crate::identity_provider::TokenSource;
use crate::load::{Target, TokenPool};
use crate::registry::Part;
use crate::reuse::ReuseLaw;
use crate::units::Stamp;
use crate::wire::ForeignTls;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Order in which tokens are reused, like uniform or '{ kind = "zipf", exponent = 0.99 }' (see `bearerbench list`)
    #[arg(long, value_name = "LAW", default_value = "round-robin", value_parser = part::<dyn ReuseLaw>)]
    pub(super) reuse: Part<dyn ReuseLaw>,
    #[command(flatten)]
    provider: ProviderArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SourceArgs {
    /// File with one bearer token per line, or a table (.csv) with a header like user,token,weight, where a token of weight 3 is
    /// sent three times as often as one of weight 1; - is standard input
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Get tokens from this token endpoint (client credentials grant, RFC 6749 section 4.4)
    #[arg(long, value_name = "URL", group = "provider")]
    token_endpoint: Option<String>,
    /// Get tokens from this issuer, whose metadata name the token endpoint (RFC 8414, OpenID Connect Discovery)
    #[arg(long, value_name = "URL", group = "provider")]
    issuer: Option<String>,
}

/// The laws that go by a round in which a token stands as often as its weight says.
const WEIGHABLE: [&str; 2] = ["round-robin", "uniform"];

/// What the load sends, and where more of it comes from.
pub(super) struct LoadTokens {
    pub(super) pool: Arc<TokenPool>,
    /// The order in which they are sent, over and over, where they have different weights.
    pub(super) round: Option<Arc<[u32]>>,
    /// Who issued them, if they are to be renewed while the load runs.
    pub(super) renewed_by: Option<RenewedBy>,
}

/// Who renews tokens.
pub(super) struct RenewedBy {
    pub(super) source: Arc<TokenSource>,
    /// How long a token lives.
    pub(super) lifetime: Duration,
}

impl RenewedBy {
    /// Begins to renew the tokens of a load that is about to begin.
    pub(super) fn start(self, target: &Target) -> anyhow::Result<Renewal> {
        let (pool, renewals) = (Arc::clone(&target.tokens), target.renewals.clone());
        Renewal::start(self.source, pool, self.lifetime, renewals, target.cores.clone())
    }
}

impl TokenArgs {
    /// Every token, good as far as is known, for a load that lasts so long.
    pub(super) fn supply(
        &self,
        tls: &TlsArgs,
        offer: &ForeignTls,
        load: &Circumstances,
    ) -> anyhow::Result<LoadTokens> {
        let SourceArgs { tokens, token_endpoint, issuer } = &self.source;
        if let Some(path) = tokens {
            let FileTokens { pool, round } = token_file::read(path)?;
            let law = self.reuse.kind();
            anyhow::ensure!(
                round.is_none() || WEIGHABLE.contains(&law),
                "--reuse {law}: the tokens in {} have weights, by which they are sent {}; leave the weights out, or take one of these",
                path.display(),
                WEIGHABLE.join(" or ")
            );
            let pool = Arc::new(pool);
            if !load.quiet {
                token_file::tell_of_expiry(path, &pool, load.ends());
            }
            return Ok(LoadTokens { pool, round, renewed_by: None });
        }
        let place = match (token_endpoint, issuer) {
            (Some(endpoint), _) => TokenService::Endpoint(endpoint),
            (None, Some(issuer)) => TokenService::Issuer(issuer),
            (None, None) => anyhow::bail!("give --tokens FILE, --token-endpoint URL or --issuer URL"),
        };
        self.provider.supply(&place, tls, offer, load)
    }
}

/// What is known of a load before it begins.
pub(super) struct Circumstances {
    /// How long it lasts at the most, with its warm-up.
    pub(super) lasts: Duration,
    /// Whether others may be burdened with it.
    pub(super) allow_remote: bool,
    /// Whether nothing is told but the result.
    pub(super) quiet: bool,
}

impl Circumstances {
    /// When it will be over, if it began now.
    pub(super) fn ends(&self) -> Stamp {
        Stamp::now() + self.lasts
    }
}
