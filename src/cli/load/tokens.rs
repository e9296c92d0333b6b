//! Where the tokens of a load come from: a file, or an authorization server.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::cli::part::part;
use crate::load::{Filling, TokenPool};
use crate::plan::TokenClass;
use crate::registry::Part;
use crate::reuse::ReuseLaw;
use crate::testbed::client::{Client, uri};
use crate::testbed::spec::Credentials;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// How tokens are used again, like uniform or '{ kind = "zipf", exponent = 0.99 }' (see `bearerbench list`)
    #[arg(long, value_name = "LAW", default_value = "round-robin", value_parser = part::<dyn ReuseLaw>)]
    pub(super) reuse: Part<dyn ReuseLaw>,
    /// How many tokens to have issued
    #[arg(long, value_name = "N", default_value = "1000", requires = "token_endpoint")]
    token_count: NonZeroU32,
    /// `client_id` at the authorization server
    #[arg(long, default_value = "bench")]
    client_id: String,
    /// `client_secret` at the authorization server
    #[arg(long, env = "BEARERBENCH_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// Scope to ask for
    #[arg(long)]
    scope: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SourceArgs {
    /// File with a bearer token on each line; - is standard input
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Have tokens issued by the token endpoint of an authorization server (client credentials, RFC 6749 section 4.4)
    #[arg(long, value_name = "URL", requires = "client_secret")]
    token_endpoint: Option<String>,
}

impl TokenArgs {
    /// Every token, good as far as is known.
    pub(super) fn pool(&self) -> anyhow::Result<TokenPool> {
        let mut tokens = TokenPool::filling([]);
        match (&self.source.tokens, &self.source.token_endpoint) {
            (Some(path), _) => read(path, &mut tokens)?,
            (None, Some(endpoint)) => self.issue(endpoint, &mut tokens)?,
            (None, None) => anyhow::bail!("give --tokens FILE or --token-endpoint URL"),
        }
        Ok(tokens.full())
    }

    fn issue(&self, endpoint: &str, tokens: &mut Filling) -> anyhow::Result<()> {
        let endpoint =
            uri(endpoint, "").with_context(|| format!("--token-endpoint {endpoint:?} is no URL"))?;
        let credentials = Credentials {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone().unwrap_or_default(),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        let (form, authorization) = (form.finish(), credentials.header());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let client = Client::default();
            for _ in 0..self.token_count.get() {
                let answer = client.post(&endpoint, &authorization, form.clone()).await?;
                let answer: TokenAnswer = serde_json::from_slice(&answer).with_context(|| {
                    format!("{endpoint}: the answer lacks an access_token (RFC 6749 section 5.1)")
                })?;
                let token = checked(&answer.access_token).map_err(|problem| {
                    anyhow::anyhow!("{endpoint}: the access_token of its answer: {problem}")
                })?;
                tokens.add(TokenClass::Valid, token);
            }
            Ok(())
        })
    }
}

#[derive(serde::Deserialize)]
struct TokenAnswer {
    access_token: String,
}

fn read(path: &Path, tokens: &mut Filling) -> anyhow::Result<()> {
    let name = path.display();
    let lines: Box<dyn std::io::BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = File::open(path);
        Box::new(BufReader::new(file.with_context(|| format!("cannot read the tokens in {name}"))?))
    };
    let mut holds_none = true;
    for (line, number) in lines.lines().zip(1..) {
        let line = line.with_context(|| format!("cannot read line {number} of {name}"))?;
        let token = line.trim();
        if token.is_empty() {
            continue;
        }
        let token = checked(token)
            .map_err(|problem| anyhow::anyhow!("{name}:{number}: {problem}, a token on each line"))?;
        tokens.add(TokenClass::Valid, token);
        holds_none = false;
    }
    anyhow::ensure!(!holds_none, "{name} holds no token; expected one on each line");
    Ok(())
}

/// By byte, so that gigabytes of tokens are looked through without a branch for each.
static IS_TOKEN_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        byte += 1;
    }
    table
};

/// A text that may stand behind `Bearer `: anything else would end the header, or the request.
fn checked(token: &str) -> Result<&str, String> {
    if token.is_empty() {
        return Err("a bearer token cannot be empty".to_owned());
    }
    if token.bytes().fold(true, |good, byte| good & IS_TOKEN_BYTE[usize::from(byte)]) {
        return Ok(token);
    }
    let mut foreign = token.chars().filter(|found| !found.is_ascii() || !IS_TOKEN_BYTE[*found as usize]);
    let found = foreign.next().expect("a byte of it is foreign");
    Err(format!(
        "{found:?} cannot stand in a bearer token; expected letters, digits and -._~+/= (RFC 6750 section 2.1)"
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_text(text: &str) -> anyhow::Result<Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut tokens = TokenPool::filling([]);
        read(file.path(), &mut tokens)?;
        Ok(tokens.full().valid().map(str::to_owned).collect())
    }

    #[test]
    fn a_file_has_a_token_on_each_line_and_what_is_none_is_named_with_its_line() {
        assert_eq!(read_text("a.b-c\r\n\nZ9~+/==\n").unwrap(), ["a.b-c", "Z9~+/=="]);
        for (text, expected) in [
            ("good\nbad one\n", ":2: ' ' cannot stand"),
            ("sch\u{f6}n", "'\u{f6}' cannot stand"),
            ("", "holds no token"),
        ] {
            let message = read_text(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
