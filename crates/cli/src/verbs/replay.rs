//! `hatchery replay`: a recorded decision again, by root's own planner: the same view must give the
//! same plan, byte for byte.

use crate::args::ReplayOptions;
use crate::complaint::{Complaint, Kind};
use crate::session::Session;
use crate::show::amount;
use hatchery_api::{DecisionView, DecisionsPage, DecisionsRequest, ReplayAnswer, ReplayRequest};

pub(crate) fn run(session: &Session<'_>, options: &ReplayOptions) -> anyhow::Result<()> {
    let mut request = DecisionsRequest {
        pool: options.pool.clone(),
        from: options.decision,
        limit: 0,
    };
    let mut kept: Vec<DecisionView> = Vec::new();
    let first = loop {
        let page: DecisionsPage = session.client.ask("decisions", &request)?;
        kept.extend(page.decisions);
        let Some(newest) = kept.first() else {
            let message = format!("no decision of {} is kept", options.pool);
            return Err(Complaint::new(Kind::Input, message)
                .hint("one is kept whenever a plan changes something or says something new")
                .into());
        };
        let first = if newest.base == 0 {
            newest.number
        } else {
            newest.base
        };
        let reaches = kept.last().is_some_and(|last| last.number <= first);
        if reaches || page.next.is_none() {
            break first;
        }
        request.from = page.next;
    };
    let decision = kept[0].clone();
    let views = kept.iter().filter(|it| it.number >= first).rev();
    let views: ReplayRequest = views.map(|it| it.view.clone()).collect();
    let answer: ReplayAnswer = session.client.ask("replay", &views)?;
    if (&answer.plan, answer.digest) != (&decision.plan, decision.digest) {
        let message = format!("decision {} comes out differently", decision.number);
        return Err(Complaint::new(Kind::Failed, message)
            .hint("root was upgraded since, or this is a bug of ours: please report it")
            .into());
    }
    session.say(&decision, |_| {
        println!(
            "decision {} of {}: the same again, wants {}, because {}",
            decision.number,
            amount::moment(decision.at),
            decision.did.desired,
            amount::reasons(&decision.did.reasons)
        );
    });
    Ok(())
}
