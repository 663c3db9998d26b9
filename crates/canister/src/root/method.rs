//! Root's methods: who may call each, and how large its argument may be.
//!
//! Owns the guards, at the door (`inspect_message`) and in the message alike. What a method does
//! is `endpoint`'s.

use crate::call;
use hatchery_api::CHUNK_BYTES_MAX;
use hatchery_types::Principal;

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
pub(crate) const COMMAND: Method = method("command", Group::Operator, 64 * 1024);
pub(crate) const REPORT: Method = method("report", Group::Member, 1024);
pub(crate) const REPORT_POOL: Method = method("report_pool", Group::Parent, 32 * 1024);
pub(crate) const PROTECT: Method = method("protect", Group::Member, 1024);
pub(crate) const LEASE: Method = method("lease", Group::Parent, 1024);
pub(crate) const RENEW: Method = method("renew", Group::Parent, 8 * 1024);
pub(crate) const RELEASE: Method = method("release", Group::Parent, 8 * 1024);
pub(crate) const CREATE_WORKER: Method = method("create_worker", Group::Parent, 8 * 1024);
pub(crate) const TICK: Method = method("hatchery_tick", Group::Own, 0);
pub(crate) const STATUS: Method = method("status", Group::Public, 1024);
pub(crate) const CANISTERS: Method = method("canisters", Group::Public, 1024);
pub(crate) const POOL_STATUS: Method = method("pool_status", Group::Public, 1024);
pub(crate) const POOL_LIST: Method = method("pool_list", Group::Public, 1024);
pub(crate) const WORKERS: Method = method("workers", Group::Public, 1024);
pub(crate) const PLAN: Method = method("plan", Group::Public, 1024);
pub(crate) const PLAN_CREATE_WORKER: Method = method("plan_create_worker", Group::Public, 1024);
pub(crate) const WHY: Method = method("why", Group::Operator, 1024);
pub(crate) const DECISIONS: Method = method("decisions", Group::Operator, 1024);
pub(crate) const REPLAY: Method = method("replay", Group::Operator, 2_000_000);
pub(crate) const METRICS: Method = method("metrics", Group::Public, 1024);
pub(crate) const EVENTS: Method = method("events", Group::Public, 1024);
pub(crate) const EFFECTS: Method = method("effects", Group::Public, 1024);
pub(crate) const EXPORT: Method = method("export", Group::Operator, 1024);
pub(crate) const VIOLATIONS: Method = method("violations", Group::Operator, 1024);

/// Every method that root exports.
pub(crate) const ALL: [Method; 27] = [
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
}

impl Caller {
    /// The caller of this message.
    pub(crate) fn of_message() -> Self {
        let caller: Principal = call::caller();
        Caller {
            is_controller: ic0::is_controller(caller.as_slice()) == 1,
            is_root: caller == call::myself(),
        }
    }
}

impl Method {
    /// Whether the caller may call it, once the message runs.
    ///
    /// # Errors
    /// The text of the reject.
    pub(crate) fn admit(&self, caller: Caller) -> Result<(), &'static str> {
        match self.group {
            Group::Operator if !caller.is_controller => {
                Err("unauthorised: only controllers of root may call this")
            }
            Group::Own if !caller.is_root => Err("unauthorised: only root itself may call this"),
            _ => Ok(()),
        }
    }

    /// Whether a message from outside the subnet is worth executing. Refusing it is free, running
    /// it is not; so beside what would be refused anyway, replicated reads are for operators.
    fn admit_ingress(&self, caller: Caller, argument_bytes: usize) -> bool {
        let may = match self.group {
            Group::Operator | Group::Parent | Group::Public => caller.is_controller,
            Group::Member | Group::Own => false,
        };
        may && argument_bytes <= self.argument_bytes_max
    }
}

/// `canister_inspect_message` of a canister that is all root: accepts what is worth executing, and
/// says nothing otherwise, which refuses (interface specification, "Ingress message inspection").
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
    let method = ALL.iter().find(|method| method.name.as_bytes() == name);
    method.map(|it| it.admit_ingress(Caller::of_message(), ic0::msg_arg_data_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Caller = Caller {
        is_controller: false,
        is_root: false,
    };
    const OPERATOR: Caller = Caller {
        is_controller: true,
        is_root: false,
    };
    const ROOT: Caller = Caller {
        is_controller: false,
        is_root: true,
    };

    /// Group, then whether stranger, operator and root are admitted.
    const ADMITTED: [(Group, [bool; 3]); 5] = [
        (Group::Operator, [false, true, false]),
        (Group::Member, [true, true, true]),
        (Group::Own, [false, false, true]),
        (Group::Parent, [true, true, true]),
        (Group::Public, [true, true, true]),
    ];

    #[test]
    fn l21_each_method_has_an_answer_for_each_caller() {
        for method in ALL {
            let (_, expected) = ADMITTED[method.group as usize];
            assert_eq!(ADMITTED[method.group as usize].0, method.group);
            let admitted = [STRANGER, OPERATOR, ROOT].map(|it| method.admit(it).is_ok());
            assert_eq!(admitted, expected, "{}", method.name);
        }
    }

    #[test]
    fn l23_ingress_is_for_operators() {
        for method in ALL {
            let from_operator = matches!(
                method.group,
                Group::Operator | Group::Parent | Group::Public
            );
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
