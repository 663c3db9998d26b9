use crate::client::{User, encode, unsigned};
use crate::fuzz::NOW_NS;
use candid::CandidType;
use hatchery_engine::Principal;
use ic_transport_types::*;
use k256::ecdsa::signature::Signer;
use k256::pkcs8::EncodePublicKey;
use hatchery_network::envelope::Authentic;

#[derive(CandidType)]
struct Stop { canister_id: Principal }

#[test]
fn write() {
    let dir = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/envelope");
    std::fs::create_dir_all(&dir).unwrap();
    let put = |name: &str, e: &Envelope<'_>| {
        let bytes = e.encode_bytes();
        Authentic::read(&bytes, NOW_NS).unwrap_or_else(|error| panic!("{name}: {error}"));
        std::fs::write(dir.join(name), bytes).unwrap();
    };
    let user = User::new(1);
    let canister = Principal::from_slice(&[0, 0, 0, 0, 1, 0, 0, 0, 1, 1]);
    let call = |sender, to, method: &str, arg| EnvelopeContent::Call { nonce: Some(vec![1, 2]), ingress_expiry: NOW_NS + 1_000_000_000, sender, canister_id: to, method_name: method.into(), arg, sender_info: None };
    let query = |sender| EnvelopeContent::Query { nonce: None, ingress_expiry: NOW_NS + 1_000_000_000, sender, canister_id: canister, method_name: "get".into(), arg: vec![], sender_info: None };
    let read = |sender| EnvelopeContent::ReadState { ingress_expiry: NOW_NS + 1_000_000_000, sender, paths: vec![vec!["time".into()], vec!["request_status".into(), vec![7u8; 32].into(), "reply".into()]] };
    put("anonymous_call", &unsigned(call(Principal::anonymous(), canister, "inc", vec![1])));
    put("anonymous_query", &unsigned(query(Principal::anonymous())));
    put("anonymous_read", &unsigned(read(Principal::anonymous())));
    put("management", &unsigned(call(Principal::anonymous(), Principal::management_canister(), "stop_canister", encode(&Stop { canister_id: canister }))));
    put("ed25519", &user.envelope(call(user.id(), canister, "inc", vec![])));
    {
        let key = k256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let der = key.verifying_key().to_public_key_der().unwrap().as_bytes().to_vec();
        let content = call(Principal::self_authenticating(&der), canister, "inc", vec![]);
        let id = content.to_request_id();
        let sig: k256::ecdsa::Signature = key.sign(&[&b"\x0Aic-request"[..], id.as_slice()].concat());
        put("secp256k1", &Envelope { content: std::borrow::Cow::Owned(content), sender_pubkey: Some(der), sender_sig: Some(sig.to_bytes().to_vec()), sender_delegation: None });
    }
    {
        let key = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let der = key.verifying_key().to_public_key_der().unwrap().as_bytes().to_vec();
        let content = query(Principal::self_authenticating(&der));
        let id = content.to_request_id();
        let sig: p256::ecdsa::Signature = key.sign(&[&b"\x0Aic-request"[..], id.as_slice()].concat());
        put("p256", &Envelope { content: std::borrow::Cow::Owned(content), sender_pubkey: Some(der), sender_sig: Some(sig.to_bytes().to_vec()), sender_delegation: None });
    }
    let session = User::new(2);
    let mut e = session.envelope(call(user.id(), canister, "inc", vec![]));
    e.sender_pubkey = Some(user.der());
    e.sender_delegation = Some(vec![user.grants(Delegation { pubkey: session.der(), expiration: NOW_NS + 5, targets: Some(vec![canister]), permissions: Some(DelegationPermissions::All) })]);
    put("delegated", &e);
}
