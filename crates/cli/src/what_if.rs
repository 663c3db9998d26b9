//! `hatchery what-if`: recorded signals through another spec, side by side with what was.

use crate::args::{Globals, WhatIfOptions};
use crate::check::{read_text, refuse};
use crate::complaint::{Complaint, Kind};
use hatchery_api::fleet_toml;
use hatchery_sim::what_if::{Recording, Side, WhatIf, what_if};
use hatchery_types::{Cycles, FleetSpec, ModuleHash, PoolSpec};

pub(crate) fn run(globals: &Globals, options: &WhatIfOptions) -> anyhow::Result<()> {
    let text = read_text(&options.spec)?;
    // No module is needed: nothing is installed.
    let spec = fleet_toml::parse(&text)
        .and_then(|draft| draft.resolve(|_, _| Ok(ModuleHash([1; 32]))))
        .map_err(|errors| refuse(&options.spec, &errors))?;
    let recording = read_recording(options)?;
    let pool = pool(options, &spec, &recording)?;
    let outcome = what_if(&recording, pool)
        .map_err(|error| refused(options, &error.to_string(), "record what the pool follows"))?;
    if globals.json {
        println!("{}", serde_json::to_string(&outcome)?);
    } else {
        print!("{}", table(&outcome));
    }
    Ok(())
}

fn read_recording(options: &WhatIfOptions) -> Result<Recording, Complaint> {
    let file = &options.recording;
    let hint = "a recording is JSON or CSV; the guide on choosing a policy shows both";
    let text = std::fs::read_to_string(file)
        .map_err(|error| refused(options, &format!("it cannot be read: {error}"), hint))?;
    let mut recording =
        Recording::read(&text).map_err(|error| refused(options, &error.to_string(), hint))?;
    if let Some(seconds) = options.since {
        recording.keep_last(seconds);
    }
    Ok(recording)
}

fn refused(options: &WhatIfOptions, message: &str, hint: &str) -> Complaint {
    let file = options.recording.display();
    Complaint::new(Kind::Input, format!("{file}: {message}")).hint(hint)
}

/// The pool that is asked for, recorded, or the only one.
fn pool<'a>(
    options: &WhatIfOptions,
    spec: &'a FleetSpec,
    recording: &Recording,
) -> Result<&'a PoolSpec, Complaint> {
    let names: Vec<&str> = spec.pools.iter().map(|pool| pool.name.as_str()).collect();
    let hint = format!("pools of the spec: {}", names.join(", "));
    match (&options.pool, &recording.pool, spec.pools.as_slice()) {
        (Some(name), ..) | (None, Some(name), _) => spec.pool(name).ok_or_else(|| {
            Complaint::new(Kind::Input, format!("the spec has no pool {name}")).hint(&hint)
        }),
        (None, None, [only]) => Ok(only),
        _ => Err(Complaint::new(Kind::Input, "which pool? give --pool").hint(hint)),
    }
}

/// What of a side is shown.
type Figure = fn(&Side) -> String;

/// The two sides for people.
fn table(outcome: &WhatIf) -> String {
    let hours = outcome.seconds as f64 / 3_600.0;
    let mut lines = vec![
        format!("pool {}, {hours:.1} hours recorded", outcome.pool),
        String::new(),
        row("", outcome, "as it was", "with the spec", |_| String::new()),
    ];
    let figures: [(&str, Figure); 5] = [
        ("worker-hours missing", |side| {
            format!("{:.3}", side.late_worker_hours)
        }),
        ("worker-hours paid", |side| {
            format!("{:.3}", side.worker_hours)
        }),
        ("cycles", |side| Cycles(u128::from(side.cycles)).to_string()),
        ("most workers", |side| side.workers_max.to_string()),
        ("changes", |side| side.changes.to_string()),
    ];
    for (name, figure) in figures {
        lines.push(row(name, outcome, "", "", figure));
    }
    lines.join("\n") + "\n"
}

fn row(
    name: &str,
    outcome: &WhatIf,
    was: &str,
    would_be: &str,
    figure: impl Fn(&Side) -> String,
) -> String {
    let was = match (&outcome.recorded, was) {
        (Some(side), "") => figure(side),
        (None, "") => "not recorded".to_owned(),
        (_, heading) => heading.to_owned(),
    };
    let would_be = match would_be {
        "" => figure(&outcome.replayed),
        heading => heading.to_owned(),
    };
    format!("  {name:<22}{was:>16}{would_be:>16}")
}

#[cfg(test)]
mod tests {
    use super::{pool, table};
    use crate::args::WhatIfOptions;
    use crate::complaint::render;
    use expect_test::expect;
    use hatchery_api::fleet_toml;
    use hatchery_sim::what_if::{Recording, what_if};
    use hatchery_types::{FleetSpec, ModuleHash};

    fn spec(target: u64, more: &str) -> FleetSpec {
        let text = format!(
            "name = \"shop\"\n[warm_pool]\nminimum = 1\nmaximum = 9\n[roles.worker]\n\
             module = \"w\"\n[pools.workers]\nrole = \"worker\"\nmin = 1\nmax = 20\n{more}\
             [pools.workers.signals.depth]\ntarget = {target}\n"
        );
        let draft = fleet_toml::parse(&text).expect("it can be read");
        draft
            .resolve(|_, _| Ok(ModuleHash([1; 32])))
            .expect("it is good")
    }

    /// Two hours: quiet, an hour of six times the load that nobody met in time, quiet.
    const RECORDING: &str =
        "at_s,workers,depth\n0,2,10\n1800,2,60\n2400,10,60\n5400,10,10\n7200,2,10\n";

    #[test]
    fn both_sides_are_shown() {
        let recording = Recording::read(RECORDING).expect("it is a recording");
        let outcome = what_if(&recording, &spec(6, "").pools[0]).expect("it can be replayed");
        expect![[r#"
            pool workers, 2.0 hours recorded

                                           as it was   with the spec
              worker-hours missing             1.333           0.022
              worker-hours paid               14.667          12.762
              cycles                       974.843 M       889.813 M
              most workers                        10              10
              changes                              2               5
        "#]]
        .assert_eq(&table(&outcome));
    }

    #[test]
    fn what_was_not_recorded_is_said() {
        let text = RECORDING.replace(",2,", ",,").replace(",10,", ",,");
        let recording = Recording::read(&text).expect("it is a recording");
        let outcome = what_if(&recording, &spec(10, "").pools[0]).expect("it can be replayed");
        expect![[r#"
            pool workers, 2.0 hours recorded

                                           as it was   with the spec
              worker-hours missing      not recorded           0.012
              worker-hours paid         not recorded           7.482
              cycles                    not recorded       534.069 M
              most workers              not recorded               6
              changes                   not recorded               5
        "#]]
        .assert_eq(&table(&outcome));
    }

    #[test]
    fn a_pool_that_is_not_there_is_refused() {
        let options = WhatIfOptions {
            spec: "new.toml".into(),
            recording: "signals.csv".into(),
            pool: Some("hubs".to_owned()),
            since: None,
        };
        let recording = Recording::read(RECORDING).expect("it is a recording");
        let error = pool(&options, &spec(6, ""), &recording).expect_err("no such pool");
        expect![[r#"
            error: the spec has no pool hubs
            hint: pools of the spec: workers"#]]
        .assert_eq(&render(&error.into()));
    }
}
