//! The parameter sets of FIPS 204 section 4, as values and as types.

use std::fmt::Debug;

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth::token::signature) enum ParameterSet {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// A parameter set as a type, so that each has its own row in the registry.
pub(in crate::auth::token::signature) trait Parameters:
    Debug + Send + Sync
{
    const SET: ParameterSet;
}

#[derive(Debug)]
pub(in crate::auth::token::signature) struct MlDsa44;
#[derive(Debug)]
pub(in crate::auth::token::signature) struct MlDsa65;
#[derive(Debug)]
pub(in crate::auth::token::signature) struct MlDsa87;

impl Parameters for MlDsa44 {
    const SET: ParameterSet = ParameterSet::MlDsa44;
}

impl Parameters for MlDsa65 {
    const SET: ParameterSet = ParameterSet::MlDsa65;
}

impl Parameters for MlDsa87 {
    const SET: ParameterSet = ParameterSet::MlDsa87;
}

impl ParameterSet {
    pub(in crate::auth::token::signature) fn alg(self) -> &'static str {
        match self {
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// FIPS 204 table 2.
    pub(in crate::auth::token::signature) fn public_key_bytes(self) -> u32 {
        match self {
            Self::MlDsa44 => 1_312,
            Self::MlDsa65 => 1_952,
            Self::MlDsa87 => 2_592,
        }
    }

    /// FIPS 204 table 2.
    pub(in crate::auth::token::signature) fn signature_bytes(self) -> u32 {
        match self {
            Self::MlDsa44 => 2_420,
            Self::MlDsa65 => 3_309,
            Self::MlDsa87 => 4_627,
        }
    }
}
