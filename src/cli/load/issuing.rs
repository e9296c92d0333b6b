//! Has the tokens of a load issued, tells how far that is, and sees to it that they live long enough.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::load::token_file::{Clock, checked};
use crate::cli::load::tokens::Circumstances;
use crate::cli::output;
use crate::identity_provider::{IssuedToken, TokenSource};
use crate::load::TokenPool;
use crate::units::Stamp;

/// Tokens that were issued.
pub(super) struct IssuedTokens {
    pub(super) tokens: TokenPool,
    /// How long one lives that lives shortest.
    shortest: Option<Duration>,
    /// How long it took to have them issued.
    took: Duration,
}

/// Tells how far the issuing is: a bar on a terminal, a line every now and then elsewhere.
pub(super) struct IssuingProgress {
    bar: Option<ProgressBar>,
    of: u32,
    begun: Stamp,
    quiet: bool,
}

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl IssuingProgress {
    pub(super) fn new(of: u32, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let template = "issuing tokens {bar:24} {pos} of {len}  {elapsed}, about {eta} left";
            let style = ProgressStyle::with_template(template).expect("the template is well-formed");
            ProgressBar::new(of.into()).with_style(style)
        });
        Self { bar, of, begun: Stamp::now(), quiet }
    }

    fn issued(&self, count: u32, next_line: &mut Duration) {
        let elapsed = self.begun.elapsed();
        match &self.bar {
            Some(bar) => bar.set_position(count.into()),
            None if elapsed >= *next_line && !self.quiet => {
                output::tell(&format!("issuing tokens, {count} of {}", self.of));
                *next_line = elapsed + BETWEEN_LINES;
            }
            None => {}
        }
    }

    fn finish(&self, took: Duration) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if !self.quiet {
            output::tell(&format!("{} tokens issued in {}", self.of, shown(took)));
        }
    }
}

impl Drop for IssuingProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// So many tokens.
pub(super) async fn fill(
    source: &Arc<TokenSource>,
    count: u32,
    told: &IssuingProgress,
) -> anyhow::Result<IssuedTokens> {
    let mut tokens = TokenPool::filling([]);
    tokens.reserve(count as usize);
    let (mut problem, mut shortest, mut so_far, mut next_line) = (None, None, 0, BETWEEN_LINES);
    let mut narrowed = None;
    let clock = Clock::read();
    let issued = source.issue(count, |asked, token| {
        match usable(&clock, asked, &token) {
            Ok(expires) => tokens.add_valid(&token.text, expires),
            Err(found) => problem = problem.take().or(Some(found)),
        }
        if narrowed.is_none() {
            narrowed = token.scope.as_deref().and_then(|granted| narrowed_to(source, granted));
        }
        let lives = token.lifetime;
        shortest = [shortest, lives].into_iter().flatten().min();
        so_far += 1;
        told.issued(so_far, &mut next_line);
    });
    issued.await?;
    if let Some(problem) = problem {
        anyhow::bail!("{}: the access_token of its answer: {problem}", source.endpoint);
    }
    let took = told.begun.elapsed();
    told.finish(took);
    if let Some(note) = narrowed.filter(|_| !told.quiet) {
        output::tell(&note);
    }
    Ok(IssuedTokens { tokens: tokens.full(), shortest, took })
}

/// What a user is told who asked for more than was granted: a server that refuses the tokens is right to do so.
fn narrowed_to(source: &TokenSource, granted: &str) -> Option<String> {
    let withheld = source.withheld(granted);
    let withheld = (!withheld.is_empty()).then(|| withheld.join(" "))?;
    Some(format!(
        "note: the authorization server does not grant the scope {withheld:?} of --scope, but {granted:?}; the client may have to be \
         registered for it, or --resource or --audience be given"
    ))
}

/// When the token expires, by what the provider said, or else by what it says itself.
pub(super) fn usable(clock: &Clock, asked: Stamp, token: &IssuedToken) -> Result<Option<Stamp>, String> {
    let text = checked(&token.text)?;
    let said = token.lifetime.map(|lifetime| asked + surely(lifetime));
    Ok(said.or_else(|| clock.expiry_of(text)))
}

/// A token that is dated in whole seconds, as most are, may have begun to live up to a second before it was asked for.
fn surely(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(Duration::from_secs(1))
}

/// Tokens that expire while the load runs are renewed, or the load is refused: their refusals would say nothing of the server.
/// With `refresh` it returns how long one of them lives, unless nothing is known of that.
pub(super) fn ensure_outlives(
    issued: &IssuedTokens,
    load: &Circumstances,
    refresh: bool,
) -> anyhow::Result<Option<Duration>> {
    let Some((_, first)) = issued.tokens.first_expiry() else {
        anyhow::ensure!(
            !refresh,
            "--refresh: the authorization server does not say how long its tokens live (expires_in, RFC 6749 section 5.1), so \
             it is unknown when to renew them; leave out --refresh"
        );
        return Ok(None);
    };
    let left = Duration::from_nanos(first.nanos().saturating_sub(Stamp::now().nanos()));
    let IssuedTokens { tokens, shortest, took } = issued;
    let lives = shortest.map_or_else(String::new, |shortest| format!(" (they live for {})", shown(shortest)));
    if !refresh {
        anyhow::ensure!(
            load.lasts < left,
            "the tokens expire before the load ends: the first one in {}{lives}, and warm-up and load take {}; add --refresh, \
             lower --duration, or have the authorization server issue tokens that live longer",
            shown(left),
            shown(load.lasts)
        );
        return Ok(None);
    }
    // A third of their lives is for the renewal, and a few have to be renewed at once.
    let lifetime = shortest.map_or(left, surely);
    anyhow::ensure!(
        *took <= lifetime / 3,
        "--refresh: {} tokens were issued in {}, and one lives for {}: they would expire faster than they are renewed; give a lower \
         --token-count, or have the authorization server issue tokens that live longer",
        tokens.live_count(),
        shown(*took),
        shown(lifetime)
    );
    Ok(Some(lifetime))
}

/// Rounded to what a person reads.
fn shown(length: Duration) -> String {
    let unit = if length < Duration::from_secs(1) { 1 } else { 100 };
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    humantime::format_duration(Duration::from_millis(millis / unit * unit)).to_string()
}
