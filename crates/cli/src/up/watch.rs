//! Notices that a fleet's files changed.

use std::path::PathBuf;
use std::time::SystemTime;

/// Files, and when each was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    stamps: Vec<(PathBuf, Option<SystemTime>)>,
}

impl Watch {
    /// The files as they are now.
    pub(crate) fn over(paths: impl IntoIterator<Item = PathBuf>) -> Watch {
        let stamps = paths.into_iter().map(|path| {
            let stamp = written(&path);
            (path, stamp)
        });
        Watch {
            stamps: stamps.collect(),
        }
    }

    /// The files that were written since the last time; a file that is being replaced and not
    /// there is not told.
    pub(crate) fn changed(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (path, stamp) in &mut self.stamps {
            let now = written(path);
            if now.is_some() && now != *stamp {
                *stamp = now;
                changed.push(path.clone());
            }
        }
        changed
    }
}

fn written(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_write_is_noticed_once() {
        let folder = std::env::temp_dir().join(format!("hatchery-watch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("fleet.toml");
        let file = std::fs::File::create(&path).expect("a file");
        let mut watch = Watch::over([path.clone(), folder.join("none")]);
        assert_eq!(watch.changed(), Vec::<std::path::PathBuf>::new());
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1))
            .expect("a file's time can be set");
        assert_eq!(watch.changed(), std::slice::from_ref(&path));
        std::fs::remove_file(&path).expect("it is there");
        assert!(watch.changed().is_empty());
        std::fs::remove_dir_all(folder).expect("it is there");
    }
}
