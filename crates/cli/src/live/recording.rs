//! What was seen, as one HTML page with a time slider that needs nothing else.
//!
//! Owns the page and what it keeps of each second: figures always, canisters only when they changed.

use anyhow::Context;
use hatchery_sim::demo::Frame;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

const PAGE: &str = include_str!("recording.html");
/// Longest recording, in frames; one a second is two hours.
const FRAMES_MAX: usize = 7_200;

/// A recording under way; nothing is kept without a file to write it to.
#[derive(Debug)]
pub(crate) struct Recording {
    path: Option<PathBuf>,
    title: String,
    frames: Vec<Value>,
    /// Each canister as it was told last.
    told: BTreeMap<String, Value>,
}

impl Recording {
    /// A recording that will be written to `path`.
    pub(crate) fn new(path: Option<PathBuf>, title: &str) -> Recording {
        Recording {
            path,
            title: title.to_owned(),
            frames: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    /// One more second.
    pub(crate) fn add(&mut self, frame: &Frame) {
        if self.path.is_none() || self.frames.len() >= FRAMES_MAX {
            return;
        }
        let mut changed = Vec::new();
        let mut there = BTreeMap::new();
        for row in &frame.rows {
            let id = row.canister.to_string();
            let told = json!([row.phase.name(), row.load, row.reason.text]);
            if self.told.get(&id) != Some(&told) {
                changed.push(json!([id, told]));
            }
            there.insert(id, told);
        }
        let gone = self.told.keys().filter(|id| !there.contains_key(*id));
        changed.extend(gone.map(|id| json!([id, null])));
        self.told = there;
        let events = frame.events.iter().map(|event| {
            let subject = event
                .canister
                .map(|it| it.to_string())
                .or_else(|| event.pool.clone());
            json!([
                subject,
                event.phase.map(hatchery_types::Phase::name),
                event.reason.text
            ])
        });
        let phases = frame.phases.iter().filter(|(_, count)| *count > 0);
        let phases = phases.map(|(phase, count)| json!([phase.name(), count]));
        self.frames.push(json!({
            "t": frame.virtual_seconds,
            "load": frame.load,
            "desired": frame.desired,
            "serve": frame.in_service,
            "drain": frame.draining,
            "ready": frame.ready,
            "accounted": [frame.accounted, frame.canisters, frame.lost],
            "cycles": frame.root_cycles.to_string(),
            "phases": phases.collect::<Vec<_>>(),
            "rows": changed,
            "events": events.collect::<Vec<_>>(),
            "notice": frame.notice,
        }));
    }

    /// Writes the page, if there is a file for it; its path.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self) -> anyhow::Result<Option<&PathBuf>> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        std::fs::write(path, self.page())
            .with_context(|| format!("the recording cannot be written to {}", path.display()))?;
        Ok(Some(path))
    }

    fn page(&self) -> String {
        let data = json!({ "title": self.title, "frames": self.frames });
        // No text of a fleet ends the script.
        PAGE.replace("\"RECORDING\"", &data.to_string().replace('<', "\\u003c"))
    }
}

#[cfg(test)]
mod tests {
    use super::Recording;
    use hatchery_api::{ReasonView, RowView};
    use hatchery_sim::demo::Frame;
    use hatchery_types::{CanisterId, Generation, Nanos, Phase, Principal, Reason};

    fn row(phase: Phase) -> RowView {
        RowView {
            canister: CanisterId(Principal::management_canister()),
            phase,
            since: Nanos(0),
            role: None,
            pool: None,
            parent: None,
            module: None,
            generation: Generation(1),
            cycles: None,
            cycles_at: None,
            created_at: Nanos(0),
            attempts: 0,
            reason: ReasonView::from(&Reason::Installed),
            effect: None,
            load: None,
            leased_until: None,
            holder: None,
        }
    }

    #[test]
    fn only_what_changed_is_told_again() {
        let mut recording = Recording::new(Some("none.html".into()), "a </script> fleet");
        for rows in [
            vec![row(Phase::Ready)],
            vec![row(Phase::Ready)],
            vec![row(Phase::InService)],
            vec![],
        ] {
            recording.add(&Frame {
                rows,
                ..Frame::default()
            });
        }
        let told = recording
            .frames
            .iter()
            .map(|frame| frame["rows"].to_string());
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                r#"[["aaaaa-aa",["ready",null,"installed"]]]"#,
                "[]",
                r#"[["aaaaa-aa",["in-service",null,"installed"]]]"#,
                r#"[["aaaaa-aa",null]]"#,
            ]
        );
        let page = recording.page();
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(!page.contains("RECORDING"));
        for outside in ["http://", "https://", "src=", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn without_a_file_nothing_is_kept() {
        let mut recording = Recording::new(None, "fleet");
        recording.add(&Frame::default());
        assert!(recording.frames.is_empty());
        assert_eq!(recording.write().expect("nothing to do"), None);
    }
}
