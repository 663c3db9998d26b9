//! The dashboard: one page with its style and its script in it, which asks `/live` for the rest.

use super::certify::integrity;

const STYLE: &str = include_str!("page/style.css");
const BODY: &str = include_str!("page/body.html");
const SCRIPT: &str = include_str!("page/script.js");

/// The whole page.
pub(super) fn html() -> String {
    [
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Hatchery</title>\
         <link rel=\"icon\" href=\"data:,\"><style>",
        STYLE,
        "</style></head>",
        BODY,
        "<script>",
        SCRIPT,
        "</script></html>\n",
    ]
    .concat()
}

/// Only this style and this script, and nothing from elsewhere.
pub(super) fn policy() -> String {
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        integrity(STYLE),
        integrity(SCRIPT)
    )
}
