//! The state diagram as data: from, to, and every cause; `none` is "no row". An effect as a cause
//! comes with the way it ended: done, busy (a drain's answer), gone, or the first trouble.

/// Every move that may be made.
pub(crate) const EDGES: &[(&str, &str, &[&str])] = &[
    // A canister comes.
    ("none", "creating", &["create done", "info done"]),
    ("none", "pending-reset", &["import", "import-immediate"]),
    ("creating", "ready", &["observe done"]),
    ("creating", "pending-reset", &["observe done"]),
    ("creating", "lost", &["observe gone", "observe refused"]),
    // Root was reinstalled: what it had is named again, and looked at.
    ("none", "recovering", &["recover", "info done"]),
    ("recovering", "none", &["observe gone", "observe refused"]),
    ("recovering", "pending-reset", &["observe done"]),
    ("recovering", "in-service", &["observe done"]),
    ("recovering", "failed", &["observe done"]),
    // It is reset.
    ("pending-reset", "resetting", &["tick"]),
    (
        "resetting",
        "ready",
        &[
            "reset done",
            "reset refused",
            "reset not-executed",
            "reset unknown",
        ],
    ),
    (
        "resetting",
        "pending-reset",
        &[
            "reset done",
            "reset refused",
            "reset not-executed",
            "reset unknown",
        ],
    ),
    (
        "resetting",
        "failed",
        &[
            "reset done",
            "reset refused",
            "reset not-executed",
            "reset unknown",
        ],
    ),
    ("resetting", "lost", &["reset gone"]),
    // Verified empty, it leaves all the same: deleted, or released to whom the spec names.
    (
        "resetting",
        "deleting",
        &[
            "reset done",
            "reset refused",
            "reset not-executed",
            "reset unknown",
        ],
    ),
    (
        "resetting",
        "exporting",
        &[
            "reset done",
            "reset refused",
            "reset not-executed",
            "reset unknown",
        ],
    ),
    // It waits in the warm pool.
    ("ready", "installing", &["plan", "request", "create-worker"]),
    ("ready", "exporting", &["export", "tick", "drain-surplus"]),
    ("exporting", "installing", &["tick"]),
    ("exporting", "none", &["hand-over done", "info done"]),
    (
        "exporting",
        "pending-reset",
        &["tick", "hand-over refused", "info done"],
    ),
    ("exporting", "lost", &["hand-over gone", "info gone"]),
    ("ready", "deleting", &["tick", "delete", "drain-surplus"]),
    (
        "ready",
        "pending-reset",
        &["recycle", "tick", "drain-surplus"],
    ),
    // It gets a role.
    (
        "installing",
        "in-service",
        &["install done", "observe done"],
    ),
    (
        "installing",
        "pending-reset",
        &[
            "install refused",
            "install not-executed",
            "install unknown",
            "observe done",
        ],
    ),
    (
        "installing",
        "lost",
        &["install gone", "observe gone", "observe refused"],
    ),
    // It waits on standby.
    ("installing", "standby", &["install done", "observe done"]),
    ("standby", "in-service", &["plan", "check done"]),
    ("standby", "stopping", &["plan"]),
    ("standby", "draining", &["recycle"]),
    (
        "standby",
        "pending-reset",
        &["observe done", "tick", "mend done"],
    ),
    (
        "standby",
        "lost",
        &[
            "observe gone",
            "observe refused",
            "mend gone",
            "mend refused",
        ],
    ),
    // It serves, and leaves.
    (
        "in-service",
        "draining",
        &["plan", "recycle", "request", "tick"],
    ),
    (
        "in-service",
        "pending-reset",
        &["observe done", "mend done"],
    ),
    (
        "in-service",
        "lost",
        &[
            "observe gone",
            "observe refused",
            "mend gone",
            "mend refused",
        ],
    ),
    // Somebody holds it for a while.
    ("standby", "leased", &["lease"]),
    ("in-service", "leased", &["lease"]),
    ("leased", "in-service", &["lease", "tick"]),
    ("leased", "standby", &["lease", "tick"]),
    ("leased", "draining", &["lease", "tick"]),
    ("leased", "pending-reset", &["observe done", "mend done"]),
    (
        "leased",
        "lost",
        &[
            "observe gone",
            "observe refused",
            "mend gone",
            "mend refused",
        ],
    ),
    ("draining", "in-service", &["plan"]),
    ("draining", "stopping", &["drain done", "tick"]),
    (
        "draining",
        "lost",
        &[
            "observe gone",
            "observe refused",
            "mend gone",
            "mend refused",
        ],
    ),
    (
        "stopping",
        "pending-reset",
        &[
            "stop done",
            "stop in-progress",
            "stop refused",
            "stop not-executed",
            "stop unknown",
        ],
    ),
    (
        "stopping",
        "lost",
        &[
            "stop gone",
            "observe gone",
            "observe refused",
            "mend gone",
            "mend refused",
        ],
    ),
    // It gets its role's module.
    ("standby", "upgrading", &["plan"]),
    ("in-service", "upgrading", &["plan", "request"]),
    ("leased", "upgrading", &["plan"]),
    ("upgrading", "in-service", &["drop-snapshot done", "tick"]),
    ("upgrading", "standby", &["drop-snapshot done", "tick"]),
    ("upgrading", "leased", &["drop-snapshot done", "tick"]),
    (
        "upgrading",
        "lost",
        &[
            "stop gone",
            "save gone",
            "find-snapshot gone",
            "find-snapshot refused",
            "upgrade gone",
            "upgrade refused",
            "return gone",
            "return refused",
            "check gone",
            "observe gone",
            "observe refused",
            "mend gone",
            "drop-snapshot gone",
        ],
    ),
    ("upgrading", "pending-reset", &["return done"]),
    ("upgrading", "failed", &["return done"]),
    (
        "pending-reset",
        "lost",
        &["sweep gone", "drop-snapshot gone", "find-snapshot gone"],
    ),
    // It is given back.
    (
        "deleting",
        "pending-reset",
        &[
            "stop refused",
            "stop not-executed",
            "stop unknown",
            "stop in-progress",
        ],
    ),
    (
        "deleting",
        "none",
        &[
            "stop gone",
            "delete done",
            "delete gone",
            "sweep gone",
            "observe gone",
        ],
    ),
    // Somebody looks after what failed.
    (
        "failed",
        "pending-reset",
        &["import", "import-immediate", "recycle", "requeue"],
    ),
    (
        "lost",
        "pending-reset",
        &[
            "import",
            "import-immediate",
            "recycle",
            "requeue",
            "create done",
        ],
    ),
    ("failed", "deleting", &["delete"]),
    ("lost", "deleting", &["delete"]),
    ("failed", "none", &["forget"]),
    ("lost", "none", &["forget"]),
    ("creating", "deleting", &["delete"]),
    ("pending-reset", "deleting", &["delete"]),
];

/// Moves to which the model's fleet does not lead often enough: none of its parents leases its own
/// children, a child that is asked for is on standby for a blink, and few ids are named to root before
/// a creation that is then lost makes them. Core's own tests make them.
pub(crate) const RARE: &[(&str, &str, &[&str])] = &[
    ("standby", "upgrading", &["request"]),
    ("leased", "upgrading", &["request"]),
    ("lost", "pending-reset", &["info done"]),
    ("resetting", "pending-reset", &["reset gone"]),
];
