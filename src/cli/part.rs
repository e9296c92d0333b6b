//! Parts on the command line, written as in a scenario.

use serde::Deserialize;

use crate::auth::token::signature::{SignatureScheme, Status};
use crate::registry::{Choice, Part, Role};

/// A part as it stands in a scenario: a name, or an inline table.
pub(super) fn part<T: Role + ?Sized>(written: &str) -> Result<Part<T>, String> {
    let choice = if written.trim_start().starts_with('{') {
        #[derive(Deserialize)]
        struct Written {
            choice: Choice,
        }
        let text = format!("choice = {written}");
        toml::from_str::<Written>(&text).map_err(|error| error.message().to_owned())?.choice
    } else {
        Choice::named(written)
    };
    T::registry().resolve(choice).map_err(|error| error.to_string())
}

/// A signature scheme for keys and tokens by hand, which no control of the bench is.
pub(super) fn signature(written: &str) -> Result<Part<dyn SignatureScheme>, String> {
    let scheme = part(written)?;
    must_sign(&scheme).map(|()| scheme)
}

/// A control proves nothing: a key for it, wherever it comes from, would make every token good.
pub(super) fn must_sign(scheme: &Part<dyn SignatureScheme>) -> Result<(), String> {
    if scheme.facts().status == Status::Control {
        return Err(format!(
            "{scheme} is a control of the bench, which proves nothing: only `bearerbench run` makes and takes its keys \
             and tokens"
        ));
    }
    Ok(())
}
