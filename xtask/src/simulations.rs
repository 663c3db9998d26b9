//! The simulations: random worlds against the control plane.

use crate::program::{cargo, run};
use crate::workspace::Workspace;

/// Seeds of the model that a merge must pass: a twentieth of the full run.
const SHARE_MODEL: &str = "100";

/// `cargo xtask sim`: everything behind it goes to `hatchery-sim`.
pub(crate) fn sim(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let program = ["run", "--quiet", "--package", "hatchery-sim", "--"];
    run(cargo(&workspace.root, &program).args(arguments))
}

/// The share of the simulations that `cargo xtask ci` runs.
pub(crate) fn share(workspace: &Workspace) -> anyhow::Result<()> {
    eprintln!("a share of the simulations ...");
    sim(workspace, &["--seeds".to_owned(), SHARE_MODEL.to_owned()])
}
