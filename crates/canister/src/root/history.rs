//! From a `canister_info` reply to what the fleet acts on.
//!
//! Owns the reading of a canister's history; what follows from it is decided in `hatchery-core`.

use super::management::{CanisterInfo, Change, Details, Origin};
use hatchery_types::{CanisterId, Creation, Info, Nanos};

/// What a reply says; `None` if it lacks controllers or history.
pub(crate) fn info(reply: CanisterInfo) -> Option<Info> {
    let mut controllers = reply.controllers?;
    controllers.sort_unstable();
    let changes = reply.recent_changes?;
    let is_deployment =
        |change: &&Change| matches!(change.details, Some(Details::CodeDeployment(_)));
    Some(Info {
        controllers,
        module: reply.module_hash,
        creation: changes.first().and_then(creation),
        deployments: changes.iter().filter(is_deployment).count() as u32,
        whole: reply.total_num_changes? == changes.len() as u64,
    })
}

fn creation(change: &Change) -> Option<Creation> {
    let Some(Details::Creation(_)) = change.details else {
        return None;
    };
    let by = match change.origin.as_ref()? {
        Origin::User { user_id } => *user_id,
        Origin::Canister { canister_id } => *canister_id,
    };
    Some(Creation {
        by: CanisterId(by),
        at: Nanos(change.timestamp_nanos),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::outcome::WORK;
    use candid::{CandidType, Principal};
    use hatchery_types::ModuleHash;
    use hatchery_types::wire;
    use ic_management_canister_types as platform;
    use platform::{ChangeDetails, ChangeOrigin};

    fn principal(number: u8) -> Principal {
        Principal::from_slice(&[number, 1])
    }

    fn change(details: ChangeDetails) -> platform::Change {
        platform::Change {
            timestamp_nanos: 7,
            canister_version: 0,
            origin: ChangeOrigin::FromCanister(platform::FromCanisterRecord {
                canister_id: principal(1),
                canister_version: Some(3),
            }),
            details: Some(details),
        }
    }

    fn creation() -> platform::Change {
        let record = platform::CreationRecord {
            controllers: vec![principal(1)],
            environment_variables_hash: None,
        };
        change(ChangeDetails::Creation(record))
    }

    fn deployment(mode: platform::CodeDeploymentMode) -> platform::Change {
        let module_hash = vec![9; 32];
        change(ChangeDetails::CodeDeployment(
            platform::CodeDeploymentRecord { mode, module_hash },
        ))
    }

    fn reply(total: u64, changes: Vec<platform::Change>) -> platform::CanisterInfoResult {
        platform::CanisterInfoResult {
            total_num_changes: total,
            recent_changes: changes,
            module_hash: Some(vec![9; 32]),
            controllers: vec![principal(2), principal(1)],
        }
    }

    fn read(reply: impl CandidType) -> Option<Info> {
        let bytes = candid::encode_one(reply).expect("encodes");
        info(wire::decode(&bytes, WORK).expect("decodes"))
    }

    #[test]
    fn creator_and_deployments_are_read_and_changes_of_other_kinds_are_passed_over() {
        use platform::CodeDeploymentMode::{Install, Reinstall, Upgrade};
        let changes = vec![
            creation(),
            deployment(Install),
            change(ChangeDetails::CodeUninstall),
            deployment(Reinstall),
            deployment(Upgrade),
        ];
        let by = CanisterId(principal(1));
        let expected = Info {
            controllers: vec![principal(1), principal(2)],
            module: Some(ModuleHash([9; 32])),
            creation: Some(Creation { by, at: Nanos(7) }),
            deployments: 3,
            whole: true,
        };
        assert_eq!(read(reply(5, changes)), Some(expected));
    }

    #[test]
    fn a_history_that_lost_its_beginning_says_so() {
        let seen = read(reply(23, vec![change(ChangeDetails::CodeUninstall); 20]));
        let seen = seen.expect("it is a reply");
        assert_eq!((seen.creation, seen.whole), (None, false));
    }

    #[test]
    fn a_user_creates_too() {
        let mut changes = vec![creation()];
        changes[0].origin = ChangeOrigin::FromUser(platform::FromUserRecord {
            user_id: principal(5),
        });
        let seen = read(reply(1, changes)).expect("it is a reply");
        assert_eq!(seen.creation.map(|it| it.by.0), Some(principal(5)));
    }

    #[test]
    fn a_reply_without_history_is_none() {
        #[derive(CandidType)]
        struct Nothing {}
        assert_eq!(read(Nothing {}), None);
    }
}
