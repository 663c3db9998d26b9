//! How deeds read: one line each, that a human understands and that is read back. `c0` is root, `c5`
//! the fifth canister that the subnet created after it.

use super::deed::{Deed, Meddling, Order, Wish};
use super::keeper::Version;
use hatchery_types::{CanisterId, Generation};

/// The words of a deed.
pub(super) fn write(deed: &Deed) -> String {
    match deed {
        Deed::UpgradeForced => "upgrade forced".to_owned(),
        Deed::UpgradePolite => "upgrade polite".to_owned(),
        Deed::Jump(seconds) => format!("jump {seconds}"),
        Deed::Meddle(meddling, id) => format!("meddle {} {}", meddling.name(), name(*id)),
        Deed::Command {
            operation,
            times,
            order,
        } => format!("command {operation} x{times} {}", order_text(order)),
        Deed::Ask {
            member,
            generation,
            operation,
            wish,
        } => {
            let (who, wish) = (tenant(*member, *generation), wish_text(*wish));
            format!("ask {who} {operation} {wish}")
        }
        Deed::Lease {
            operation,
            times,
            count,
        } => format!("lease {operation} x{times} {count}"),
        Deed::Release(ids) => format!("release {}", names(ids)),
        Deed::Protect(member, generation) => format!("protect {}", tenant(*member, *generation)),
        Deed::Count(member, generation) => format!("count {}", tenant(*member, *generation)),
        Deed::Burn(member, trillions) => format!("burn {} {trillions}T", name(*member)),
        Deed::RollOut { version, by_itself } => {
            let how = if *by_itself {
                "by-itself"
            } else {
                "when-asked"
            };
            format!("roll-out {} {how}", version_text(*version))
        }
        Deed::Bounds {
            pool,
            min,
            max,
            standby,
        } => format!("bounds {pool} {min}..{max} standby {standby}"),
    }
}

/// The deed of those words; none = they mean nothing.
pub(super) fn read(words: &[&str]) -> Option<Deed> {
    Some(match words {
        ["upgrade", "forced"] => Deed::UpgradeForced,
        ["upgrade", "polite"] => Deed::UpgradePolite,
        ["jump", seconds] => Deed::Jump(seconds.parse().ok()?),
        ["meddle", meddling, id] => {
            let all = Meddling::ALL.into_iter();
            let meddling = all.into_iter().find(|one| one.name() == *meddling)?;
            Deed::Meddle(meddling, read_name(id)?)
        }
        ["command", operation, times, order @ ..] => Deed::Command {
            operation: (*operation).to_owned(),
            times: read_times(times)?,
            order: read_order(order)?,
        },
        ["ask", who, operation, wish @ ..] => {
            let (member, generation) = read_tenant(who)?;
            Deed::Ask {
                member,
                generation,
                operation: (*operation).to_owned(),
                wish: read_wish(wish)?,
            }
        }
        ["lease", operation, times, count] => Deed::Lease {
            operation: (*operation).to_owned(),
            times: read_times(times)?,
            count: count.parse().ok()?,
        },
        ["release", ids @ ..] => Deed::Release(read_names(ids)?),
        ["protect", who] => {
            let (member, generation) = read_tenant(who)?;
            Deed::Protect(member, generation)
        }
        ["count", who] => {
            let (member, generation) = read_tenant(who)?;
            Deed::Count(member, generation)
        }
        ["burn", member, trillions] => Deed::Burn(
            read_name(member)?,
            trillions.strip_suffix('T')?.parse().ok()?,
        ),
        ["roll-out", version, how] => Deed::RollOut {
            version: read_version(version)?,
            by_itself: match *how {
                "by-itself" => true,
                "when-asked" => false,
                _ => return None,
            },
        },
        ["bounds", pool, bounds, "standby", standby] => {
            let (min, max) = bounds.split_once("..")?;
            Deed::Bounds {
                pool: pool.parse().ok()?,
                min: min.parse().ok()?,
                max: max.parse().ok()?,
                standby: standby.parse().ok()?,
            }
        }
        _ => return None,
    })
}

fn order_text(order: &Order) -> String {
    match order {
        Order::CreateEmpty => "create-empty".to_owned(),
        Order::Recycle(id) => format!("recycle {}", name(*id)),
        Order::Import(ids) => format!("import {}", names(ids)),
        Order::ImportNow(id) => format!("import-now {}", name(*id)),
        Order::Delete(id) => format!("delete {}", name(*id)),
        Order::Export(id) => format!("export {} home", name(*id)),
        Order::DrainSurplus => "drain-surplus".to_owned(),
        Order::Pause => "pause".to_owned(),
        Order::Resume => "resume".to_owned(),
        Order::Requeue => "requeue-all".to_owned(),
    }
}

fn read_order(words: &[&str]) -> Option<Order> {
    Some(match words {
        ["create-empty"] => Order::CreateEmpty,
        ["recycle", id] => Order::Recycle(read_name(id)?),
        ["import", ids @ ..] => Order::Import(read_names(ids)?),
        ["import-now", id] => Order::ImportNow(read_name(id)?),
        ["delete", id] => Order::Delete(read_name(id)?),
        ["export", id, "home"] => Order::Export(read_name(id)?),
        ["drain-surplus"] => Order::DrainSurplus,
        ["pause"] => Order::Pause,
        ["resume"] => Order::Resume,
        ["requeue-all"] => Order::Requeue,
        _ => return None,
    })
}

fn wish_text(wish: Wish) -> String {
    match wish {
        Wish::Child => "child".to_owned(),
        Wish::End(id) => format!("end {}", name(id)),
        Wish::Move(id) => format!("move {}", name(id)),
        Wish::MoveAll => "move-all".to_owned(),
    }
}

fn read_wish(words: &[&str]) -> Option<Wish> {
    Some(match words {
        ["child"] => Wish::Child,
        ["end", id] => Wish::End(read_name(id)?),
        ["move", id] => Wish::Move(read_name(id)?),
        ["move-all"] => Wish::MoveAll,
        _ => return None,
    })
}

fn version_text(version: Version) -> String {
    match version {
        Version::Good(number) => format!("good-{number}"),
        Version::Traps => "traps".to_owned(),
        Version::Sick => "sick".to_owned(),
        Version::Corrupts => "corrupts".to_owned(),
    }
}

fn read_version(word: &str) -> Option<Version> {
    Some(match word {
        "traps" => Version::Traps,
        "sick" => Version::Sick,
        "corrupts" => Version::Corrupts,
        word => Version::Good(word.strip_prefix("good-")?.parse().ok()?),
    })
}

fn read_times(word: &str) -> Option<u64> {
    word.strip_prefix('x')?.parse().ok()
}

/// A canister and its tenancy, as in `c5/2`.
fn tenant(id: CanisterId, generation: Generation) -> String {
    format!("{}/{generation}", name(id))
}

fn read_tenant(word: &str) -> Option<(CanisterId, Generation)> {
    let (id, generation) = word.split_once('/')?;
    Some((read_name(id)?, Generation(generation.parse().ok()?)))
}

/// Root's number: it is the first canister of its engine.
const ROOT: u64 = 0x0100_0000;

fn name(id: CanisterId) -> String {
    let number = id.number().expect("bug: a canister of no subnet");
    format!("c{}", number.wrapping_sub(ROOT))
}

fn names(ids: &[CanisterId]) -> String {
    let names: Vec<String> = ids.iter().map(|id| name(*id)).collect();
    names.join(" ")
}

fn read_name(word: &str) -> Option<CanisterId> {
    let number: u64 = word.strip_prefix('c')?.parse().ok()?;
    Some(CanisterId::from_number(ROOT.wrapping_add(number)))
}

fn read_names(words: &[&str]) -> Option<Vec<CanisterId>> {
    words.iter().map(|word| read_name(word)).collect()
}
