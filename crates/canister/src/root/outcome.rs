//! What an answer to a call means: the one table from replies and reject codes to outcomes.
//!
//! Owns what a caller can know (interface specification, "Reject codes"); what follows from it is
//! decided in `hatchery-core`.

use super::history::info;
use super::management::{CanisterInfo, CanisterRecord, CanisterStatus, ChunkHash, Snapshot};
use super::observation::observation;
use crate::call::{Answer, NotSent};
use hatchery_api::DrainAnswer;
use hatchery_types::Wire;
use hatchery_types::plant::planted;
use hatchery_types::wire::{self, Work};
use hatchery_types::{Nanos, Outcome, PullSpec, Refusal, Step, Value};

/// The longest reply that is read; `canister_status` with every list at its limit has less.
pub(crate) const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Work allowed for a reply, most of it for fields that are not used.
pub(crate) const WORK: Work = Work {
    steps: 100_000,
    steps_per_byte: 4,
};

/// The outcome of a step whose call could not be sent.
pub(crate) fn not_sent(why: NotSent) -> Outcome {
    Outcome::NotExecuted(Refusal::new(0, why.text()))
}

/// The outcome of a step whose call was answered.
pub(crate) fn outcome(step: Step, answer: &Answer) -> Outcome {
    match answer {
        Answer::Reply(bytes) => match value(step, bytes) {
            Some(value) => Outcome::Done(value),
            None if planted("l20") => Outcome::Done(Value::Nothing),
            None => Outcome::Unknown(Refusal::new(0, "the reply could not be read")),
        },
        Answer::Oversized => Outcome::Unknown(Refusal::new(0, "the reply is too long")),
        Answer::Reject(code, text) if is_to_worker(step) => from_worker(*code, text),
        Answer::Reject(code, text) => from_management(step, *code, text),
    }
}

fn is_to_worker(step: Step) -> bool {
    matches!(step, Step::Drain | Step::Check | Step::Ask)
}

/// Rejects by a worker. Its code may have run before it trapped or rejected.
fn from_worker(code: u8, text: &str) -> Outcome {
    let refusal = Refusal::new(code, text);
    match code {
        1 | 2 => Outcome::NotExecuted(refusal),
        3 => Outcome::Refused(refusal),
        _ => Outcome::Unknown(refusal),
    }
}

/// Rejects by the management canister: all but the lost answer mean that nothing changed.
fn from_management(step: Step, code: u8, text: &str) -> Outcome {
    let refusal = Refusal::new(code, text);
    match code {
        2 if step == Step::Stop && is_stop_time_out(text) => Outcome::InProgress,
        1 | 2 => Outcome::NotExecuted(refusal),
        3..=5 => Outcome::Refused(refusal),
        _ => Outcome::Unknown(refusal),
    }
}

/// A stop that timed out (IC0206, code 2) has begun, unlike one that timed out in a queue (code 2
/// too). The code is not in the reject of a call between canisters, so the text must tell:
/// "Stop canister request timed out" against "Request timed out.".
fn is_stop_time_out(text: &str) -> bool {
    text.contains("IC0206")
        || text
            .to_ascii_lowercase()
            .contains("stop canister request timed out")
}

/// The outcome of a question for a number; an absurd one is told apart from an unreadable reply.
pub(crate) fn measured(pull: &PullSpec, answer: &Answer) -> Outcome {
    let Answer::Reply(bytes) = answer else {
        return outcome(Step::Ask, answer);
    };
    match wire::number(bytes, pull.field.as_deref()) {
        Some(number) => Outcome::Done(Value::Measured(number.value(pull.multiply))),
        None => Outcome::Unknown(Refusal::new(0, "the reply has no such number")),
    }
}

fn value(step: Step, reply: &[u8]) -> Option<Value> {
    match step {
        Step::Create => {
            decode::<CanisterRecord>(reply).map(|record| Value::Created(record.canister_id))
        }
        Step::Status => {
            let observation = observation(decode::<CanisterStatus>(reply)?)?;
            Some(Value::Observed(Box::new(observation)))
        }
        Step::History => info(decode::<CanisterInfo>(reply)?).map(|it| Value::Told(Box::new(it))),
        Step::Drain => decode::<DrainAnswer>(reply).map(|answer| Value::Drained(answer.idle)),
        Step::StoredChunks => decode::<Vec<ChunkHash>>(reply)
            .map(|chunks| Value::Chunks(chunks.into_iter().map(|chunk| chunk.hash).collect())),
        Step::TakeSnapshot => Some(Value::Saved(vec![saved(decode(reply)?)?])),
        Step::ListSnapshots => {
            let snapshots = decode::<Vec<Snapshot>>(reply)?.into_iter();
            snapshots
                .map(saved)
                .collect::<Option<_>>()
                .map(Value::Saved)
        }
        // The role knows which field, see `measured`.
        Step::Ask => None,
        // Their replies say nothing that is used: an answer is the success.
        Step::CleanSettings
        | Step::MemberSettings
        | Step::Uninstall
        | Step::Start
        | Step::Check
        | Step::Install
        | Step::InstallSweeper
        | Step::Stop
        | Step::Delete
        | Step::UploadChunk
        | Step::ClearChunkStore
        | Step::HandOver
        | Step::Deposit
        | Step::UpgradeCode
        | Step::LoadSnapshot
        | Step::DeleteSnapshot => Some(Value::Nothing),
    }
}

fn saved(snapshot: Snapshot) -> Option<(Vec<u8>, Nanos)> {
    Some((snapshot.id?, Nanos(snapshot.taken_at_timestamp?)))
}

fn decode<T: Wire>(reply: &[u8]) -> Option<T> {
    wire::decode(reply, WORK).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candid::{CandidType, Principal};
    use hatchery_types::CanisterId;

    fn reply(value: impl CandidType) -> Answer {
        Answer::Reply(candid::encode_one(value).expect("encodes"))
    }

    fn name(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Done(_) => "done",
            Outcome::Refused(_) => "refused",
            Outcome::NotExecuted(_) => "not-executed",
            Outcome::InProgress => "in-progress",
            Outcome::Unknown(_) => "unknown",
        }
    }

    fn rejects(step: Step) -> Vec<&'static str> {
        let reject = |code| name(&outcome(step, &Answer::Reject(code, "text".to_owned())));
        (1..=6).map(reject).collect()
    }

    #[test]
    fn every_reject_code_of_every_callee() {
        let management = [
            "not-executed",
            "not-executed",
            "refused",
            "refused",
            "refused",
            "unknown",
        ];
        for step in [
            Step::Create,
            Step::Status,
            Step::Install,
            Step::Stop,
            Step::UploadChunk,
        ] {
            assert_eq!(rejects(step), management, "{step:?}");
        }
        let worker = [
            "not-executed",
            "not-executed",
            "refused",
            "unknown",
            "unknown",
            "unknown",
        ];
        assert_eq!(rejects(Step::Drain), worker);
    }

    #[test]
    fn a_stop_that_timed_out_is_in_progress() {
        let reject = |text: &str| Answer::Reject(2, text.to_owned());
        let begun = reject("Stop canister request timed out");
        assert_eq!(outcome(Step::Stop, &begun), Outcome::InProgress);
        assert_eq!(
            name(&outcome(Step::Stop, &reject("Request timed out."))),
            "not-executed"
        );
        assert_eq!(name(&outcome(Step::Start, &begun)), "not-executed");
    }

    #[test]
    fn replies_are_read_by_step() {
        let canister_id = CanisterId(Principal::from_slice(&[1, 1]));
        let created = outcome(Step::Create, &reply(CanisterRecord { canister_id }));
        assert_eq!(created, Outcome::Done(Value::Created(canister_id)));
        let drained = outcome(Step::Drain, &reply(DrainAnswer { idle: true }));
        assert_eq!(drained, Outcome::Done(Value::Drained(true)));
        let info = CanisterInfo {
            total_num_changes: Some(0),
            recent_changes: Some(Vec::new()),
            controllers: Some(vec![canister_id.0]),
            module_hash: None,
        };
        let told = outcome(Step::History, &Answer::Reply(wire::encode(&info)));
        assert_eq!(name(&told), "done");
        let stopped = outcome(Step::Stop, &reply(()));
        assert_eq!(stopped, Outcome::Done(Value::Nothing));
    }

    #[test]
    fn l20_a_reply_that_cannot_be_read_is_unknown() {
        for step in [Step::Create, Step::Status, Step::Drain, Step::History] {
            for bytes in [&b""[..], b"DIDL", b"DIDL\0\0", b"nonsense"] {
                let outcome = outcome(step, &Answer::Reply(bytes.to_vec()));
                assert_eq!(name(&outcome), "unknown", "{step:?} {bytes:?}");
            }
        }
        assert_eq!(name(&outcome(Step::Drain, &Answer::Oversized)), "unknown");
    }
}
