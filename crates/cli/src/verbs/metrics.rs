//! `hatchery metrics`: root's figures in the text of Prometheus; as JSON, what operations on worker
//! pools came to.

use crate::complaint::{Complaint, Kind};
use crate::session::Session;
use crate::show::json;
use hatchery_api::{HttpRequest, HttpResponse, MetricsPage, MetricsRequest};

/// The status of an answer that is one.
const OK: u16 = 200;

pub(crate) fn run(session: &Session<'_>) -> anyhow::Result<()> {
    if session.globals.json {
        json::print(&json::of(&pages(session)?));
        return Ok(());
    }
    let request = HttpRequest {
        url: "/metrics".to_owned(),
    };
    let answer: HttpResponse = session.client.query("http_request", &request)?;
    if answer.status_code != OK {
        let message = format!("root answers /metrics with status {}", answer.status_code);
        return Err(Complaint::new(Kind::Refused, message)
            .hint("`hatchery metrics --json` asks in another way")
            .into());
    }
    print!("{}", String::from_utf8_lossy(&answer.body));
    Ok(())
}

/// Every counter, as one page.
fn pages(session: &Session<'_>) -> anyhow::Result<MetricsPage> {
    let mut request = MetricsRequest::default();
    let mut whole: MetricsPage = session.client.query("metrics", &request)?;
    while let Some(after) = whole.next {
        request.after = after;
        let page: MetricsPage = session.client.query("metrics", &request)?;
        whole.counters.extend(page.counters);
        whole.next = page.next;
    }
    Ok(whole)
}
