//! `hatchery version`: this program's, and root's where one answers.

use crate::args::Globals;
use crate::session::Session;
use crate::show::json;
use serde_json::json;

pub(crate) fn run(globals: &Globals) {
    let program = env!("CARGO_PKG_VERSION");
    // Nobody has to have a fleet to ask for a version.
    let root = Session::open(globals).ok().and_then(|session| {
        let root = session.client.root().ok()?;
        let module = session.client.certified(root).ok()?.module?;
        Some((root, data_encoding::HEXLOWER.encode(&module)))
    });
    if globals.json {
        let root = root.map(|(id, module)| json!({ "id": id.to_text(), "module": module }));
        json::print(&json!({ "program": program, "root": root }));
        return;
    }
    println!("hatchery {program}");
    if let Some((root, module)) = root {
        println!("root {root}, module {module}");
    }
}
