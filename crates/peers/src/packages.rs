//! The npm packages that peers come in: fetched once, at the versions of the lock file.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

const PACKAGE: &str = include_str!("../npm/package.json");
const LOCK: &str = include_str!("../npm/package-lock.json");
/// What node runs, and what it compiles.
const FILES: [(&str, &str); 3] = [
    ("peer.mjs", include_str!("../npm/peer.mjs")),
    ("compile.mjs", include_str!("../npm/compile.mjs")),
    ("load.mo", include_str!("../npm/load.mo")),
];
/// Written when all packages are there, with the lock file they came from.
const DONE: &str = "fetched.json";

/// A folder with the packages.
pub(crate) struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// The packages in `folder`, fetched if they are not there yet.
    ///
    /// # Errors
    /// npm is not there, or cannot reach its registry.
    pub(crate) fn fetch(folder: &Path) -> anyhow::Result<Packages> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        for (name, text) in FILES {
            std::fs::write(folder.join(name), text)?;
        }
        let done = folder.join(DONE);
        if std::fs::read_to_string(&done).is_ok_and(|lock| lock == LOCK) {
            return Ok(Packages { folder });
        }
        if std::env::var_os("OFFLINE").is_some_and(|value| value == "1") {
            bail!("the packages are not there, and OFFLINE=1 forbids to fetch them");
        }
        eprintln!("fetching the packages of the peers (about 40 MB) ...");
        std::fs::write(folder.join("package.json"), PACKAGE)?;
        std::fs::write(folder.join("package-lock.json"), LOCK)?;
        let output = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .output()
            .context("npm could not be started; it comes with node")?;
        if !output.status.success() {
            bail!(
                "npm: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        std::fs::write(done, LOCK)?;
        Ok(Packages { folder })
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The `icp` program.
    pub(crate) fn icp(&self) -> PathBuf {
        self.folder
            .join("node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp")
    }
}
