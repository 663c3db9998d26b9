//! The `.did` files say what the Rust types say.

use candid::types::TypeInner;
use candid::types::internal::TypeContainer;
use candid::{CandidType, TypeEnv};
use candid_parser::utils::CandidSource;
use hatchery_api::{
    CanistersPage, CanistersRequest, CommandAnswer, CommandRequest, CommitModule,
    CreateWorkerRequest, DRAIN_METHOD, DecisionsPage, DecisionsRequest, DrainAnswer, EffectView,
    EffectsRequest, EventsPage, EventsRequest, ExportPage, ExportRequest, FleetStatus, InitArg,
    MetricsPage, MetricsRequest, PlanView, PoolListPage, PoolListRequest, PoolStatus, ROOT_DID,
    Refused, ReplayAnswer, Report, ReportAnswer, StageChunk, WORKER_DID, WhyRequest, WhyView,
    WorkersPage, WorkersRequest,
};
use hatchery_types::FleetSpec;

/// The types that a `.did` names, for looking them up.
fn load(did: &str) -> (TypeEnv, candid::types::Type) {
    let (env, service) = CandidSource::Text(did).load().expect("the .did parses");
    (env, service.expect("the .did has a service"))
}

/// Compares the type called `name` in a `.did` with a Rust type, by structure.
fn assert_same<T: CandidType>(did: &TypeEnv, name: &str) {
    let mut rust = TypeContainer::new();
    let ty = rust.add::<T>();
    let mut env = did.clone();
    let ty = env.merge_type(rust.env, ty);
    let named = TypeInner::Var(name.to_owned()).into();
    let same = candid::types::subtype::equal(
        &mut candid::types::subtype::Gamma::default(),
        &env,
        &named,
        &ty,
    );
    assert!(same.is_ok(), "{name}: {same:?}");
}

#[test]
fn root_did_has_the_types_of_the_code() {
    let (env, _) = load(ROOT_DID);
    assert_same::<InitArg>(&env, "InitArg");
    assert_same::<FleetSpec>(&env, "FleetSpec");
    assert_same::<StageChunk>(&env, "StageChunk");
    assert_same::<CommitModule>(&env, "CommitModule");
    assert_same::<CommandRequest>(&env, "CommandRequest");
    assert_same::<CommandAnswer>(&env, "CommandAnswer");
    assert_same::<PoolStatus>(&env, "PoolStatus");
    assert_same::<PoolListRequest>(&env, "PoolListRequest");
    assert_same::<PoolListPage>(&env, "PoolListPage");
    assert_same::<Report>(&env, "Report");
    assert_same::<ReportAnswer>(&env, "ReportAnswer");
    assert_same::<FleetStatus>(&env, "FleetStatus");
    assert_same::<CanistersRequest>(&env, "CanistersRequest");
    assert_same::<CanistersPage>(&env, "CanistersPage");
    assert_same::<WorkersRequest>(&env, "WorkersRequest");
    assert_same::<WorkersPage>(&env, "WorkersPage");
    assert_same::<PlanView>(&env, "PlanView");
    assert_same::<CreateWorkerRequest>(&env, "CreateWorkerRequest");
    assert_same::<WhyRequest>(&env, "WhyRequest");
    assert_same::<WhyView>(&env, "WhyView");
    assert_same::<DecisionsRequest>(&env, "DecisionsRequest");
    assert_same::<DecisionsPage>(&env, "DecisionsPage");
    assert_same::<ReplayAnswer>(&env, "ReplayAnswer");
    assert_same::<MetricsRequest>(&env, "MetricsRequest");
    assert_same::<MetricsPage>(&env, "MetricsPage");
    assert_same::<EventsRequest>(&env, "EventsRequest");
    assert_same::<EventsPage>(&env, "EventsPage");
    assert_same::<EffectsRequest>(&env, "EffectsRequest");
    assert_same::<EffectView>(&env, "EffectView");
    assert_same::<ExportRequest>(&env, "ExportRequest");
    assert_same::<ExportPage>(&env, "ExportPage");
    assert_same::<Refused>(&env, "Refused");
}

#[test]
fn worker_did_has_the_drain_method_of_the_code() {
    let (env, service) = load(WORKER_DID);
    let drain = env
        .get_method(&service, DRAIN_METHOD)
        .expect("the drain method is there");
    assert!(drain.args.is_empty() && drain.modes.is_empty());
    assert_eq!(drain.rets.len(), 1);
    assert_same::<DrainAnswer>(&env, "DrainAnswer");
}
