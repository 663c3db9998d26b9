//! The subnet's state tree, kept in step with the engine, and the certificates cut from it. One
//! signature serves all certificates of a round; it is made when the first is asked for.
//!
//! ```text
//! /time
//! /canister/<id>/{controllers,module_hash,certified_data,metadata/<name>}
//! /canister_ranges/<subnet>/<first id>
//! /request_status/<request>/{status,reply,reject_code,reject_message,error_code}
//! /subnet/<subnet>/{canister_ranges,public_key,type,node/<node>/public_key}
//! ```
//!
//! Source: interface specification, section "The system state tree".

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hatchery_engine::{CertifiedState, Engine, Principal, Reject};
use ic_certified_map::{AsHashTree, HashTree};
use serde::Serialize;
use serde_bytes::{ByteBuf, Bytes};

use crate::cbor;
use crate::key::Keys;
use crate::tree::{Branch, Label, Node, merged};

/// The id of the first canister that there can be, and of the last.
const CANISTER_IDS: [[u8; 10]; 2] = [
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1],
];

/// What became of a request, as the tree tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestStatus {
    Received,
    Replied(Vec<u8>),
    Rejected(Reject),
    /// Answered; the answer is no longer kept.
    Done,
}

/// The tree at the end of one round.
pub(crate) struct State {
    keys: Arc<Keys>,
    tree: Node,
    time_ns: u64,
    /// What the tree holds of each canister, to see what a round has changed.
    shown: BTreeMap<Principal, Shown>,
    signature: OnceCell<Vec<u8>>,
}

/// What can change of a canister in the tree; its metadata changes with its module.
#[derive(PartialEq, Eq)]
struct Shown {
    controllers: Vec<Principal>,
    module_hash: Option<[u8; 32]>,
    certified_data: Vec<u8>,
}

#[derive(Serialize)]
struct Certificate<'a> {
    tree: HashTree<'a>,
    signature: &'a Bytes,
}

impl State {
    /// The state of `engine`, whose root key it sets.
    pub(crate) fn of(engine: &mut Engine, keys: Arc<Keys>) -> Self {
        engine.set_root_key(keys.root_key().to_vec());
        let mut state = State {
            tree: fixed_tree(&keys),
            keys,
            time_ns: 0,
            shown: BTreeMap::new(),
            signature: OnceCell::new(),
        };
        state.follow(engine);
        state
    }

    /// The root key in DER.
    pub(crate) fn root_key(&self) -> &[u8] {
        self.keys.root_key()
    }

    /// Time of the round whose state this is.
    pub(crate) fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// Brings the tree to the engine's last round.
    pub(crate) fn follow(&mut self, engine: &Engine) {
        let (shown, mut changed, mut there) = (&mut self.shown, Vec::new(), 0);
        for canister in engine.certified_states() {
            there += 1;
            if shown
                .get(&canister.id())
                .is_none_or(|shown| !shown.is(canister))
            {
                shown.insert(canister.id(), Shown::of(canister));
                changed.push((canister.id(), canister_node(canister)));
            }
        }
        let gone = shown.len() > there;
        if gone {
            self.forget_deleted(engine);
        }
        let time_ns = engine.round_time_ns();
        if changed.is_empty() && !gone && time_ns == self.time_ns {
            return;
        }
        self.tree.change("canister", |canisters| {
            for (id, node) in changed {
                canisters.insert(id.as_slice().into(), node);
            }
        });
        self.time_ns = time_ns;
        self.tree.put("time", Node::Leaf(leb128(time_ns)));
        self.signature.take();
    }

    fn forget_deleted(&mut self, engine: &Engine) {
        let there: BTreeSet<Principal> =
            engine.certified_states().map(|state| state.id()).collect();
        let (tree, shown) = (&mut self.tree, &mut self.shown);
        shown.retain(|id, _| {
            let stays = there.contains(id);
            if !stays {
                tree.change("canister", |canisters| canisters.delete(id.as_slice()));
            }
            stays
        });
    }

    /// Tells what became of a request; `None` forgets it.
    pub(crate) fn set_request(&mut self, request: &[u8; 32], status: Option<&RequestStatus>) {
        self.signature.take();
        self.tree.change("request_status", |requests| match status {
            Some(status) => requests.insert(request.to_vec(), request_node(status)),
            None => requests.delete(request),
        });
    }

    /// A certificate in CBOR that shows the time and what is at each path, or that nothing is.
    pub(crate) fn certificate(&self, paths: &[Vec<Label>]) -> Vec<u8> {
        let time = self.tree.witness(&[b"time".to_vec()]);
        let proofs = paths.iter().map(|path| self.tree.witness(path));
        let signature = self
            .signature
            .get_or_init(|| self.keys.sign_root(&self.tree.root_hash()));
        cbor::encode(&Certificate {
            tree: proofs.fold(time, merged),
            signature: Bytes::new(signature),
        })
    }

    /// The certificate of a canister's certified data.
    pub(crate) fn data_certificate(&self, canister: &Principal) -> Vec<u8> {
        let id = canister.as_slice();
        self.certificate(&[vec![
            b"canister".to_vec(),
            id.to_vec(),
            b"certified_data".to_vec(),
        ]])
    }
}

impl Shown {
    fn of(canister: CertifiedState<'_>) -> Self {
        Shown {
            controllers: canister.controllers().to_vec(),
            module_hash: canister.module_hash(),
            certified_data: canister.certified_data().to_vec(),
        }
    }

    fn is(&self, canister: CertifiedState<'_>) -> bool {
        self.certified_data == canister.certified_data()
            && self.module_hash == canister.module_hash()
            && self.controllers == canister.controllers()
    }
}

/// What no round changes, and the places for what does.
fn fixed_tree(keys: &Keys) -> Node {
    let (subnet, node) = (keys.subnet_id(), keys.node_id());
    let under = |id: &[u8], node: Node| Node::Branch(Branch::from_iter([(id.to_vec(), node)]));
    let empty = || Node::Branch(Branch::new());
    let ranges = || Node::Leaf(cbor::encode(&[CANISTER_IDS.map(ByteBuf::from)]));
    let node_keys = Node::branch([("public_key", Node::Leaf(keys.node_key()))]);
    let about_subnet = Node::branch([
        ("canister_ranges", ranges()),
        ("public_key", Node::Leaf(keys.root_key().to_vec())),
        ("type", Node::Leaf(b"application".to_vec())),
        ("node", under(node.as_slice(), node_keys)),
    ]);
    let shards = under(&CANISTER_IDS[0], ranges());
    Node::branch([
        ("time", Node::Leaf(leb128(0))),
        ("canister", empty()),
        ("canister_ranges", under(subnet.as_slice(), shards)),
        ("request_status", empty()),
        ("subnet", under(subnet.as_slice(), about_subnet)),
    ])
}

fn canister_node(canister: CertifiedState<'_>) -> Node {
    let controllers = canister.controllers().iter();
    let controllers: Vec<&Bytes> = controllers.map(|id| Bytes::new(id.as_slice())).collect();
    let mut node = Branch::new();
    node.insert(
        b"controllers".into(),
        Node::Leaf(cbor::encode(&controllers)),
    );
    let Some(hash) = canister.module_hash() else {
        return Node::Branch(node);
    };
    node.insert(b"module_hash".into(), Node::Leaf(hash.to_vec()));
    let data = canister.certified_data().to_vec();
    node.insert(b"certified_data".into(), Node::Leaf(data));
    let metadata: Branch = canister
        .metadata()
        .map(|(name, metadata)| (name.into(), Node::Leaf(metadata.content.clone())))
        .collect();
    if !metadata.is_empty() {
        node.insert(b"metadata".into(), Node::Branch(metadata));
    }
    Node::Branch(node)
}

fn request_node(status: &RequestStatus) -> Node {
    let text = |text: &str| Node::Leaf(text.as_bytes().to_vec());
    match status {
        RequestStatus::Received => Node::branch([("status", text("processing"))]),
        RequestStatus::Done => Node::branch([("status", text("done"))]),
        RequestStatus::Replied(reply) => Node::branch([
            ("status", text("replied")),
            ("reply", Node::Leaf(reply.clone())),
        ]),
        RequestStatus::Rejected(reject) => Node::branch([
            ("status", text("rejected")),
            ("reject_code", Node::Leaf(leb128(reject.code as u64))),
            ("reject_message", text(&reject.message)),
            ("error_code", text(&reject.error.to_string())),
        ]),
    }
}

/// Unsigned LEB128.
fn leb128(mut number: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while number >= 0x80 {
        encoded.push(number as u8 | 0x80);
        number >>= 7;
    }
    encoded.push(number as u8);
    encoded
}
