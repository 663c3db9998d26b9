//! ic-agent 0.49, as Rust programs use it: every answer verified, queries with their signatures.

use anyhow::{Context, anyhow, bail, ensure};
use candid::{CandidType, Decode, Encode, Nat, Principal};
use hatchery_network::Network;
use ic_agent::identity::{
    AnonymousIdentity, BasicIdentity, DelegatedIdentity, Prime256v1Identity, Secp256k1Identity,
    SignedDelegation,
};
use ic_agent::{Agent, AgentError, Identity};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInstallMode, CanisterStatusResult, InstallCodeArgs,
};

use crate::canister::{self, CANDID};
use crate::report::Report;

const MANAGEMENT: Principal = Principal::management_canister();

#[derive(CandidType)]
struct Provisional {
    amount: Option<Nat>,
}

/// An agent of `identity` that trusts the network's root key and nothing else.
///
/// # Errors
/// The agent refuses the address.
pub(crate) fn agent(network: &Network, identity: impl Identity + 'static) -> anyhow::Result<Agent> {
    let agent = Agent::builder()
        .with_url(network.url())
        .with_identity(identity)
        .build()?;
    agent.set_root_key(network.root_key().to_vec());
    Ok(agent)
}

/// Every check of this peer.
pub(crate) async fn run(network: &Network, report: &mut Report) {
    for (name, identity) in identities() {
        let outcome = whole_life(network, identity).await;
        report.note(&format!("ic-agent 0.49: {name}"), outcome);
    }
    let outcome = refused(network).await;
    report.note("ic-agent 0.49: refusals reach their sender", outcome);
    let outcome = trusts_no_other_key(network).await;
    report.note("ic-agent 0.49: another root key is not trusted", outcome);
}

fn identities() -> Vec<(&'static str, Box<dyn Identity>)> {
    let session = BasicIdentity::from_raw_key(&[4; 32]);
    let delegated = delegated(&BasicIdentity::from_raw_key(&[3; 32]), session);
    vec![
        ("anonymous", Box::new(AnonymousIdentity)),
        ("Ed25519", Box::new(BasicIdentity::from_raw_key(&[1; 32]))),
        ("secp256k1", Box::new(secp256k1())),
        ("P-256", Box::new(p256())),
        ("a delegation", Box::new(delegated)),
    ]
}

fn secp256k1() -> Secp256k1Identity {
    let key = k256::SecretKey::from_slice(&[1; 32]);
    Secp256k1Identity::from_private_key(key.expect("bug: a small number is a key"))
}

fn p256() -> Prime256v1Identity {
    let key = p256::SecretKey::from_slice(&[1; 32]);
    Prime256v1Identity::from_private_key(key.expect("bug: a small number is a key"))
}

/// `session`, which may do all that `owner` may, for ever.
fn delegated(owner: &BasicIdentity, session: BasicIdentity) -> DelegatedIdentity {
    let delegation = ic_agent::identity::Delegation {
        pubkey: session.public_key().expect("bug: the key is ours"),
        expiration: u64::MAX,
        targets: None,
        permissions: None,
    };
    let signed = owner.sign_delegation(&delegation);
    let signature = signed
        .ok()
        .and_then(|signed| signed.signature)
        .expect("bug: our key signs");
    let chain = vec![SignedDelegation {
        delegation,
        signature,
    }];
    let key = owner.public_key().expect("bug: the key is ours");
    DelegatedIdentity::new_unchecked(key, Box::new(session), chain)
}

/// A canister created, installed, called, queried, read, and asked for what it refuses.
async fn whole_life(network: &Network, identity: Box<dyn Identity>) -> anyhow::Result<()> {
    let agent = agent(network, identity)?;
    let me = agent.get_principal().map_err(|error| anyhow!(error))?;
    let id = installed(&agent).await.context("create and install")?;
    let inc = || {
        agent
            .update(&id, "inc")
            .with_arg(Encode!().unwrap_or_default())
    };
    ensure!(Decode!(&inc().call_and_wait().await.context("inc")?, u64)? == 1);
    ensure!(Decode!(&inc().call_and_wait().await.context("inc")?, u64)? == 2);
    let get = agent.query(&id, "get").with_arg(Encode!()?);
    ensure!(Decode!(&get.call().await.context("get")?, u64)? == 2);
    let refused = agent
        .update(&id, "refuse")
        .with_arg(Encode!()?)
        .call_and_wait()
        .await;
    match refused {
        Err(AgentError::CertifiedReject { reject, .. })
            if reject.reject_message == "this canister refuses" => {}
        other => bail!("a certified reject expected, found {other:?}"),
    }
    let candid = agent
        .read_state_canister_metadata(id, "candid:service")
        .await?;
    ensure!(candid == CANDID.as_bytes(), "the metadata differ");
    let controllers = agent.read_state_canister_controllers(id).await?;
    ensure!(controllers == [me], "the controllers are {controllers:?}");
    let hash = agent.read_state_canister_module_hash(id).await?;
    ensure!(hash.len() == 32, "the module hash has {} bytes", hash.len());
    match agent.read_state_canister_metadata(id, "nothing").await {
        Err(AgentError::LookupPathAbsent(_)) => {}
        other => bail!("a proof of absence expected, found {other:?}"),
    }
    status(&agent, id).await
}

async fn status(agent: &Agent, id: Principal) -> anyhow::Result<()> {
    let reply = agent
        .update(&MANAGEMENT, "canister_status")
        .with_effective_canister_id(id)
        .with_arg(Encode!(&CanisterIdRecord { canister_id: id })?)
        .call_and_wait()
        .await
        .context("canister_status")?;
    let status = Decode!(&reply, CanisterStatusResult)?;
    ensure!(status.cycles > 1_000_000_000_u64, "{status:?}");
    Ok(())
}

/// A counter of `agent`'s.
pub(crate) async fn installed(agent: &Agent) -> anyhow::Result<Principal> {
    let anywhere = Principal::from_text("rwlgt-iiaaa-aaaaa-aaaaa-cai")?;
    let amount = Some(Nat::from(100_000_000_000_000_u64));
    let reply = agent
        .update(&MANAGEMENT, "provisional_create_canister_with_cycles")
        .with_effective_canister_id(anywhere)
        .with_arg(Encode!(&Provisional { amount })?)
        .call_and_wait()
        .await?;
    let canister_id = Decode!(&reply, CanisterIdRecord)?.canister_id;
    let install = InstallCodeArgs {
        mode: CanisterInstallMode::Install,
        canister_id,
        wasm_module: canister::module(1),
        arg: Encode!()?,
        sender_canister_version: None,
    };
    agent
        .update(&MANAGEMENT, "install_code")
        .with_effective_canister_id(canister_id)
        .with_arg(Encode!(&install)?)
        .call_and_wait()
        .await?;
    Ok(canister_id)
}

/// Refused before and after it was taken in, as a query too.
async fn refused(network: &Network) -> anyhow::Result<()> {
    let agent = agent(network, BasicIdentity::from_raw_key(&[1; 32]))?;
    let id = installed(&agent).await?;
    let unknown = agent
        .query(&id, "nothing")
        .with_arg(Encode!()?)
        .call()
        .await;
    match unknown {
        Err(AgentError::UncertifiedReject { reject, .. })
            if reject.error_code.as_deref() == Some("IC0536") => {}
        other => bail!("IC0536 expected, found {other:?}"),
    }
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 9, 9, 9, 9, 1, 1]);
    let answer = agent
        .update(&nobody, "inc")
        .with_arg(Encode!()?)
        .call_and_wait()
        .await;
    match answer {
        Err(AgentError::UncertifiedReject { reject, .. })
            if reject.error_code.as_deref() == Some("IC0301") => {}
        other => bail!("IC0301 expected, found {other:?}"),
    }
    let other = self::agent(network, BasicIdentity::from_raw_key(&[2; 32]))?;
    match status(&other, id).await {
        Err(error) if format!("{error:#}").contains("Only the controllers") => Ok(()),
        other => bail!("a refusal to strangers expected, found {other:?}"),
    }
}

async fn trusts_no_other_key(network: &Network) -> anyhow::Result<()> {
    let agent = agent(network, AnonymousIdentity)?;
    let id = installed(&agent).await?;
    let mut other = network.root_key().to_vec();
    if let Some(byte) = other.last_mut() {
        *byte ^= 1;
    }
    agent.set_root_key(other);
    match agent
        .update(&id, "inc")
        .with_arg(Encode!()?)
        .call_and_wait()
        .await
    {
        Err(_) => Ok(()),
        Ok(_) => bail!("a certificate under another key was taken"),
    }
}
