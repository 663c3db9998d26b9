//! Root's methods: who may call each, and how large its argument may be.
//!
//! Owns the guards, at the door (`inspect_message`) and in the message alike. What a method does
//! is `endpoint`'s.

use super::{Stable, with_state};
use crate::call;
use hatchery_api::CHUNK_BYTES_MAX;
use hatchery_core::State;
use hatchery_types::plant::planted;
use hatchery_types::{FleetSpec, Principal, Visibility};

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Controllers of root.
    Operator,
    /// Canisters; whether they are members is decided by the state.
    Member,
    /// Root itself.
    Own,
    /// Parents of pools, which are canisters, and operators; the state decides.
    Parent,
    /// Anybody, as a query; as an update only what an operator may.
    Public,
    /// The same where the spec shows the fleet to anybody, else operators.
    Watcher,
}

/// A method and its guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Method {
    /// Name on the wire.
    pub(crate) name: &'static str,
    /// Who may call it.
    pub(crate) group: Group,
    /// Largest argument, in bytes.
    pub(crate) argument_bytes_max: usize,
}

/// Room for the Candid header and the fixed fields around a chunk.
const CHUNK_HEADER_BYTES_MAX: usize = 1024;

pub(crate) const APPLY_SPEC: Method = method("apply_spec", Group::Operator, 1024 * 1024);
pub(crate) const STAGE_CHUNK: Method = method(
    "stage_chunk",
    Group::Operator,
    CHUNK_BYTES_MAX + CHUNK_HEADER_BYTES_MAX,
);
pub(crate) const COMMIT_MODULE: Method = method("commit_module", Group::Operator, 1024);
/// More ids than a command may name fit in, so that root can say how many those are.
pub(crate) const COMMAND: Method = method("command", Group::Operator, 256 * 1024);
pub(crate) const REPORT: Method = method("report", Group::Member, 1024);
pub(crate) const REPORT_POOL: Method = method("report_pool", Group::Parent, 32 * 1024);
pub(crate) const PROTECT: Method = method("protect", Group::Member, 1024);
pub(crate) const LEASE: Method = method("lease", Group::Parent, 1024);
pub(crate) const RENEW: Method = method("renew", Group::Parent, 8 * 1024);
pub(crate) const RELEASE: Method = method("release", Group::Parent, 8 * 1024);
pub(crate) const CREATE_WORKER: Method = method("create_worker", Group::Parent, 8 * 1024);
pub(crate) const REQUEST: Method = method("request", Group::Member, 8 * 1024);
pub(crate) const TICK: Method = method("hatchery_tick", Group::Own, 0);
pub(crate) const STATUS: Method = method("status", Group::Public, 1024);
pub(crate) const CANISTERS: Method = method("canisters", Group::Watcher, 1024);
pub(crate) const POOL_STATUS: Method = method("pool_status", Group::Public, 1024);
pub(crate) const POOL_LIST: Method = method("pool_list", Group::Watcher, 1024);
pub(crate) const WORKERS: Method = method("workers", Group::Public, 1024);
pub(crate) const PLAN: Method = method("plan", Group::Watcher, 1024);
pub(crate) const PLAN_CREATE_WORKER: Method = method("plan_create_worker", Group::Public, 1024);
pub(crate) const WHY: Method = method("why", Group::Operator, 1024);
pub(crate) const DECISIONS: Method = method("decisions", Group::Operator, 1024);
pub(crate) const REPLAY: Method = method("replay", Group::Operator, 2_000_000);
pub(crate) const METRICS: Method = method("metrics", Group::Public, 1024);
pub(crate) const EVENTS: Method = method("events", Group::Watcher, 1024);
pub(crate) const EFFECTS: Method = method("effects", Group::Watcher, 1024);
pub(crate) const EXPORT: Method = method("export", Group::Operator, 1024);
/// Browsers send long headers, which root does not read.
pub(crate) const HTTP_REQUEST: Method = method("http_request", Group::Public, 64 * 1024);
pub(crate) const SPEC: Method = method("spec", Group::Operator, 1024);
pub(crate) const VIOLATIONS: Method = method("violations", Group::Operator, 1024);

/// Every method that root exports.
pub(crate) const ALL: [Method; 30] = [
    APPLY_SPEC,
    STAGE_CHUNK,
    COMMIT_MODULE,
    COMMAND,
    REPORT,
    REPORT_POOL,
    PROTECT,
    LEASE,
    RENEW,
    RELEASE,
    CREATE_WORKER,
    REQUEST,
    TICK,
    STATUS,
    CANISTERS,
    POOL_STATUS,
    POOL_LIST,
    WORKERS,
    PLAN,
    PLAN_CREATE_WORKER,
    WHY,
    DECISIONS,
    REPLAY,
    METRICS,
    EVENTS,
    EFFECTS,
    EXPORT,
    HTTP_REQUEST,
    SPEC,
    VIOLATIONS,
];

const fn method(name: &'static str, group: Group, argument_bytes_max: usize) -> Method {
    Method {
        name,
        group,
        argument_bytes_max,
    }
}

/// What a guard knows of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// A controller of root.
    pub(crate) is_controller: bool,
    /// Root itself.
    pub(crate) is_root: bool,
    /// The spec shows the fleet to anybody.
    pub(crate) is_shown: bool,
}

impl Caller {
    /// The caller of this message.
    pub(crate) fn of_message() -> Self {
        let caller: Principal = call::caller();
        Caller {
            is_controller: ic0::is_controller(caller.as_slice()) == 1,
            is_root: caller == call::myself(),
            is_shown: !with_state(is_closed),
        }
    }
}

/// The spec shows single canisters to operators only.
pub(crate) fn is_closed(state: &State<Stable>) -> bool {
    let visibility = state.spec().map(FleetSpec::visibility);
    visibility == Some(Visibility::Operators)
}

impl Method {
    /// Whether the caller may call it, once the message runs.
    ///
    /// # Errors
    /// The text of the reject.
    pub(crate) fn admit(&self, caller: Caller) -> Result<(), &'static str> {
        match self.group {
            Group::Operator if !caller.is_controller && !planted("l21") => {
                Err("unauthorised: only controllers of root may call this")
            }
            Group::Watcher if !(caller.is_controller || caller.is_shown) => {
                Err("unauthorised: this fleet shows its canisters to operators only")
            }
            Group::Own if !caller.is_root => Err("unauthorised: only root itself may call this"),
            _ => Ok(()),
        }
    }

    /// Whether a message from outside the subnet is worth executing. Refusing it is free, running
    /// it is not; so beside what would be refused anyway, replicated reads are for operators.
    fn admit_ingress(&self, caller: Caller, argument_bytes: usize) -> bool {
        let may = match self.group {
            Group::Operator | Group::Parent | Group::Public | Group::Watcher => {
                caller.is_controller
            }
            Group::Member | Group::Own => false,
        };
        (may || planted("l23")) && argument_bytes <= self.argument_bytes_max
    }

    /// What the sender of a larger argument is told.
    pub(crate) fn too_long(&self) -> String {
        let (name, most) = (self.name, self.argument_bytes_max);
        format!("the argument is too long: `{name}` takes {most} bytes; send it in parts")
    }
}

/// `canister_inspect_message` of a canister that is all root: accepts what is worth executing, and
/// says nothing otherwise, which refuses (interface specification, "Ingress message inspection").
/// Whoever may call hears how long an argument may be.
pub fn inspect() {
    accept_if(admits_ingress() == Some(true));
}

/// `canister_inspect_message` of a canister that root shares with an application, whose own methods
/// are accepted.
pub fn inspect_shared() {
    accept_if(admits_ingress() != Some(false));
}

fn accept_if(worth_it: bool) {
    if worth_it {
        ic0::accept_message();
    }
}

/// Whether a method of root is worth executing; `None` for a method that is not root's.
fn admits_ingress() -> Option<bool> {
    let mut name = vec![0; ic0::msg_method_name_size().min(64)];
    ic0::msg_method_name_copy(&mut name, 0);
    let method = ALL.iter().find(|method| method.name.as_bytes() == name)?;
    let caller = Caller::of_message();
    let admitted = method.admit_ingress(caller, ic0::msg_arg_data_size());
    if !admitted && method.admit_ingress(caller, 0) {
        // Only a trap carries words from here to the sender.
        ic_cdk::trap(method.too_long());
    }
    Some(admitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Caller = Caller {
        is_controller: false,
        is_root: false,
        is_shown: true,
    };
    const OPERATOR: Caller = Caller {
        is_controller: true,
        is_root: false,
        is_shown: false,
    };
    const ROOT: Caller = Caller {
        is_controller: false,
        is_root: true,
        is_shown: false,
    };

    /// A stranger where the spec says that operators alone may see the fleet.
    const SHUT_OUT: Caller = Caller {
        is_shown: false,
        ..STRANGER
    };

    /// Group, then whether stranger, operator, root, and a stranger shut out are admitted.
    const ADMITTED: [(Group, [bool; 4]); 6] = [
        (Group::Operator, [false, true, false, false]),
        (Group::Member, [true, true, true, true]),
        (Group::Own, [false, false, true, false]),
        (Group::Parent, [true, true, true, true]),
        (Group::Public, [true, true, true, true]),
        (Group::Watcher, [true, true, false, false]),
    ];

    #[test]
    fn l21_each_method_has_an_answer_for_each_caller() {
        for method in ALL {
            let (_, expected) = ADMITTED[method.group as usize];
            assert_eq!(ADMITTED[method.group as usize].0, method.group);
            let admitted = [STRANGER, OPERATOR, ROOT, SHUT_OUT].map(|it| method.admit(it).is_ok());
            assert_eq!(admitted, expected, "{}", method.name);
        }
    }

    #[test]
    fn l23_ingress_is_for_operators() {
        for method in ALL {
            let from_operator = !matches!(method.group, Group::Member | Group::Own);
            assert_eq!(
                method.admit_ingress(OPERATOR, 0),
                from_operator,
                "{}",
                method.name
            );
            assert!(!method.admit_ingress(STRANGER, 0), "{}", method.name);
            let oversized = method.argument_bytes_max + 1;
            assert!(
                !method.admit_ingress(OPERATOR, oversized),
                "{}",
                method.name
            );
        }
    }

    #[test]
    fn names_are_unique_and_short_enough_to_inspect() {
        for (index, method) in ALL.iter().enumerate() {
            assert!(method.name.len() < 64);
            assert!(ALL[..index].iter().all(|other| other.name != method.name));
        }
    }
}
