//! Envelopes: what arrives in CBOR, and who vouches for it. A request that leaves here is well
//! formed, in time, and its sender's own; where it goes is decided elsewhere.
//!
//! Source: interface specification, section "Authentication".

use candid::CandidType;
use hatchery_engine::Principal;
use ic_transport_types::{DelegationPermissions, Envelope, EnvelopeContent, SignedDelegation};
use serde::Deserialize;

use crate::signature::{BadSignature, verify};

/// A request may expire at most so far in the future: five minutes, and a minute of drift.
const EXPIRY_NS_MAX: u64 = 360_000_000_000;
/// Delegations in a chain.
const DELEGATIONS_MAX: usize = 20;
/// Canisters that one delegation may name.
const TARGETS_MAX: usize = 1_000;

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not CBOR, or not an envelope.
    #[error("the body is not a request in CBOR: {0}")]
    Malformed(String),
    /// Its time is over, or too far away.
    #[error(
        "the request expires at {expiry_ns} ns, which is not between the network's time {now_ns} ns and six minutes later; is the clock of the computer right?"
    )]
    Expiry {
        /// When it says it expires.
        expiry_ns: u64,
        /// The network's time.
        now_ns: u64,
    },
    /// A field this network knows nothing of.
    #[error("`sender_info` is not supported by this network")]
    SenderInfo,
    /// Key, signature or delegations of the anonymous principal.
    #[error("an anonymous request must have no key, no signature and no delegation")]
    AnonymousSigned,
    /// Key or signature are missing.
    #[error("the request of {0} is not signed")]
    Unsigned(Principal),
    /// The key is another principal's.
    #[error("the public key is that of {key}, not of the sender {sender}")]
    ForeignKey {
        /// Whose the request says it is.
        sender: Principal,
        /// Whose the key is.
        key: Principal,
    },
    /// The signature is wrong.
    #[error("the signature of the request: {0}")]
    Signature(#[source] BadSignature),
    /// A delegation's signature is wrong.
    #[error("the signature of delegation {number}: {error}")]
    DelegationSignature {
        /// Which, from 1.
        number: usize,
        /// What is wrong.
        #[source]
        error: BadSignature,
    },
    /// More delegations or targets than there may be.
    #[error("{0}")]
    TooMany(&'static str),
    /// A delegation's time is over.
    #[error("delegation {0} has expired")]
    DelegationExpired(usize),
    /// A delegation is for other canisters.
    #[error("delegation {number} is not for canister {canister}")]
    DelegationTarget {
        /// Which, from 1.
        number: usize,
        /// Whom the request is for.
        canister: Principal,
    },
    /// A delegation is for queries.
    #[error("delegation {0} permits queries only")]
    DelegationPermission(usize),
}

impl EnvelopeError {
    /// Whether the request is what it should be but its sender may not make it.
    pub fn is_forbidden(&self) -> bool {
        !matches!(
            self,
            EnvelopeError::Malformed(_) | EnvelopeError::Expiry { .. } | EnvelopeError::SenderInfo
        )
    }
}

/// A request whose sender is authentic.
#[derive(Debug, Clone)]
pub struct Authentic {
    /// What is asked.
    pub content: EnvelopeContent,
    /// Its representation-independent hash.
    pub request: [u8; 32],
}

impl Authentic {
    /// Decodes and checks a request at the network's time.
    ///
    /// # Errors
    /// Whatever keeps it from being taken.
    pub fn read(body: &[u8], now_ns: u64) -> Result<Authentic, EnvelopeError> {
        let envelope: Envelope<'_> = serde_cbor::from_slice(body)
            .map_err(|error| EnvelopeError::Malformed(error.to_string()))?;
        check_expiry(&envelope.content, now_ns)?;
        check_sender_info(&envelope.content)?;
        let request = envelope.content.to_request_id();
        check_sender(&envelope, request.as_slice(), now_ns)?;
        Ok(Authentic {
            request: *request,
            content: envelope.content.into_owned(),
        })
    }

    /// Whom a call or query concerns: its callee, or for the management canister whoever its
    /// argument names. `None` for what concerns no canister that there is already.
    pub fn concerned(&self) -> Option<Principal> {
        let (EnvelopeContent::Call {
            canister_id, arg, ..
        }
        | EnvelopeContent::Query {
            canister_id, arg, ..
        }) = &self.content
        else {
            return None;
        };
        if *canister_id == Principal::management_canister() {
            Target::read(arg)
        } else {
            Some(*canister_id)
        }
    }
}

/// Whom a call of the management canister is about, in whichever field it says so.
#[derive(CandidType, Deserialize)]
struct Target {
    canister_id: Option<Principal>,
    target_canister: Option<Principal>,
}

impl Target {
    fn read(arg: &[u8]) -> Option<Principal> {
        let quota = 4 * arg.len() + 10_000;
        let mut config = candid::DecoderConfig::new();
        config.set_decoding_quota(quota).set_skipping_quota(quota);
        let target: Target = candid::utils::decode_one_with_config(arg, &config).ok()?;
        target.canister_id.or(target.target_canister)
    }
}

/// Anonymous queries and reads may be of any time: nothing depends on it.
fn check_expiry(content: &EnvelopeContent, now_ns: u64) -> Result<(), EnvelopeError> {
    let expiry_ns = content.ingress_expiry();
    let is_call = matches!(content, EnvelopeContent::Call { .. });
    if !is_call && *content.sender() == Principal::anonymous() {
        return Ok(());
    }
    if expiry_ns < now_ns || expiry_ns > now_ns.saturating_add(EXPIRY_NS_MAX) {
        return Err(EnvelopeError::Expiry { expiry_ns, now_ns });
    }
    Ok(())
}

fn check_sender_info(content: &EnvelopeContent) -> Result<(), EnvelopeError> {
    match content {
        EnvelopeContent::Call { sender_info, .. } | EnvelopeContent::Query { sender_info, .. } => {
            match sender_info {
                None => Ok(()),
                Some(_) => Err(EnvelopeError::SenderInfo),
            }
        }
        EnvelopeContent::ReadState { .. } => Ok(()),
    }
}

fn check_sender(envelope: &Envelope<'_>, request: &[u8], now_ns: u64) -> Result<(), EnvelopeError> {
    let sender = *envelope.content.sender();
    let delegations = envelope.sender_delegation.as_deref().unwrap_or_default();
    let (key, signature) = match (&envelope.sender_pubkey, &envelope.sender_sig) {
        (None, None) if sender == Principal::anonymous() && delegations.is_empty() => return Ok(()),
        _ if sender == Principal::anonymous() => return Err(EnvelopeError::AnonymousSigned),
        (Some(key), Some(signature)) => (key, signature),
        _ => return Err(EnvelopeError::Unsigned(sender)),
    };
    let owner = Principal::self_authenticating(key);
    if owner != sender {
        return Err(EnvelopeError::ForeignKey { sender, key: owner });
    }
    let key = check_delegations(delegations, key, &envelope.content, now_ns)?;
    let signed = [&b"\x0Aic-request"[..], request].concat();
    verify(key, &signed, signature).map_err(EnvelopeError::Signature)
}

/// The key at the end of the chain that starts at `key`.
fn check_delegations<'a>(
    chain: &'a [SignedDelegation],
    mut key: &'a [u8],
    content: &EnvelopeContent,
    now_ns: u64,
) -> Result<&'a [u8], EnvelopeError> {
    if chain.len() > DELEGATIONS_MAX {
        return Err(EnvelopeError::TooMany("more than 20 delegations"));
    }
    for (index, signed) in chain.iter().enumerate() {
        let (number, delegation) = (index + 1, &signed.delegation);
        if delegation.expiration < now_ns {
            return Err(EnvelopeError::DelegationExpired(number));
        }
        check_scope(signed, number, content)?;
        verify(key, &delegation.signable(), &signed.signature)
            .map_err(|error| EnvelopeError::DelegationSignature { number, error })?;
        key = &delegation.pubkey;
    }
    Ok(key)
}

/// Targets bind calls and queries; what `read_state` shows of a request belongs to its sender
/// anyhow.
fn check_scope(
    signed: &SignedDelegation,
    number: usize,
    content: &EnvelopeContent,
) -> Result<(), EnvelopeError> {
    let delegation = &signed.delegation;
    let canister = match content {
        EnvelopeContent::Call { canister_id, .. } => {
            if delegation.permissions == Some(DelegationPermissions::Queries) {
                return Err(EnvelopeError::DelegationPermission(number));
            }
            canister_id
        }
        EnvelopeContent::Query { canister_id, .. } => canister_id,
        EnvelopeContent::ReadState { .. } => return Ok(()),
    };
    match &delegation.targets {
        Some(targets) if targets.len() > TARGETS_MAX => Err(EnvelopeError::TooMany(
            "more than 1,000 targets in a delegation",
        )),
        Some(targets) if !targets.contains(canister) => Err(EnvelopeError::DelegationTarget {
            number,
            canister: *canister,
        }),
        _ => Ok(()),
    }
}
