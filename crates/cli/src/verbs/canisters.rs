//! `hatchery canisters` and `hatchery effects`: rows of the registry, and calls under way.

use super::pool::print_rows;
use crate::args::CanistersOptions;
use crate::complaint::{Complaint, Kind};
use crate::connection::canister;
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use hatchery_api::{CanistersRequest, RowView};
use hatchery_types::{CanisterId, ModuleHash};

pub(crate) fn run(session: &Session<'_>, options: &CanistersOptions) -> anyhow::Result<()> {
    if let Some(text) = &options.canister {
        let row = one(session, CanisterId(canister(text)?))?;
        session.say(&row, |paint| print_one(&row, paint));
        return Ok(());
    }
    let parent = options.parent.as_deref().map(canister).transpose()?;
    let module = options.module.as_deref().map(|text| {
        let wrong = || {
            Complaint::new(Kind::Input, format!("{text} is no hash of a module"))
                .hint("give its 64 hexadecimal digits: `hatchery modules list` shows them")
        };
        ModuleHash::from_hex(text).ok_or_else(wrong)
    });
    let rows = session.client.rows_that(CanistersRequest {
        phase: options.phase,
        role: options.role.clone(),
        pool: options.pool.clone(),
        parent: parent.map(CanisterId),
        module: module.transpose()?,
        ..CanistersRequest::default()
    })?;
    session.say(&rows, |paint| print_rows(&rows, paint, "no canisters"));
    Ok(())
}

/// The row of one canister.
///
/// # Errors
/// Root has none.
pub(crate) fn one(session: &Session<'_>, canister: CanisterId) -> anyhow::Result<RowView> {
    session.client.row(canister)?.ok_or_else(|| {
        let message = format!("root does not know {canister}");
        Complaint::new(Kind::Input, message)
            .hint("`hatchery canisters` lists what it knows; `hatchery pool import` takes one in")
            .into()
    })
}

fn print_one(row: &RowView, paint: Paint) {
    let now = amount::now();
    println!(
        "{}  {}",
        paint.bold(&row.canister.to_string()),
        paint.phase(row.phase)
    );
    let some = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let observed = row.cycles_at.map(|at| amount::age(at, now));
    let cycles = row.cycles.map_or_else(
        || "not observed yet".to_owned(),
        |cycles| {
            let age = observed.unwrap_or_default();
            format!("{}, observed {age} ago", amount::cycles(cycles.0))
        },
    );
    let lines = [
        ("because", row.reason.text.clone()),
        ("since", format!("{} ago", amount::age(row.since, now))),
        (
            "created",
            format!("{} ago", amount::age(row.created_at, now)),
        ),
        ("role", some(&row.role)),
        ("pool", some(&row.pool)),
        ("parent", amount::id(row.parent)),
        (
            "module",
            row.module.map(|it| it.to_string()).unwrap_or_default(),
        ),
        ("generation", row.generation.0.to_string()),
        ("cycles", cycles),
        ("attempts", row.attempts.to_string()),
        ("doing", some(&row.effect)),
        (
            "load",
            row.load.map(|it| it.to_string()).unwrap_or_default(),
        ),
        ("holder", amount::id(row.holder)),
        (
            "leased until",
            row.leased_until.map(amount::moment).unwrap_or_default(),
        ),
    ];
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        println!("  {name:<13}{text}");
    }
}

/// `hatchery effects`.
pub(crate) fn effects(session: &Session<'_>) -> anyhow::Result<()> {
    let effects = session.client.effects()?;
    session.say(&effects, |paint| {
        let now = amount::now();
        let mut table = Table::new([">effect", "kind", "canister", ">for", ">incarnation"]);
        for effect in &effects {
            table.row([
                effect.id.to_string(),
                effect.kind.clone(),
                amount::id(effect.canister),
                amount::age(effect.started_at, now),
                effect.incarnation.0.to_string(),
            ]);
        }
        table.print(paint, "nothing under way");
    });
    Ok(())
}
