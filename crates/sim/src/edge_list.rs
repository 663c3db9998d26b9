//! The state diagram as data: from, to, and every cause; `none` is "no row". An effect as a cause
//! comes with the way it ended: done, busy (a drain's answer), gone, or the first trouble.

/// Every move that may be made.
pub(crate) const EDGES: &[(&str, &str, &[&str])] = &[
    // A canister comes.
    ("none", "creating", &["create done"]),
    ("none", "pending-reset", &["import"]),
    ("creating", "ready", &["observe done"]),
    ("creating", "pending-reset", &["observe done"]),
    ("creating", "lost", &["observe gone", "observe refused"]),
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
    // It waits in the warm pool.
    ("ready", "installing", &["plan"]),
    ("ready", "deleting", &["tick"]),
    ("ready", "pending-reset", &["recycle", "tick"]),
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
    ("standby", "in-service", &["plan"]),
    ("standby", "stopping", &["plan"]),
    ("standby", "draining", &["recycle"]),
    ("standby", "pending-reset", &["observe done"]),
    ("standby", "lost", &["observe gone", "observe refused"]),
    // It serves, and leaves.
    ("in-service", "draining", &["plan", "recycle"]),
    ("in-service", "pending-reset", &["observe done"]),
    ("in-service", "lost", &["observe gone", "observe refused"]),
    ("draining", "in-service", &["plan"]),
    ("draining", "stopping", &["drain done", "tick"]),
    ("draining", "lost", &["observe gone", "observe refused"]),
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
        &["stop gone", "observe gone", "observe refused"],
    ),
    // It is given back.
    // An empty canister stops at once: its stop is never in progress.
    (
        "deleting",
        "pending-reset",
        &["stop refused", "stop not-executed", "stop unknown"],
    ),
    (
        "deleting",
        "none",
        &["stop gone", "delete done", "delete gone"],
    ),
    // Somebody looks after what failed.
    ("failed", "pending-reset", &["import", "recycle", "requeue"]),
    ("lost", "pending-reset", &["import", "recycle", "requeue"]),
];
