//! `hatchery call` and `hatchery spec`: methods by their names, whatever they are.

use crate::args::CallOptions;
use crate::complaint::{Complaint, Kind};
use crate::session::Session;
use crate::show::json;
use candid::types::{FuncMode, Function, TypeEnv};
use candid::{IDLArgs, types::Type};
use hatchery_api::ROOT_DID;

/// `hatchery call`.
pub(crate) fn run(session: &Session<'_>, options: &CallOptions) -> anyhow::Result<()> {
    let (env, function) = method(&options.method)?;
    let wrong = |error: &dyn std::fmt::Display| {
        let message = format!("not an argument of `{}`: {error}", options.method);
        Complaint::new(Kind::Input, message).hint("arguments are Candid text: \"(record { … })\"")
    };
    let arguments = candid_parser::parse_idl_args(&options.argument).map_err(|it| wrong(&it))?;
    let bytes = arguments
        .to_bytes_with_types(&env, &function.args)
        .map_err(|it| wrong(&it))?;
    let client = &session.client;
    let root = client.root()?;
    let answer = if function.modes.contains(&FuncMode::Query) {
        client.query_bytes(root, &options.method, bytes)?
    } else {
        client.update_bytes(root, &options.method, bytes)?
    };
    let answer = IDLArgs::from_bytes_with_types(&answer, &env, &function.rets)?;
    if session.globals.json {
        let values: Vec<_> = answer.args.iter().map(json::from_candid).collect();
        match <[_; 1]>::try_from(values) {
            Ok([only]) => json::print(&only),
            Err(values) => json::print(&values.into()),
        }
    } else {
        println!("{answer}");
    }
    Ok(())
}

/// The types of a method of root.
fn method(name: &str) -> anyhow::Result<(TypeEnv, Function)> {
    let (env, service): (TypeEnv, Option<Type>) =
        candid_parser::utils::CandidSource::Text(ROOT_DID).load()?;
    let service = service.expect("bug: root.did has a service");
    let methods = env.as_service(&service)?;
    let Some((_, kind)) = methods.iter().find(|(found, _)| found == name) else {
        let names: Vec<&str> = methods.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("root has no method `{name}`");
        let hint = format!("methods: {}", names.join(", "));
        return Err(Complaint::new(Kind::Input, message).hint(hint).into());
    };
    let function = env.as_func(kind)?.clone();
    Ok((env, function))
}

/// `hatchery spec`.
pub(crate) fn spec(session: &Session<'_>) -> anyhow::Result<()> {
    let spec = session.client.spec()?;
    json::print(&json::of(&spec));
    Ok(())
}
