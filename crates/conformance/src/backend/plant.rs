//! Planted deviations: a backend that tells one lie, so that every case can be seen to fail. A
//! first, honest run counts what a case looks at; the second falsifies the last of it.

use candid::types::Label;
use candid::types::value::{IDLField, IDLValue};
use candid::{IDLArgs, Principal as CandidPrincipal};
use ic_principal::Principal;

use super::{Answer, Backend, Done, MessageId, Reject};

/// What a planted backend falsifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The last answer: one bit of a reply's last byte, or the codes of a reject.
    Answer,
    /// As [`Plant::Answer`], so many answers before the last.
    AnswerBefore(usize),
    /// One field of the last Candid reply that has it.
    Field(&'static str),
    /// The first byte of this text in the last reply that has it.
    Bytes(&'static str),
    /// The last message whose rounds are counted takes one round more.
    Round,
    /// As [`Plant::Round`], so many counted messages before the last.
    RoundBefore(usize),
    /// The last balance read is one cycle higher.
    Balance,
}

/// How many observations of each kind a case made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    answers: usize,
    fields: usize,
    polled: usize,
    balances: usize,
}

/// A backend that passes everything on, counts what is looked at, and falsifies one of it.
pub struct PlantedBackend<'a> {
    inner: &'a mut dyn Backend,
    plant: Plant,
    /// What the honest run counted; `None` in the honest run.
    total: Option<Seen>,
    seen: Seen,
    /// Messages whose rounds are being counted, and whether one round was withheld.
    polled: Vec<(MessageId, usize)>,
    withheld: bool,
}

impl<'a> PlantedBackend<'a> {
    /// Honest: it only counts.
    pub fn counting(inner: &'a mut dyn Backend, plant: Plant) -> Self {
        Self::new(inner, plant, None)
    }

    /// Lying, where a run of the same case saw `total`.
    pub fn lying(inner: &'a mut dyn Backend, plant: Plant, total: Seen) -> Self {
        Self::new(inner, plant, Some(total))
    }

    fn new(inner: &'a mut dyn Backend, plant: Plant, total: Option<Seen>) -> Self {
        PlantedBackend {
            inner,
            plant,
            total,
            seen: Seen::default(),
            polled: Vec::new(),
            withheld: false,
        }
    }

    /// What was looked at so far.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Whether an observation of a kind, just counted, is the one to falsify.
    fn is_it(&self, count: fn(&Seen) -> usize, before: usize) -> bool {
        self.total
            .is_some_and(|total| count(&self.seen) + before == count(&total))
    }

    fn answer(&mut self, answer: Answer) -> Answer {
        self.seen.answers += 1;
        match self.plant {
            Plant::Answer if self.is_it(|seen| seen.answers, 0) => falsified(answer),
            Plant::AnswerBefore(before) if self.is_it(|seen| seen.answers, before) => {
                falsified(answer)
            }
            Plant::Field(name) => self.part(answer, |reply| with_false(reply, name)),
            Plant::Bytes(text) => self.part(answer, |reply| without(reply, text.as_bytes())),
            _ => answer,
        }
    }

    /// Falsifies a part of the last reply that has it.
    fn part(&mut self, answer: Answer, lie: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Answer {
        let Some(false_reply) = answer.as_ref().ok().and_then(|reply| lie(reply)) else {
            return answer;
        };
        self.seen.fields += 1;
        if self.is_it(|seen| seen.fields, 0) {
            Ok(false_reply)
        } else {
            answer
        }
    }

    /// The place of a polled message among all polled ones, from 1.
    fn place(&mut self, id: &MessageId) -> usize {
        if let Some((_, place)) = self.polled.iter().find(|(known, _)| known == id) {
            return *place;
        }
        self.seen.polled += 1;
        self.polled.push((id.clone(), self.seen.polled));
        self.seen.polled
    }

    fn withholds(&self, place: usize) -> bool {
        let before = match self.plant {
            Plant::Round => 0,
            Plant::RoundBefore(before) => before,
            _ => return false,
        };
        !self.withheld
            && self
                .total
                .is_some_and(|total| place + before == total.polled)
    }
}

impl Backend for PlantedBackend<'_> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Result<MessageId, Reject>> {
        Ok(match self.inner.submit(sender, canister, method, arg)? {
            Ok(id) => Ok(id),
            Err(reject) => match self.answer(Err(reject)) {
                Err(reject) => Err(reject),
                Ok(_) => unreachable!("bug: a falsified reject is a reject"),
            },
        })
    }

    fn poll(&mut self, id: &MessageId) -> Done<Option<Answer>> {
        let place = self.place(id);
        let Some(answer) = self.inner.poll(id)? else {
            return Ok(None);
        };
        if self.withholds(place) {
            self.withheld = true;
            return Ok(None);
        }
        Ok(Some(self.answer(answer)))
    }

    fn await_answer(&mut self, id: &MessageId) -> Done<Answer> {
        let answer = self.inner.await_answer(id)?;
        Ok(self.answer(answer))
    }

    fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Answer> {
        let answer = self.inner.query(sender, canister, method, arg)?;
        Ok(self.answer(answer))
    }

    fn tick(&mut self) -> Done<()> {
        self.inner.tick()
    }

    fn time_ns(&mut self) -> Done<u64> {
        self.inner.time_ns()
    }

    fn advance_ns(&mut self, ns: u64) -> Done<()> {
        self.inner.advance_ns(ns)
    }

    fn cycles(&mut self, canister: Principal) -> Done<u128> {
        let balance = self.inner.cycles(canister)?;
        self.seen.balances += 1;
        if self.plant == Plant::Balance && self.is_it(|seen| seen.balances, 0) {
            return Ok(balance + 1);
        }
        Ok(balance)
    }

    fn add_cycles(&mut self, canister: Principal, cycles: u128) -> Done<()> {
        self.inner.add_cycles(canister, cycles)
    }
}

/// The reply with the first byte of `text` changed; `None` where it is not in it.
fn without(reply: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let place = reply
        .windows(text.len())
        .position(|window| window == text)?;
    let mut reply = reply.to_vec();
    reply[place] ^= 1;
    Some(reply)
}

fn falsified(answer: Answer) -> Answer {
    match answer {
        Ok(mut reply) => {
            match reply.last_mut() {
                Some(last) => *last ^= 1,
                None => reply.push(1),
            }
            Ok(reply)
        }
        Err(Reject { code, error }) => Err(Reject {
            code: if code == 5 { 4 } else { 5 },
            error: error.map(|error| error + 1),
        }),
    }
}

/// The Candid reply with another value in the field, or `None` where it has no such field.
fn with_false(reply: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut args = IDLArgs::from_bytes(reply).ok()?;
    let wanted = Label::Named(name.to_owned());
    let changed = args.args.iter_mut().any(|value| change(value, &wanted));
    changed.then(|| args.to_bytes().ok()).flatten()
}

fn change(value: &mut IDLValue, wanted: &Label) -> bool {
    match value {
        IDLValue::Record(fields) => fields.iter_mut().any(|field| change_field(field, wanted)),
        IDLValue::Opt(inner) => change(inner, wanted),
        IDLValue::Vec(values) => values.iter_mut().any(|value| change(value, wanted)),
        _ => false,
    }
}

fn change_field(field: &mut IDLField, wanted: &Label) -> bool {
    if field.id != *wanted {
        return change(&mut field.val, wanted);
    }
    field.val = other(&field.val);
    true
}

/// Another value of the same kind.
fn other(value: &IDLValue) -> IDLValue {
    match value {
        IDLValue::Bool(value) => IDLValue::Bool(!value),
        IDLValue::Text(text) => IDLValue::Text(format!("{text}!")),
        IDLValue::Nat(number) => IDLValue::Nat(number.clone() + 1u8),
        IDLValue::Nat64(number) => IDLValue::Nat64(number.wrapping_add(1)),
        IDLValue::Nat32(number) => IDLValue::Nat32(number.wrapping_add(1)),
        IDLValue::Nat8(number) => IDLValue::Nat8(number.wrapping_add(1)),
        IDLValue::Principal(_) => IDLValue::Principal(CandidPrincipal::anonymous()),
        IDLValue::Blob(bytes) => IDLValue::Blob([bytes.as_slice(), &[1]].concat()),
        IDLValue::Vec(values) => other_list(values),
        IDLValue::Opt(inner) => IDLValue::Opt(Box::new(other(inner))),
        IDLValue::Record(fields) => IDLValue::Record(
            fields
                .iter()
                .map(|field| IDLField {
                    id: field.id.clone(),
                    val: other(&field.val),
                })
                .collect(),
        ),
        // A variant the reader does not know, or nothing where something was.
        _ => IDLValue::None,
    }
}

fn other_list(values: &[IDLValue]) -> IDLValue {
    match values {
        [IDLValue::Nat8(first), rest @ ..] => IDLValue::Vec(
            std::iter::once(IDLValue::Nat8(first ^ 1))
                .chain(rest.iter().cloned())
                .collect(),
        ),
        [_, rest @ ..] => IDLValue::Vec(rest.to_vec()),
        [] => IDLValue::None,
    }
}
