//! What the methods for parents and members of pools do: leases, reports for a pool, protection.

use super::endpoint::{SIGNAL_GAP, act, commanded, heard, no_pool, refused};
use super::{count_refused, method, now, tick, view, with_state};
use crate::call;
use hatchery_api::{
    Answer, Ask, CommandAnswer, CreateWorkerRequest, LeaseAnswer, LeaseRequest, LeaseView,
    ListingView, MemberRequest, NotTaken, PlanView, PoolReport, PoolReportAnswer, Protect,
    ReasonView, ReleaseRequest, RenewRequest, ReportAnswer,
};
use hatchery_core as core;
use hatchery_core::{Input, LeaseAsk, LeaseInput, Reply};
use hatchery_types::{CanisterId, Generation, OperationId, Principal};

/// Hands out workers.
pub(crate) fn lease(caller: Principal, request: LeaseRequest) -> Answer<LeaseAnswer> {
    let LeaseRequest {
        operation,
        pool,
        count,
        ttl,
        known,
    } = request;
    let ask = LeaseAsk::Take { count, ttl };
    about_leases(caller, operation, &pool, ask, known)
}

/// Keeps leases for longer.
pub(crate) fn renew(caller: Principal, request: RenewRequest) -> Answer<LeaseAnswer> {
    let RenewRequest {
        operation,
        pool,
        canisters,
        ttl,
    } = request;
    let ask = LeaseAsk::Renew { canisters, ttl };
    let known = with_state(|state| state.listing(&pool));
    about_leases(caller, operation, &pool, ask, known)
}

/// Takes workers back.
pub(crate) fn release(caller: Principal, request: ReleaseRequest) -> Answer<LeaseAnswer> {
    let ReleaseRequest {
        operation,
        pool,
        canisters,
    } = request;
    let ask = LeaseAsk::Release { canisters };
    let known = with_state(|state| state.listing(&pool));
    about_leases(caller, operation, &pool, ask, known)
}

fn about_leases(
    caller: Principal,
    operation: OperationId,
    pool: &str,
    ask: LeaseAsk,
    known: Generation,
) -> Answer<LeaseAnswer> {
    let input = LeaseInput {
        caller,
        operator: is_operator(),
        operation,
        pool: pool.to_owned(),
        ask,
    };
    match act(&Input::Lease(input)) {
        Reply::Lease(answer) => {
            // The pool is planned soon, in a message of its own.
            tick::arm(now() + SIGNAL_GAP);
            Ok(lease_answer(&answer, listing(pool, known)))
        }
        Reply::Refused(reason, detail) => {
            count_refused(core::Operation::Lease, &reason);
            Err(refused(&reason, detail))
        }
        _ => panic!("bug: a lease is not answered as one"),
    }
}

fn lease_answer(answer: &core::LeaseAnswer, listing: ListingView) -> LeaseAnswer {
    let granted = answer.granted.iter().map(|grant| LeaseView {
        canister: grant.canister,
        generation: grant.generation,
        until: grant.until,
    });
    let skipped = answer.skipped.iter();
    LeaseAnswer {
        granted: granted.collect(),
        skipped: skipped
            .map(|(id, reason)| (*id, ReasonView::from(reason)))
            .collect(),
        short: answer.short,
        listing,
    }
}

/// Takes a canister for one more worker; the tick installs it.
pub(crate) fn create_worker(
    caller: Principal,
    request: CreateWorkerRequest,
) -> Answer<CommandAnswer> {
    let input = core::WorkerInput {
        caller,
        operator: is_operator(),
        operation: request.operation,
        pool: request.pool,
        init_arg: request.init_arg,
        vitals: tick::vitals(),
    };
    commanded(act(&Input::CreateWorker(input)))
}

/// A member asks for a canister of its own, upgrades its own, or ends one.
pub(crate) fn request(caller: Principal, request: MemberRequest) -> Answer<CommandAnswer> {
    let input = core::RequestInput {
        caller: CanisterId(caller),
        generation: request.generation,
        operation: request.operation,
        ask: match request.ask {
            Ask::Create {
                pool,
                parent,
                init_arg,
            } => core::Ask::Create {
                pool,
                parent,
                init_arg,
            },
            Ask::Recycle { canister } => core::Ask::Recycle(canister),
            Ask::Upgrade { canister } => core::Ask::Upgrade(canister),
            Ask::UpgradeAll { role } => core::Ask::UpgradeAll(role),
        },
        vitals: tick::vitals(),
    };
    commanded(act(&Input::Request(input)))
}

/// What a request for one more worker would do now, or why it would be refused.
pub(crate) fn plan_create_worker(pool: &str) -> Answer<PlanView> {
    let planned = with_state(|state| core::plan_worker(state, now(), &tick::vitals(), pool));
    let planned = planned.ok_or_else(|| no_pool(pool))?;
    planned.map(view::plan).map_err(|reason| {
        refused(
            &reason,
            format!("pool `{pool}` takes no further worker now"),
        )
    })
}

/// Takes a parent's report.
pub(crate) fn report_pool(caller: Principal, report: PoolReport) -> Answer<PoolReportAnswer> {
    let members = report.members.into_iter();
    let input = core::PoolReport {
        caller,
        operator: is_operator(),
        pool: report.pool.clone(),
        totals: report.totals,
        members: members
            .map(|it| (it.canister, it.signal, it.value))
            .collect(),
    };
    match heard(&Input::ReportPool(input)) {
        Reply::PoolReported(left_out) => Ok(PoolReportAnswer {
            refused: left_out.iter().map(not_taken).collect(),
            listing: listing(&report.pool, report.known),
        }),
        Reply::Refused(reason, detail) => Err(refused(&reason, detail)),
        _ => panic!("bug: a parent's report is not answered as one"),
    }
}

fn not_taken(it: &core::NotTaken) -> NotTaken {
    NotTaken {
        member: it.member,
        signal: it.signal.clone(),
        reason: ReasonView::from(&it.reason),
    }
}

/// Spares a member for a while.
pub(crate) fn protect(caller: Principal, protect: &Protect) -> ReportAnswer {
    let input = Input::Protect {
        member: CanisterId(caller),
        generation: protect.generation,
        until: protect.until,
    };
    match act(&input) {
        Reply::Reported { accepting, refused } => ReportAnswer {
            accepting,
            refused: refused.as_ref().map(ReasonView::from),
        },
        _ => panic!("bug: a protection is not answered as one"),
    }
}

fn listing(pool: &str, known: Generation) -> ListingView {
    with_state(|state| {
        let listing = state.listing_since(pool, known);
        let spec = state.spec().and_then(|spec| spec.pool(pool));
        ListingView {
            generation: listing.generation,
            whole: listing.whole,
            joined: listing.joined,
            left: listing.left,
            too_long: listing.too_long,
            valid_for: spec.map(|pool| pool.valid_for).unwrap_or_default(),
        }
    })
}

fn is_operator() -> bool {
    method::Caller::of_message().is_controller
}

/// The functions that the platform calls.
pub(crate) mod entries {
    use super::super::{entry::serve, method};
    use super::call::caller;

    /// Update `lease`.
    pub fn lease() {
        serve(&method::LEASE, |(request,)| super::lease(caller(), request));
    }

    /// Update `renew`.
    pub fn renew() {
        serve(&method::RENEW, |(request,)| super::renew(caller(), request));
    }

    /// Update `release`.
    pub fn release() {
        serve(&method::RELEASE, |(request,)| {
            super::release(caller(), request)
        });
    }

    /// Update `create_worker`.
    pub fn create_worker() {
        serve(&method::CREATE_WORKER, |(request,)| {
            super::create_worker(caller(), request)
        });
    }

    /// Update `request`.
    pub fn request() {
        serve(&method::REQUEST, |(request,)| {
            super::request(caller(), request)
        });
    }

    /// Query `plan_create_worker`.
    pub fn plan_create_worker() {
        serve(&method::PLAN_CREATE_WORKER, |(pool,): (String,)| {
            super::plan_create_worker(&pool)
        });
    }

    /// Update `report_pool`.
    pub fn report_pool() {
        serve(&method::REPORT_POOL, |(report,)| {
            super::report_pool(caller(), report)
        });
    }

    /// Update `protect`.
    pub fn protect() {
        serve(&method::PROTECT, |(request,)| {
            super::protect(caller(), &request)
        });
    }
}
